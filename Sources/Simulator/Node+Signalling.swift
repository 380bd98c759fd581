import Core
import Engine
import SIP

extension Node {
    /// The local address toward `ip`: the first of its family.
    func localAddress(toward ip: IPAddress) -> IPAddress? {
        if addresses.contains(ip) { return ip }
        return addresses.first { $0.isV4 == ip.isV4 }
    }

    func lookUp(_ host: SIPHost) -> [IPAddress] {
        switch host {
        case .ip(let ip): [ip]
        case .name(let name): zone[name.lowercased()] ?? []
        }
    }

    func resolve(_ id: ResolutionID, _ query: ResolutionQuery) {
        if case .name(let name) = query.host { namesLookedUp.append(name) }
        let transport = query.transport ?? (query.secure ? .tls : .udp)
        let port = query.port ?? transport.defaultPort
        let addresses = lookUp(query.host)
        let targets = addresses.compactMap { ip in
            localAddress(toward: ip).map {
                ResolvedTarget(
                    transport: transport, address: SocketAddress(ip, port),
                    local: SocketAddress($0, transport == .udp ? options.signallingPort : 0))
            }
        }
        simulation.schedule(after: options.worldDelay) { [weak self] in
            guard let self else { return }
            if targets.isEmpty {
                tell(.signalling(.resolutionFailed(id, "no address for \(query.host)")))
            } else {
                tell(.signalling(.resolved(id, targets)))
            }
        }
    }

    func sendSignalling(_ transmit: SIPTransmit) {
        if let id = transmit.flow.connection {
            if let stream = streams[id] { stream.send(transmit.bytes) } else { faults.append("sends on connection \(id.raw), which is closed") }
            return
        }
        if formerAddresses.contains(transmit.flow.local.ip), !addresses.contains(transmit.flow.local.ip) { return simulation.countUndelivered() }
        guard addresses.contains(transmit.flow.local.ip), transmit.flow.local.port == options.signallingPort else {
            faults.append("sends SIP from \(transmit.flow.local), which is not its own")
            return
        }
        if tellsUnreachable, simulation.isUnknown(transmit.flow.remote.ip) {
            let remote = transmit.flow.remote
            simulation.schedule(after: options.worldDelay) { [weak self] in self?.tell(.signalling(.unreachable(.udp, remote))) }
            return
        }
        simulation.send(Datagram(source: transmit.flow.local, destination: transmit.flow.remote, payload: transmit.bytes))
    }

    // MARK: streams

    func connect(_ id: ConnectionID, _ transport: SIPTransport, from: SocketAddress?, to: SocketAddress) {
        guard transport == .tcp, let local = localAddress(toward: to.ip) else {
            simulation.schedule(after: options.worldDelay) { [weak self] in
                self?.tell(.signalling(.connectionFailed(id, reason: .other("not simulated"))))
            }
            return
        }
        nextPort &+= 2
        let source = SocketAddress(from?.ip ?? local, 50_000 &+ nextPort % 10_000)
        simulation.connect(from: source, to: to) { [weak self] end in
            guard let self else { return }
            guard let end else {
                tell(.signalling(.connectionFailed(id, reason: .refused)))
                return
            }
            adopt(end, SIPFlow(transport: .tcp, local: source, remote: to, connection: id))
            tell(.signalling(.connected(id, local: source, remote: to)))
        }
    }

    public func accept(_ end: StreamEnd, local: SocketAddress, remote: SocketAddress) -> Bool {
        guard options.listensTCP, local.port == options.signallingPort else { return false }
        let id = ConnectionID(raw: nextAccepted)
        nextAccepted &+= 2
        let flow = SIPFlow(transport: .tcp, local: local, remote: remote, connection: id)
        adopt(end, flow)
        tell(.signalling(.accepted(flow)))
        return true
    }

    private func adopt(_ end: StreamEnd, _ flow: SIPFlow) {
        guard let id = flow.connection else { return }
        streams[id] = end
        end.onBytes = { [weak self] bytes in
            guard let self else { return }
            phone.receiveSignallingStream(bytes, flow: flow, at: simulation.now)
            drain()
        }
        end.onClose = { [weak self] in
            guard let self, streams.removeValue(forKey: id) != nil else { return }
            tell(.signalling(.closed(id)))
        }
    }

    /// All connections break, as when the network goes away.
    public func breakStreams() {
        for (id, stream) in streams.sorted(by: { $0.key.raw < $1.key.raw }) {
            stream.close()
            streams.removeValue(forKey: id)
            tell(.signalling(.closed(id)))
        }
    }
}
