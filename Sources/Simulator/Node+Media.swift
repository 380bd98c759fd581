import Core
import Engine
import SIP

extension Node {
    func openMedia(_ request: MediaRequest) {
        var preferred: IPAddress?
        switch request.toward {
        case .local(let ip): preferred = addresses.contains(ip) ? ip : nil
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

    private func bind(_ request: MediaRequest, preferred: IPAddress) -> [MediaSocket] {
        let ips = request.allAddresses ? [preferred] + addresses.filter { $0 != preferred } : [preferred]
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

    func closeMedia(_ id: MediaSocketID) {
        for address in media.removeValue(forKey: id) ?? [] { sockets.removeValue(forKey: address) }
    }

    /// The addresses of the open media sockets, in order of their ports.
    public var mediaAddresses: [SocketAddress] { sockets.keys.sorted { ($0.ip.description, $0.port) < ($1.ip.description, $1.port) } }

    /// An address goes away, with all sockets on it.
    public func lose(_ ip: IPAddress) {
        for (address, id) in sockets.sorted(by: { $0.key.port < $1.key.port }) where address.ip == ip {
            sockets.removeValue(forKey: address)
            media[id]?.remove(address)
            tell(.mediaClosed(id, address))
        }
    }
}
