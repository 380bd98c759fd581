import Core
import ICE
import SDP

/// Addresses that go and come in mid-call.
extension MediaSession {
    /// Forgets the sockets that are gone and every route over them.
    ///
    /// - Returns: the addresses that were lost.
    func lose(at now: Instant, where isGone: (SocketAddress) -> Bool) -> [SocketAddress] {
        let lost = sockets.map(\.address).filter(isGone)
        guard !lost.isEmpty else { return [] }
        sockets.removeAll { lost.contains($0.address) }
        for transport in transports.values {
            if let route = transport.route, lost.contains(route.base) { transport.setRoute(nil) }
        }
        for address in lost { ice?.handle(.removeBase(address), at: now) }
        // What went through a relay that was reached from there is lost with it.
        if let ice {
            for transport in transports.values {
                if let route = transport.route, !ice.localCandidates.contains(where: { $0.base == route.base }) { transport.setRoute(nil) }
            }
        }
        applyControls()
        pump(at: now)
        return lost
    }

    /// Sockets on new addresses, which ICE asks about itself.
    func add(_ opened: [MediaSocket], at now: Instant) {
        let room = opened.filter { new in !sockets.contains { $0.address == new.address } }
        sockets += room
        guard var agent = ice, !room.isEmpty else { return }
        for socket in room where socket.component <= agent.components {
            agent.handle(.addHost(component: socket.component, base: socket.address), at: now)
        }
        gather(&agent, at: now)
        ice = agent
        pump(at: now)
    }

    /// Every component that has been agreed on has a route.
    var hasRoutes: Bool { !transports.isEmpty && transports.values.allSatisfy { $0.route != nil } }

    /// Before a new offer: new credentials of ICE, or the new default address.
    func renewPath(at now: Instant) {
        if ice != nil {
            ice?.handle(.restart(newControlling: nil), at: now)
        } else {
            let remotes = [1: negotiated?.remoteAddress, 2: negotiated?.remoteRTCPAddress]
            for (component, transport) in transports where transport.route == nil {
                guard let base = base(component: component), let remote = remotes[component] ?? nil else { continue }
                transport.setRoute(MediaTransport.Route(base: base, remote: remote))
            }
            applyControls()
        }
        pump(at: now)
    }
}
