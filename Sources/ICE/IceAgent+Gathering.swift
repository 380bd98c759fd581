import Core

/// Gathering candidates (RFC 8445 §5.1).
extension IceAgent {
    mutating func addHost(component: Int, base: SocketAddress, at now: Instant) {
        guard (1...components).contains(component), base.port != 0, !base.ip.isUnspecified, !base.ip.isMulticast else { return }
        guard sockets.count < Self.baseLimit, !sockets.contains(where: { $0.base == base }) else { return }
        sockets.append(Socket(component: component, base: base))
        if !hostAddresses.contains(base.ip) { hostAddresses.append(base.ip) }
        // Nobody but TURN servers is to learn of it.
        guard configuration.policy == .all else { return }
        let candidate = IceCandidate(
            foundation: foundation(.host, base.ip), component: component, priority: localPriority(.host, base.ip, component), address: base,
            kind: .host)
        localCandidates.append(candidate)
        emit(.localCandidate(candidate))
        formPairs()
        pump(at: now)
    }

    /// The candidates that checks are sent from: each is its own base.
    var checkBases: [IceCandidate] { localCandidates.filter { $0.kind == .host || $0.kind == .relayed } }

    /// 1 or 2 for a base of ours that checks are sent from and answered on.
    public func component(ofBase base: SocketAddress) -> Int? {
        localCandidates.first { $0.base == base && ($0.kind == .host || $0.kind == .relayed) }?.component
    }

    /// Asks a server only from bases of its own family. A TURN server tells the reflexive address as well.
    mutating func gather(_ stunServers: [SocketAddress], _ turnServers: [TurnServer], at now: Instant) {
        queueRelays(turnServers)
        let asked = gatherQueue
        for server in stunServers.prefix(Self.serverLimit) where configuration.policy == .all {
            for socket in sockets where socket.base.ip.isV4 == server.ip.isV4 {
                if asked.contains(where: { $0.base == socket.base && $0.server == server }) { continue }
                gatherQueue.append(GatherTask(component: socket.component, base: socket.base, server: server))
            }
        }
        gatheringState = .gathering
        if timers.deadline(of: .gatherPace) == nil { pumpGathering(at: now) }
    }

    /// One server transaction each Ta (§14.2), the first at once.
    mutating func pumpGathering(at now: Instant) {
        if !gatherQueue.isEmpty {
            let task = gatherQueue.removeFirst()
            if task.isRelay {
                startRelay(task, at: now)
            } else if let base = task.base {
                begin(.gather(component: task.component), from: base, to: task.server, at: now)
            }
            if !gatherQueue.isEmpty { timers.set(.gatherPace, at: now + configuration.ta) }
        }
        completeGatheringIfDone()
    }

    /// A server's answer or its silence.
    mutating func gathered(_ mapped: SocketAddress?, by transaction: IceTransaction, component: Int, code: Int? = nil, at now: Instant) {
        let server = transaction.destination
        if mapped == nil {
            // Told when no socket got an answer.
            let isOpen =
                gatherQueue.contains { !$0.isRelay && $0.server == server }
                || transactions.values.contains { if case .gather = $0.purpose { $0.destination == server } else { false } }
            if !isOpen, !answeredServers.contains(server) {
                report(server, nil, code, code.map { "refuses (\($0))" } ?? "does not answer")
            }
        }
        if let mapped {
            answeredServers.insert(server)
            timers.set(.refresh(base: transaction.source, server: transaction.destination), at: now + .seconds(15))
            addServerReflexive(mapped, base: transaction.source, server: transaction.destination.ip, component: component)
        }
        completeGatheringIfDone()
    }

    mutating func addServerReflexive(_ mapped: SocketAddress, base: SocketAddress, server: IPAddress, component: Int) {
        // The same address as the base, or as another server saw, is redundant (§5.1.3).
        guard mapped.ip.isV4 == base.ip.isV4, mapped.port != 0, sockets.contains(where: { $0.base == base }) else { return }
        guard !localCandidates.contains(where: { $0.component == component && $0.address == mapped && $0.base == base }) else { return }
        let candidate = IceCandidate(
            foundation: foundation(.serverReflexive, base.ip, server), component: component,
            priority: localPriority(.serverReflexive, base.ip, component), address: mapped, kind: .serverReflexive, relatedAddress: base, base: base)
        localCandidates.append(candidate)
        emit(.localCandidate(candidate))
    }

    mutating func completeGatheringIfDone() {
        guard gatheringState == .gathering, gatherQueue.isEmpty else { return }
        let isAsking = transactions.values.contains { if case .gather = $0.purpose { true } else { false } }
        guard !isAsking, !relays.contains(where: \.isPending) else { return }
        gatheringState = .complete
        emit(.gatheringComplete)
    }

    /// A NAT forgets a mapping that is not used: ask again until checks keep it alive (§5.1.1.4).
    mutating func refresh(base: SocketAddress, server: SocketAddress, at now: Instant) {
        switch state {
        case .new, .checking: break
        case .connected, .completed, .disconnected, .failed, .closed: return
        }
        guard sockets.contains(where: { $0.base == base }) else { return }
        begin(.refresh, from: base, to: server, at: now)
        timers.set(.refresh(base: base, server: server), at: now + .seconds(15))
    }

    private mutating func begin(_ purpose: IceTransaction.Purpose, from base: SocketAddress, to server: SocketAddress, at now: Instant) {
        let id = StunTransactionID(random: random)
        let payload = StunBuilder(.request, id: id).finish()
        let tries = purpose == .refresh ? 1 : 7
        start(
            id,
            IceTransaction(
                purpose: purpose, source: base, destination: server, payload: payload, key: nil, role: role, priority: 0, rto: .milliseconds(500),
                tries: tries, firstSent: now), at: now)
    }

    /// Candidates of one kind, base address, server and way to the server share a foundation (§5.1.1.3).
    mutating func foundation(
        _ kind: IceCandidateKind, _ base: IPAddress, _ server: IPAddress? = nil, _ transport: TurnServer.Transport = .udp
    ) -> String {
        let key = "\(kind.rawValue) \(base) \(server?.description ?? "") \(transport.rawValue)"
        if let known = foundations[key] { return known }
        let fresh = String(foundations.count + 1)
        foundations[key] = fresh
        return fresh
    }

    func localPriority(_ kind: IceCandidateKind, _ base: IPAddress, _ component: Int) -> UInt32 {
        IceCandidate.priority(kind, localPreference: localPreference(base), component: component)
    }

    /// In the driver's order within a family; families alternate and IPv6 is a step above IPv4 (RFC 8421 §4).
    func localPreference(_ address: IPAddress) -> UInt16 {
        let family = hostAddresses.filter { $0.isV4 == address.isV4 }
        let order = family.firstIndex(of: address) ?? family.count
        return UInt16(clamping: 65535 - 512 * order - (address.isV4 ? 256 : 0))
    }
}
