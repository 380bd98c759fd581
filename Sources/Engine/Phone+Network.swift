import Core
import Interface
import SDP
import SIP

/// A change of network in mid-call: sockets are lost and won, ICE restarts, and a new offer tells the peer (RFC 8445 §9, RFC 8839 §4.4).
extension Phone {
    /// A peer that refuses so many offers in a row is not asked again.
    private static let pathTries = 6

    mutating func addressesChanged(_ usable: [IPAddress], at now: Instant) {
        userAgent.handle(.addressesChanged(usable), at: now)
        for call in calls.values.sorted(by: { $0.id < $1.id }) where !call.isEnding {
            let had = !call.media.sockets.isEmpty
            lose(call, at: now) { !$0.ip.isLoopback && !usable.contains($0.ip) }
            guard had || call.wantsPath else { continue }
            let held = Set(call.media.sockets.map(\.address.ip))
            guard call.wantsPath || call.media.ice != nil, usable.contains(where: { !held.contains($0) }) else {
                if call.wantsPath { seekPath(call, at: now) }
                continue
            }
            emit(
                .openMedia(
                    MediaRequest(
                        id: call.socketID, toward: .more(toward: call.media.negotiated?.remoteAddress?.ip),
                        components: call.media.negotiated?.rtcpMux == true ? 1 : 2, allAddresses: call.media.ice != nil)))
        }
    }

    /// Sockets of the call are gone.
    mutating func lose(_ call: Call, at now: Instant, where isGone: (SocketAddress) -> Bool) {
        let lost = call.media.lose(at: now, where: isGone)
        guard !lost.isEmpty else { return }
        for address in lost { emit(.closeMediaSocket(call.socketID, address)) }
        let names = Set(lost.map(\.ip.description)).sorted().joined(separator: ", ")
        if !call.media.hasRoutes { call.wantsPath = true }
        tell(.warning, "address-lost", "\(names) is gone" + (call.wantsPath ? ": looking for another path" : ""), call: call.id, at: now)
    }

    mutating func mediaAdded(_ id: MediaSocketID, _ opened: [MediaSocket], at now: Instant) {
        guard let call = sockets[id].flatMap({ calls[$0] }), !call.isEnding else {
            for socket in opened { emit(.closeMediaSocket(id, socket.address)) }
            return
        }
        if !opened.isEmpty {
            call.media.add(opened, at: now)
            let names = Set(opened.map(\.address.ip.description)).sorted().joined(separator: ", ")
            tell(.message, "address-added", "\(names) is used as well now", call: call.id, at: now)
        }
        guard call.wantsPath else { return }
        if call.media.isGathered || canTrickle(call) {
            seekPath(call, at: now)
        } else {
            timers.set(.gather(call.id), at: now + configuration.gatherTimeout)
        }
    }

    /// Offers anew when the path is lost, an address is there and no other offer is on its way.
    mutating func seekPath(_ call: Call, at now: Instant) {
        guard call.wantsPath || call.wantsRefresh, call.isAnswered, call.reoffer == nil, !call.media.sockets.isEmpty, life == .running else { return }
        guard call.wantsPath else { return refreshTarget(call, at: now) }
        timers.cancel(.reoffer(call.id))
        call.media.renewPath(at: now)
        guard let offer = call.media.makeOffer(call.security ?? call.mode) else { return }
        call.wantsPath = false
        call.wantsRefresh = false
        call.reoffer = .path
        let how = call.media.ice == nil ? "the new address is offered" : "ICE restarts"
        tell(
            .message, call.media.ice == nil ? "new-address" : "ice-restart", "\(how) on \(call.media.base(component: 1).map { "\($0.ip)" } ?? "?")",
            call: call.id, at: now)
        userAgent.handle(.reoffer(call.session, body: offer), at: now)
    }

    /// The same description again: the request itself brings our new Contact (RFC 3261 §12.2).
    private mutating func refreshTarget(_ call: Call, at now: Instant) {
        guard let offer = call.media.makeOffer(call.security ?? call.mode) else { return }
        call.wantsRefresh = false
        call.reoffer = .target
        userAgent.handle(.reoffer(call.session, body: offer), at: now)
    }

    /// Tried again until ICE's own time is over: the new network may not lead to the peer yet, or the peer offers at the same time.
    mutating func refused(_ purpose: Call.Reoffer?, _ call: Call, status: Int, at now: Instant) {
        call.pathRefusals += 1
        if case .target = purpose { call.wantsRefresh = true } else { call.wantsPath = true }
        guard call.pathRefusals < Phone.pathTries else {
            guard call.wantsPath else { return }
            tell(.warning, "ice-restart-failed", "the peer refused the new path (\(status))", call: call.id, at: now)
            return
        }
        timers.set(.reoffer(call.id), at: now + .seconds(1))
    }
}
