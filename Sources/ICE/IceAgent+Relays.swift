import Core

/// TURN servers: allocations, relayed candidates and what goes through them (RFC 8445 §5.1.1.1, RFC 8656).
extension IceAgent {
    /// One allocation of the agent.
    struct Relay {
        let component: Int
        let server: TurnServer
        /// The server's place in the list: sets the local preference.
        let order: Int
        /// The socket that speaks to the server; nil over a connection.
        let base: SocketAddress?
        let stream: IceStreamID?
        var allocation: TurnAllocation
        var framer = TurnStreamFramer()
        /// Its address is a candidate of ours.
        var isCandidate = false

        /// The base of the relayed candidate.
        var relayed: SocketAddress? { isCandidate && allocation.state == .allocated ? allocation.relayed : nil }
        var isPending: Bool { allocation.state == .new || allocation.state == .allocating }
        var isAlive: Bool { isPending || allocation.state == .allocated }
    }

    static let relayLimit = 16
    /// Addresses of one family from which the same server is asked: the default one and another.
    static let basesPerServer = 2

    // MARK: gathering

    /// Adds what is to be asked of TURN servers; an allocation that lives is not asked for again.
    mutating func queueRelays(_ servers: [TurnServer]) {
        for (order, server) in servers.prefix(Self.serverLimit).enumerated() {
            for component in 1...components {
                switch server.transport {
                case .udp:
                    for socket in sockets where socket.component == component && socket.base.ip.isV4 == server.address.ip.isV4 {
                        let alive = relays.filter { $0.server == server && $0.component == component && $0.isAlive }
                        guard alive.count < Self.basesPerServer, !alive.contains(where: { $0.base == socket.base }) else { continue }
                        addRelay(server, order, component, base: socket.base)
                    }
                case .tcp, .tls:
                    guard !relays.contains(where: { $0.server == server && $0.component == component && $0.isAlive }) else { continue }
                    addRelay(server, order, component, base: nil)
                }
            }
        }
    }

    private mutating func addRelay(_ server: TurnServer, _ order: Int, _ component: Int, base: SocketAddress?) {
        relays.removeAll { !$0.isAlive && $0.server == server && $0.component == component && $0.base == base }
        guard relays.count < Self.relayLimit else {
            counters.overflow &+= 1
            return
        }
        var stream: IceStreamID?
        if base == nil {
            stream = IceStreamID(raw: nextStream)
            nextStream &+= 1
        }
        relays.append(
            Relay(
                component: component, server: server, order: order, base: base, stream: stream,
                allocation: TurnAllocation(server: server, random: random)))
        gatherQueue.append(GatherTask(component: component, base: base, server: server.address, stream: stream, isRelay: true))
    }

    /// A task's turn: the first request over UDP, the connection otherwise.
    mutating func startRelay(_ task: GatherTask, at now: Instant) {
        guard
            let index = relays.firstIndex(where: {
                $0.base == task.base && $0.stream == task.stream && $0.server.address == task.server && $0.component == task.component
                    && $0.allocation.state == .new
            })
        else { return }
        if let stream = relays[index].stream {
            emit(.openStream(stream, relays[index].server))
        } else {
            relays[index].allocation.handle(.allocate, at: now)
            drainRelays(at: now)
        }
    }

    // MARK: the round

    var relayDeadline: Instant? { relays.reduce(nil) { earliest($0, $1.allocation.deadline) } }

    mutating func relaysTimedOut(at now: Instant) {
        guard let due = relayDeadline, due <= now else { return }
        for index in relays.indices { relays[index].allocation.handleTimeout(at: now) }
        drainRelays(at: now)
    }

    /// Carries out what the allocations say, until all are quiet.
    mutating func drainRelays(at now: Instant) {
        var isMoving = true
        while isMoving {
            isMoving = false
            for index in relays.indices {
                while index < relays.count, let output = relays[index].allocation.poll() {
                    isMoving = true
                    perform(output, index, at: now)
                }
            }
        }
    }

    private mutating func perform(_ output: TurnAllocation.Output, _ index: Int, at now: Instant) {
        let relay = relays[index]
        switch output {
        case .send(let bytes): send(bytes, by: relay)
        case .allocated(let relayed, let mapped): allocated(relayed, mapped, index, at: now)
        case .failed(let code, let message):
            if let stream = relay.stream, openStreams.remove(stream) != nil { emit(.closeStream(stream)) }
            reportFailure(of: relay, code, message)
            if relay.isCandidate, let relayed = relay.allocation.relayed { removeBase(relayed, at: now) }
            completeGatheringIfDone()
        case .peerRefused(_, let code, let message):
            // One address of a peer that is refused is no news while others are not.
            let kin = relays.filter { $0.server == relay.server }
            if !kin.contains(where: { $0.allocation.hasPermission || $0.allocation.isAskingPermission }) { reportFailure(of: relay, code, message) }
        }
    }

    /// Told once for each server, and only when nothing else came or may still come of it.
    private mutating func reportFailure(of relay: Relay, _ code: Int?, _ message: String) {
        let isRefusal = code == StunErrorCode.forbidden && relay.allocation.state == .allocated
        if !isRefusal, relay.allocation.relayed == nil, relays.contains(where: { $0.server == relay.server && $0.isAlive }) { return }
        report(relay.server.address, relay.server.transport, code, message)
    }

    /// A silence may last longer than the agent's patience; then it is a part of why there is no path.
    public mutating func reportSilentServers() {
        for relay in relays where relay.isPending { report(relay.server.address, relay.server.transport, nil, "has not answered") }
        for case let (_, transaction) in transactions.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            guard case .gather = transaction.purpose, !answeredServers.contains(transaction.destination) else { continue }
            report(transaction.destination, nil, nil, "has not answered")
        }
    }

    /// Once for each server.
    mutating func report(_ server: SocketAddress, _ transport: TurnServer.Transport?, _ code: Int?, _ message: String) {
        guard failedServers.insert(FailedServer(address: server, transport: transport)).inserted else { return }
        emit(.serverFailed(server: server, isTurn: transport != nil, code: code, message: message))
    }

    private mutating func send(_ bytes: [UInt8], by relay: Relay) {
        if let stream = relay.stream {
            if openStreams.contains(stream) { emit(.sendStream(stream, bytes)) }
        } else if let base = relay.base {
            emit(.transmit(Transmit(payload: bytes, source: base, destination: relay.server.address)))
        }
    }

    private mutating func allocated(_ relayed: SocketAddress, _ mapped: SocketAddress?, _ index: Int, at now: Instant) {
        let relay = relays[index]
        failedServers.remove(FailedServer(address: relay.server.address, transport: relay.server.transport))
        // An address that is ours already would lead packets astray.
        let isTaken = sockets.contains { $0.base == relayed } || localCandidates.contains { $0.base == relayed }
        if isTaken {
            relays[index].allocation.handle(.streamClosed(reason: "it gave an address twice"), at: now)
            return
        }
        relays[index].isCandidate = true
        if let mapped, let base = relay.base, configuration.policy == .all {
            addServerReflexive(mapped, base: base, server: relay.server.address.ip, component: relay.component)
        }
        let candidate = IceCandidate(
            foundation: foundation(.relayed, relayed.ip, relay.server.address.ip, relay.server.transport), component: relay.component,
            priority: IceCandidate.priority(.relayed, localPreference: relayPreference(relay), component: relay.component), address: relayed,
            kind: .relayed, relatedAddress: relatedAddress(mapped, relayed), base: relayed)
        localCandidates.append(candidate)
        emit(.localCandidate(candidate))
        formPairs()
        permitPeers(at: now)
        pump(at: now)
        completeGatheringIfDone()
    }

    /// raddr of a relayed candidate is the mapped address (RFC 8839 §5.1); with `relay` it would tell what is to stay private.
    private func relatedAddress(_ mapped: SocketAddress?, _ relayed: SocketAddress) -> SocketAddress {
        let hidden = SocketAddress(relayed.ip.isV4 ? .anyV4 : .anyV6, 0)
        return configuration.policy == .relay ? hidden : mapped ?? hidden
    }

    /// UDP to the server before TCP before TLS, an earlier server before a later one, and the socket's own order.
    private func relayPreference(_ relay: Relay) -> UInt16 {
        let penalty: UInt16 =
            switch relay.server.transport {
            case .udp: 0
            case .tcp: 64
            case .tls: 128
            }
        return localPreference(relay.base?.ip ?? relay.server.address.ip) &- penalty &- UInt16(truncatingIfNeeded: relay.order * 4)
    }

    // MARK: peers

    /// Asks for permission for every remote candidate that a relayed one is paired with.
    mutating func permitPeers(at now: Instant) {
        guard remoteCredentials != nil, !relays.isEmpty else { return }
        for index in relays.indices {
            guard let relayed = relays[index].relayed else { continue }
            for pair in checkList where pair.base == relayed { relays[index].allocation.handle(.permit(pair.remote.address.ip), at: now) }
        }
        drainRelays(at: now)
    }

    /// A pair in use gets a channel.
    mutating func useChannel(_ pair: IcePair, at now: Instant) {
        guard let index = relayIndex(pair.base) else { return }
        relays[index].allocation.handle(.bindChannel(pair.remote.address), at: now)
        drainRelays(at: now)
    }

    /// Before a restart: only the peer of the route in use stays permitted, the others must be asked for anew.
    mutating func forgetRelayedPeers(at now: Instant) {
        for index in relays.indices {
            guard let relayed = relays[index].relayed else { continue }
            let kept = formerRoutes.values.filter { $0.base == relayed }.map(\.remote.ip)
            relays[index].allocation.handle(.forgetPeers(except: Set(kept)), at: now)
        }
    }

    // MARK: the end

    /// Gives allocations back; those on `lost` sockets can only be forgotten.
    mutating func closeRelays(lost: Set<SocketAddress> = [], where isGone: (Relay) -> Bool, at now: Instant) {
        for index in relays.indices where isGone(relays[index]) {
            let relay = relays[index]
            if relay.base.map({ !lost.contains($0) }) ?? true { relays[index].allocation.handle(.close, at: now) }
            while case .send(let bytes)? = relays[index].allocation.poll() { send(bytes, by: relay) }
            if let stream = relay.stream { if openStreams.remove(stream) != nil || relay.isPending { emit(.closeStream(stream)) } }
        }
        relays.removeAll(where: isGone)
    }
}
