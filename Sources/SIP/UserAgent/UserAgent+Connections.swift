import Core

/// The other end of a flow.
struct Remote: Hashable {
    let transport: SIPTransport
    let address: SocketAddress

    init(_ flow: SIPFlow) {
        transport = flow.transport
        address = flow.remote
    }
}

/// Connections of stream transports: opened when needed, used again, closed when idle (RFC 3261 §18, RFC 5923).
extension UserAgent {
    /// How many verified names are remembered.
    static let maximumServerNames = 256

    /// The connection to use, opened when there is none.
    mutating func connection(
        _ transport: SIPTransport, to remote: SocketAddress, from local: SocketAddress, name: SIPHost?, at now: Instant
    ) -> ConnectionID {
        open(transport, to: remote, from: local, serverName: (name ?? .ip(remote.ip)).description, at: now)
    }

    private mutating func open(
        _ transport: SIPTransport, to remote: SocketAddress, from local: SocketAddress, serverName: String, at now: Instant
    ) -> ConnectionID {
        let key = ConnectionKey(transport: transport, remote: remote, serverName: serverName)
        if let id = connectionsByRemote[key], connections[id] != nil { return id }
        let id = makeConnectionID()
        connections[id] = Connection(
            transport: transport, remote: remote, serverName: serverName, guestURI: nil, local: local, state: .connecting(waiting: [], queue: []),
            lastUsed: now)
        connectionsByRemote[key] = id
        // The port is the system's to choose: a listener's port cannot be the source as well.
        let from = local.ip.isUnspecified ? nil : SocketAddress(local.ip, 0)
        emit(.connect(id, transport, from: from, to: remote, serverName: serverName))
        return id
    }

    /// The connection of a flow, or another one to the same server under the name that was verified then.
    mutating func connection(again flow: SIPFlow, name: SIPHost?, at now: Instant) -> ConnectionID {
        if let id = flow.connection, connections[id] != nil { return id }
        let known = serverNames[Remote(flow)] ?? (name ?? .ip(flow.remote.ip)).description
        return open(flow.transport, to: flow.remote, from: flow.local, serverName: known, at: now)
    }

    /// Who stands at the other end, as TLS verified it; nil when nobody was verified.
    func verifiedName(_ flow: SIPFlow) -> String? {
        guard flow.transport.isSecure else { return nil }
        if let id = flow.connection, let connection = connections[id] { return connection.serverName }
        return serverNames[Remote(flow)]
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
        if let name = connection.serverName {
            if serverNames.count >= UserAgent.maximumServerNames { serverNames.removeAll() }
            serverNames[Remote(flow)] = name
        }
        for bytes in queue { write(bytes, flow, at: now) }
        for token in waiting {
            if case .connecting(id) = deliveries[token]?.state { launch(token, flow, at: now) }
        }
    }

    mutating func accepted(_ flow: SIPFlow, guest: SIPURI?, at now: Instant) {
        guard let id = flow.connection, connections[id] == nil else { return }
        guard case .running = phase, makeRoom(for: flow.remote.ip, at: now) else {
            strays.refusedConnections &+= 1
            return emit(.close(id))
        }
        let connection = Connection(
            transport: flow.transport, remote: flow.remote, serverName: nil, guestURI: guest, local: flow.local, state: .open(SIPStreamFramer()),
            lastUsed: now)
        connections[id] = connection
        connectionsByRemote[connection.key] = id
        setTimer(.connection(id), now + min(configuration.firstMessageLimit, configuration.connectionIdleLimit))
    }

    /// The oldest connection without a call makes room: of the same address when that has its share, else of the address with most.
    private mutating func makeRoom(for source: IPAddress, at now: Instant) -> Bool {
        var accepted: [IPAddress: [ConnectionID]] = [:]
        for (id, connection) in connections where connection.serverName == nil { accepted[connection.remote.ip, default: []].append(id) }
        let own = accepted[source]?.count ?? 0
        if own >= configuration.maximumConnectionsPerSource { return evict(accepted[source] ?? [], at: now) }
        guard connections.count >= configuration.maximumConnections else { return true }
        guard let most = accepted.max(by: { ($0.value.count, $1.key.description) < ($1.value.count, $0.key.description) }), most.value.count > own + 1
        else { return false }
        return evict(most.value, at: now)
    }

    private mutating func evict(_ candidates: [ConnectionID], at now: Instant) -> Bool {
        let free = candidates.filter { !isUsed($0) }
        guard let oldest = free.min(by: { (age($0), $0.raw) < (age($1), $1.raw) }) else { return false }
        strays.refusedConnections &+= 1
        close(oldest, at: now)
        return true
    }

    private func age(_ id: ConnectionID) -> Instant { connections[id]?.lastUsed ?? .zero }

    /// A call or a registration needs it.
    private func isUsed(_ id: ConnectionID) -> Bool {
        sessions.values.contains { !$0.isOver && $0.flow?.connection == id } || registrations.values.contains { $0.uses(id) }
    }

    /// The first whole message: from now on the connection may be idle for long.
    mutating func noteSpoken(_ id: ConnectionID, at now: Instant) {
        guard connections[id]?.hasSpoken == false else { return }
        connections[id]?.hasSpoken = true
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
        var registering = Set<String>()
        for account in registrations.keys.sorted() {
            if registrations[account]?.uses(id) == true { registering.insert(account) }
            registrations[account]?.handle(.flowLost(id), at: now)
            drainRegistration(account, at: now)
        }
        if connection.guestURI != nil { endGuests(of: id, at: now) }
        // Who connected to us knows where to find us.
        guard id.isOutgoing else { return }
        for session in sessions.keys.sorted(by: { $0.raw < $1.raw }) {
            let isRegistering = sessions[session]?.account.map { registering.contains($0) } ?? false
            sessions[session]?.handle(.flowLost(id, isRegistering: isRegistering), at: now)
            drainSession(session, at: now)
        }
    }

    @discardableResult
    private mutating func removeConnection(_ id: ConnectionID) -> Connection? {
        guard let connection = connections.removeValue(forKey: id) else { return nil }
        if connectionsByRemote[connection.key] == id { connectionsByRemote[connection.key] = nil }
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
        if connection.serverName == nil, !connection.hasSpoken, !isUsed(id) { return close(id, at: now) }
        let last = isUsed(id) ? now : connection.lastUsed
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
