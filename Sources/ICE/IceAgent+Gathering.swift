import Core

/// Gathering candidates (RFC 8445 §5.1).
extension IceAgent {
    mutating func addHost(component: Int, base: SocketAddress, at now: Instant) {
        guard (1...components).contains(component), base.port != 0, !base.ip.isUnspecified, !base.ip.isMulticast else { return }
        guard hosts.count < Self.baseLimit, !hosts.contains(where: { $0.base == base }) else { return }
        if !hostAddresses.contains(base.ip) { hostAddresses.append(base.ip) }
        let candidate = IceCandidate(
            foundation: foundation(.host, base.ip), component: component, priority: localPriority(.host, base.ip, component), address: base,
            kind: .host)
        localCandidates.append(candidate)
        emit(.localCandidate(candidate))
        formPairs()
        pump(at: now)
    }

    /// The candidates that checks are sent from.
    var hosts: [IceCandidate] { localCandidates.filter { $0.kind == .host } }

    /// Asks a server only from bases of its own family.
    mutating func gather(_ servers: [SocketAddress], at now: Instant) {
        for server in servers.prefix(Self.serverLimit) {
            for host in hosts where host.base.ip.isV4 == server.ip.isV4 {
                gatherQueue.append(GatherTask(component: host.component, base: host.base, server: server))
            }
        }
        gatheringState = .gathering
        if timers.deadline(of: .gatherPace) == nil { pumpGathering(at: now) }
    }

    /// One server transaction each Ta (§14.2), the first at once.
    mutating func pumpGathering(at now: Instant) {
        if !gatherQueue.isEmpty {
            let task = gatherQueue.removeFirst()
            begin(.gather(component: task.component), from: task.base, to: task.server, at: now)
            if !gatherQueue.isEmpty { timers.set(.gatherPace, at: now + configuration.ta) }
        }
        completeGatheringIfDone()
    }

    /// A server's answer or its silence.
    mutating func gathered(_ mapped: SocketAddress?, by transaction: IceTransaction, component: Int, at now: Instant) {
        if let mapped {
            timers.set(.refresh(base: transaction.source, server: transaction.destination), at: now + .seconds(15))
            addServerReflexive(mapped, base: transaction.source, server: transaction.destination.ip, component: component)
        }
        completeGatheringIfDone()
    }

    private mutating func addServerReflexive(_ mapped: SocketAddress, base: SocketAddress, server: IPAddress, component: Int) {
        // The same address as the base, or as another server saw, is redundant (§5.1.3).
        guard mapped.ip.isV4 == base.ip.isV4, mapped.port != 0, hosts.contains(where: { $0.base == base }) else { return }
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
        guard !isAsking else { return }
        gatheringState = .complete
        emit(.gatheringComplete)
    }

    /// A NAT forgets a mapping that is not used: ask again until checks keep it alive (§5.1.1.4).
    mutating func refresh(base: SocketAddress, server: SocketAddress, at now: Instant) {
        switch state {
        case .new, .checking: break
        case .connected, .completed, .disconnected, .failed, .closed: return
        }
        guard hosts.contains(where: { $0.base == base }) else { return }
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

    /// Candidates of one kind, base address and server share a foundation (§5.1.1.3).
    mutating func foundation(_ kind: IceCandidateKind, _ base: IPAddress, _ server: IPAddress? = nil) -> String {
        let key = "\(kind.rawValue) \(base) \(server?.description ?? "")"
        if let known = foundations[key] { return known }
        let fresh = String(foundations.count + 1)
        foundations[key] = fresh
        return fresh
    }

    func localPriority(_ kind: IceCandidateKind, _ base: IPAddress, _ component: Int) -> UInt32 {
        IceCandidate.priority(kind, localPreference: localPreference(base), component: component)
    }

    /// In the driver's order within a family; families alternate and IPv6 is a step above IPv4 (RFC 8421 §4).
    private func localPreference(_ address: IPAddress) -> UInt16 {
        let family = hostAddresses.filter { $0.isV4 == address.isV4 }
        let order = family.firstIndex(of: address) ?? family.count
        return UInt16(clamping: 65535 - 512 * order - (address.isV4 ? 256 : 0))
    }
}
