import Core

/// Connections of stream transports: opened when needed, used again, closed when idle (RFC 3261 §18, RFC 5923).
extension UserAgent {
    /// The connection to use, opened when there is none.
    mutating func connection(
        _ transport: SIPTransport, to remote: SocketAddress, from local: SocketAddress, name: SIPHost?, at now: Instant
    ) -> ConnectionID {
        let key = ConnectionKey(transport: transport, remote: remote)
        if let id = connectionsByRemote[key], connections[id] != nil { return id }
        let id = makeConnectionID()
        connections[id] = Connection(
            transport: transport, remote: remote, local: local, state: .connecting(waiting: [], queue: []), lastUsed: now)
        connectionsByRemote[key] = id
        // The port is the system's to choose: a listener's port cannot be the source as well.
        let from = local.ip.isUnspecified ? nil : SocketAddress(local.ip, 0)
        emit(.connect(id, transport, from: from, to: remote, serverName: (name ?? .ip(remote.ip)).description))
        return id
    }

    mutating func connected(_ id: ConnectionID, _ local: SocketAddress, _ remote: SocketAddress, at now: Instant) {
        guard var connection = connections[id], case .connecting(let waiting, let queue) = connection.state else { return }
        connection.local = local
        connection.state = .open(SIPStreamFramer())
        connection.lastUsed = now
        connections[id] = connection
        setTimer(.connection(id), now + configuration.connectionIdleLimit)
        var flow = connection.flow
        flow.connection = id
        for bytes in queue { write(bytes, flow, at: now) }
        for token in waiting {
            if case .connecting(id) = deliveries[token]?.state { launch(token, flow, at: now) }
        }
    }

    mutating func accepted(_ flow: SIPFlow, at now: Instant) {
        guard let id = flow.connection, connections[id] == nil else { return }
        guard connections.count < configuration.maximumConnections, case .running = phase else {
            strays.refusedConnections &+= 1
            return emit(.close(id))
        }
        connections[id] = Connection(
            transport: flow.transport, remote: flow.remote, local: flow.local, state: .open(SIPStreamFramer()), lastUsed: now)
        connectionsByRemote[ConnectionKey(transport: flow.transport, remote: flow.remote)] = id
        setTimer(.connection(id), now + configuration.connectionIdleLimit)
    }

    /// Refused, failed or closed: what waits or runs on it goes on elsewhere or fails.
    mutating func connectionLost(_ id: ConnectionID, _ reason: ConnectionFailure, at now: Instant) {
        guard let connection = removeConnection(id) else { return }
        let failure: RequestFailure =
            switch reason {
            case .refused: .unreachable("connection refused")
            case .timeout: .unreachable("connection timed out")
            case .tls(let text): .tls(text)
            case .other(let text): .unreachable(text)
            }
        if case .connecting(let waiting, _) = connection.state {
            for token in waiting { if case .connecting(id) = deliveries[token]?.state { tryNextTarget(token, failure, at: now) } }
        }
        let keys = clientTransactions.filter { $0.value.flow.connection == id }.map(\.key)
        for key in keys.sorted(by: { $0.branch < $1.branch }) {
            clientTransactions[key]?.handle(.transportFailed, at: now)
            drainClient(key, at: now)
        }
        for account in registrations.keys.sorted() {
            registrations[account]?.handle(.flowLost(id), at: now)
            drainRegistration(account, at: now)
        }
    }

    @discardableResult
    private mutating func removeConnection(_ id: ConnectionID) -> Connection? {
        guard let connection = connections.removeValue(forKey: id) else { return nil }
        let key = ConnectionKey(transport: connection.transport, remote: connection.remote)
        if connectionsByRemote[key] == id { connectionsByRemote[key] = nil }
        setTimer(.connection(id), nil)
        return connection
    }

    mutating func close(_ id: ConnectionID, at now: Instant) {
        emit(.close(id))
        connectionLost(id, .other("connection closed"), at: now)
    }

    /// Closes a connection that nothing uses for long.
    mutating func connectionIdle(_ id: ConnectionID, at now: Instant) {
        guard let connection = connections[id] else { return }
        let isUsed =
            sessions.values.contains { !$0.isOver && $0.flow?.connection == id } || registrations.values.contains { $0.uses(id) }
        let last = isUsed ? now : connection.lastUsed
        let due = last + configuration.connectionIdleLimit
        if due > now { setTimer(.connection(id), due) } else { close(id, at: now) }
    }

    mutating func stopWaiting(_ token: RequestToken, for id: ConnectionID) {
        guard case .connecting(let waiting, let queue) = connections[id]?.state else { return }
        connections[id]?.state = .connecting(waiting: waiting.filter { $0 != token }, queue: queue)
    }

    /// ICMP: the transactions to that address without any response fail at once (§18.4).
    mutating func unreachable(_ transport: SIPTransport, _ address: SocketAddress, at now: Instant) {
        let tokens = clientTransactions.filter { $0.value.flow.transport == transport && $0.value.flow.remote == address }
        for key in tokens.keys.sorted(by: { $0.branch < $1.branch }) {
            // A CANCEL has no owner; its INVITE decides. One that rings already is not lost by a stray ICMP message.
            guard let token = clientTransactions[key]?.token, case .sent(key, let progress) = deliveries[token]?.state else { continue }
            switch progress {
            case .calling, .cancelPending: break
            case .proceeding, .cancelled, .answered: continue
            }
            clientTransactions[key]?.handle(.transportFailed, at: now)
            drainClient(key, at: now)
        }
    }

    // MARK: Writing

    mutating func write(_ bytes: [UInt8], _ flow: SIPFlow, at now: Instant) {
        if let id = flow.connection {
            switch connections[id]?.state {
            case .open: connections[id]?.lastUsed = now
            case .connecting(let waiting, var queue):
                guard queue.count < 64 else { return }
                queue.append(bytes)
                connections[id]?.state = .connecting(waiting: waiting, queue: queue)
                return
            case nil: return
            }
        }
        emit(.trace(SIPTrace(direction: .sent, flow: flow, bytes: bytes)))
        emit(.transmit(SIPTransmit(flow: flow, bytes: bytes)))
    }
}
