import Core
import Engine
import SIP

extension Node {
    func openMedia(_ request: MediaRequest) {
        var preferred: IPAddress?
        switch request.toward {
        case .local(let ip): preferred = addresses.contains(ip) ? ip : nil
        case .more(let remote):
            simulation.schedule(after: options.worldDelay) { [weak self] in self?.openMore(request, toward: remote) }
            return
        case .query(let query): preferred = lookUp(query.host).lazy.compactMap(localAddress(toward:)).first
        }
        simulation.schedule(after: options.worldDelay) { [weak self] in
            guard let self else { return }
            guard let preferred else {
                tell(.mediaFailed(request.id, message: "no address", unresolved: true))
                return
            }
            tell(.mediaOpened(request.id, bind(request, preferred: preferred)))
        }
    }

    private func openMore(_ request: MediaRequest, toward remote: IPAddress?) {
        guard media[request.id] != nil else { return }
        let held = Set(media[request.id, default: []].map(\.ip))
        let free = addresses.filter { !held.contains($0) }
        tell(.mediaAdded(request.id, bind(request, on: request.allAddresses ? free : Array(free.prefix(1)))))
    }

    private func bind(_ request: MediaRequest, preferred: IPAddress) -> [MediaSocket] {
        bind(request, on: request.allAddresses ? [preferred] + addresses.filter { $0 != preferred } : [preferred])
    }

    private func bind(_ request: MediaRequest, on ips: [IPAddress]) -> [MediaSocket] {
        var opened: [MediaSocket] = []
        for ip in ips {
            nextPort &+= 2
            for component in 1...max(1, min(2, request.components)) {
                let address = SocketAddress(ip, nextPort &+ UInt16(component - 1))
                opened.append(MediaSocket(component: component, address: address))
                sockets[address] = request.id
                media[request.id, default: []].insert(address)
            }
        }
        return opened
    }

    func sendMedia(_ id: MediaSocketID, _ transmit: Transmit) {
        guard media[id]?.contains(transmit.source) == true else {
            faults.append("\(simulation.now): sends media from \(transmit.source), which is not open")
            return
        }
        simulation.send(Datagram(source: transmit.source, destination: transmit.destination, payload: transmit.payload))
    }

    func openStream(_ id: MediaStreamID, to: SocketAddress) {
        guard let local = localAddress(toward: to.ip) else {
            simulation.schedule(after: options.worldDelay) { [weak self] in self?.tell(.streamClosed(id, reason: "no route")) }
            return
        }
        nextPort &+= 2
        let from = SocketAddress(local, nextPort)
        simulation.connect(from: from, to: to) { [weak self] end in
            guard let self else { return }
            guard let end else {
                tell(.streamClosed(id, reason: "connection refused"))
                return
            }
            mediaStreams[id] = end
            end.onBytes = { [weak self] bytes in self?.receiveStream(bytes, id) }
            end.onClose = { [weak self] in
                guard let self, mediaStreams.removeValue(forKey: id) != nil else { return }
                tell(.streamClosed(id, reason: "closed by the server"))
            }
            tell(.streamOpened(id, local: from))
        }
    }

    func closeMedia(_ id: MediaSocketID) {
        for address in media.removeValue(forKey: id) ?? [] { sockets.removeValue(forKey: address) }
    }

    /// The addresses of the open media sockets, in order of their ports.
    public var mediaAddresses: [SocketAddress] { sockets.keys.sorted { ($0.ip.description, $0.port) < ($1.ip.description, $1.port) } }

    func closeMediaSocket(_ id: MediaSocketID, _ address: SocketAddress) {
        media[id]?.remove(address)
        sockets.removeValue(forKey: address)
    }

    /// The media sockets on an address are closed by the system; the address stays.
    public func lose(_ ip: IPAddress) {
        for (address, id) in sockets.sorted(by: { $0.key.port < $1.key.port }) where address.ip == ip {
            sockets.removeValue(forKey: address)
            media[id]?.remove(address)
            tell(.mediaClosed(id, address))
        }
    }

    /// The machine's addresses change: those that went are nobody's from now on, and the phone is told as by the kernel.
    public func move(to new: [String]) {
        let ips = new.compactMap { IPAddress($0) }
        simulation.readdress(self, from: addresses, to: ips)
        formerAddresses.formUnion(addresses)
        addresses = ips
        tell(.addressesChanged(ips))
    }
}
