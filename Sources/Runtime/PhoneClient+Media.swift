import Core
import Engine
import Glibc
import NIOCore
import SIP

extension PhoneClient {
    /// Binds the sockets of one call: RTP on an even port, RTCP on the next one.
    func openMedia(_ request: MediaRequest) {
        switch request.toward {
        case .local(let ip): loop.execute { self.assumeIsolated { $0.open(request, preferred: ip) } }
        case .more(let remote): loop.execute { self.assumeIsolated { $0.openMore(request, toward: remote) } }
        case .query(let query):
            addresses(of: query) { [weak self] result in
                self?.assumeIsolated { me in
                    let found: [IPAddress]
                    switch result {
                    case .success(let addresses): found = addresses
                    case .failure(let failure): return me.tell(.mediaFailed(request.id, message: failure.text, unresolved: true))
                    }
                    guard let remote = found.first else {
                        return me.tell(.mediaFailed(request.id, message: "no address for \(query.host)", unresolved: true))
                    }
                    guard let local = found.lazy.compactMap({ me.localAddress(toward: $0) }).first else {
                        me.tell(.mediaFailed(request.id, message: "no route to \(remote)", unresolved: true))
                        return
                    }
                    me.open(request, preferred: local)
                }
            }
        }
    }

    private func open(_ request: MediaRequest, preferred: IPAddress) {
        var addresses = [preferred]
        if request.allAddresses {
            let candidates = usableAddresses(withLoopback: preferred.isLoopback)
            // IPv6 loopback beside an IPv4 one leads nowhere that IPv4 does not.
            for ip in candidates where !addresses.contains(ip) && addresses.count < 8 && !(ip.isLoopback && preferred.isLoopback) {
                addresses.append(ip)
            }
        }
        media[request.id] = [:]
        let sockets = bind(request, on: addresses)
        guard sockets.contains(where: { $0.component == 1 }) else {
            media[request.id] = nil
            tell(.mediaFailed(request.id, message: "no UDP port is free on \(preferred)", unresolved: false))
            return
        }
        tell(.mediaOpened(request.id, sockets))
    }

    /// Bounded by the hosts that `--listen` names.
    private func usableAddresses(withLoopback: Bool) -> [IPAddress] {
        let (usable, loopback) = Sockets.interfaceAddresses()
        let named = listeners.map(\.address.ip)
        if named.isEmpty || named.contains(where: \.isUnspecified) { return usable + (withLoopback || usable.isEmpty ? loopback : []) }
        return named.filter { usable.contains($0) || loopback.contains($0) }
    }

    /// Sockets on addresses that the call has none on: all, or the one that leads to the peer.
    private func openMore(_ request: MediaRequest, toward remote: IPAddress?) {
        guard let held = media[request.id].map({ Set($0.keys.map(\.ip)) }) else { return }
        let route = remote.flatMap { $0.isUnspecified ? nil : Sockets.route(to: $0) }
        var addresses = usableAddresses(withLoopback: false).filter { !$0.isLoopback && !held.contains($0) }
        if let route, let index = addresses.firstIndex(of: route) { addresses.swapAt(0, index) }
        let wanted = request.allAddresses ? max(0, 8 - held.count) : 1
        tell(.mediaAdded(request.id, bind(request, on: Array(addresses.prefix(wanted)))))
    }

    private func bind(_ request: MediaRequest, on addresses: [IPAddress]) -> [MediaSocket] {
        var sockets: [MediaSocket] = []
        for ip in addresses {
            for (component, address, channel) in bindGroup(ip, components: request.components, id: request.id) {
                sockets.append(MediaSocket(component: component, address: address))
                media[request.id]?[address] = channel
            }
        }
        return sockets
    }

    private func bindGroup(_ ip: IPAddress, components: Int, id: MediaSocketID) -> [(Int, Core.SocketAddress, MediaChannel)] {
        for _ in 0..<64 {
            let port = UInt16.random(in: 10_000..<30_000) * 2
            guard let rtp = try? Sockets.bindUDP(Core.SocketAddress(ip, port), errors: false) else { continue }
            var descriptors = [(1, rtp)]
            if components > 1 {
                guard let rtcp = try? Sockets.bindUDP(Core.SocketAddress(ip, port + 1), errors: false) else {
                    Glibc.close(rtp.descriptor)
                    continue
                }
                descriptors.append((2, rtcp))
            }
            return descriptors.compactMap { component, bound in
                let local = bound.address
                let channel = try? datagramChannel(descriptor: bound.descriptor, largest: 2048) { [weak self] envelope in
                    self?.assumeIsolated { $0.received(envelope, media: id, local: local) }
                } closed: { [weak self] in
                    self?.assumeIsolated { $0.lost(id, local) }
                }
                return channel.map { (component, local, MediaChannel(channel: $0, descriptor: bound.descriptor)) }
            }
        }
        return []
    }

    private func received(_ envelope: AddressedEnvelope<ByteBuffer>, media id: MediaSocketID, local: Core.SocketAddress) {
        guard let remote = Sockets.address(of: envelope.remoteAddress) else { return }
        let now = PhoneClient.now()
        envelope.data.withUnsafeReadableBytes { bytes in
            phone.receiveMedia(bytes.bytes, socket: id, local: local, from: remote, at: now)
        }
        drain(at: now)
    }

    func sendMedia(_ id: MediaSocketID, _ transmit: Transmit) {
        guard let socket = media[id]?[transmit.source] else { return }
        Sockets.send(transmit.payload, to: transmit.destination, descriptor: socket.descriptor)
    }

    /// A channel that was not closed by us: its address is gone.
    private func lost(_ id: MediaSocketID, _ local: Core.SocketAddress) {
        guard media[id]?.removeValue(forKey: local) != nil else { return }
        tell(.mediaClosed(id, local))
    }

    func closeMediaSocket(_ id: MediaSocketID, _ local: Core.SocketAddress) {
        media[id]?.removeValue(forKey: local)?.channel.close(promise: nil)
    }

    func closeMedia(_ id: MediaSocketID) {
        for socket in media.removeValue(forKey: id)?.values ?? [:].values { socket.channel.close(promise: nil) }
    }
}
