import Core

/// The peer's description, restarts, roles and the agent's state (RFC 8445 §6.1.3, §8.1.2, §9).
extension IceAgent {
    mutating func setRemote(_ credentials: IceCredentials, candidates: [IceCandidate], isLite: Bool, at now: Instant) {
        if credentials != remoteCredentials {
            // Several forks may have sent checks: only the described one stays known. After a restart the former peer does.
            if remoteCredentials == nil, formerRoutes.isEmpty { knownSources = [] }
            resetChecks()
            remoteCandidates = []
            hasAllRemoteCandidates = false
            remoteCredentials = credentials
            // The first check to a new peer goes at once: every millisecond here is one before the first sound.
            nextCheckAt = now
            timers.set(.timeout, at: now + configuration.timeout)
            enter(.checking)
        }
        isRemoteLite = isLite
        // A lite peer sends no checks and cannot control (§6.1.1).
        if isLite { setRole(.controlling, isConflict: true, at: now) }
        for candidate in candidates { addRemote(candidate) }
        formPairs()
        permitPeers(at: now)
        processEarlyChecks(at: now)
        pump(at: now)
    }

    mutating func setComponents(_ count: Int, at now: Instant) {
        let last = min(2, max(1, count))
        components = last
        sockets.removeAll { $0.component > last }
        closeRelays(where: { $0.component > last }, at: now)
        dropBases { $0.component > last }
        earlyChecks.removeAll { $0.component > last }
        remoteCandidates.removeAll { $0.component > last }
        formerRoutes = formerRoutes.filter { $0.key <= last }
        if last == 1 { cancelTimers(of: 2) }
        updateState()
        pump(at: now)
    }

    mutating func removeBase(_ base: SocketAddress, at now: Instant) {
        sockets.removeAll { $0.base == base }
        let relayed = Set(relays.filter { $0.base == base }.compactMap(\.relayed))
        closeRelays(lost: [base], where: { $0.base == base }, at: now)
        dropBases { $0.base == base || relayed.contains($0.base) }
        earlyChecks.removeAll { $0.base == base }
        formerRoutes = formerRoutes.filter { $0.value.base != base && !relayed.contains($0.value.base) }
        for component in 1...components where timers.deadline(of: .consent(component: component)) != nil {
            if routePair(component) == nil {
                cancelTimers(of: component)
                timers.set(.timeout, at: now + configuration.timeout)
            } else {
                renewConsent(component)
                updateNomination(component, at: now)
            }
        }
        updateState()
        pump(at: now)
    }

    /// Forgets local candidates, their pairs and what is being asked from them.
    private mutating func dropBases(where isGone: (IceCandidate) -> Bool) {
        let bases = Set(localCandidates.filter(isGone).map(\.base))
        guard !bases.isEmpty else { return completeGatheringIfDone() }
        localCandidates.removeAll { bases.contains($0.base) }
        peerReflexiveLocals.removeAll { bases.contains($0.base) }
        removePairs { bases.contains($0.base) }
        gatherQueue.removeAll { $0.base.map(bases.contains) ?? false }
        dropTransactions { bases.contains($0.source) }
        completeGatheringIfDone()
    }

    private mutating func cancelTimers(of component: Int) {
        timers.cancel(.patience(component: component))
        timers.cancel(.consent(component: component))
        timers.cancel(.consentExpiry(component: component))
    }

    /// §6.1.1, §7.3.1.1: pair priorities depend on the role; nominations in the making do not survive its change.
    mutating func setRole(_ new: IceRole, isConflict: Bool, at now: Instant) {
        guard new != role else { return }
        role = new
        for index in checkList.indices {
            checkList[index].prioritise(role)
            if checkList[index].nomination != .nominated { checkList[index].nomination = .none }
        }
        sortCheckList()
        if isConflict { emit(.roleChanged(role)) }
        for component in 1...components { updateNomination(component, at: now) }
    }

    /// §9. Media goes on over the former route until the new check list gives another.
    mutating func restart(newControlling: Bool?, at now: Instant) {
        for component in 1...components {
            if let route = selectedRoute(component) { formerRoutes[component] = Route(base: route.base, remote: route.remote) }
        }
        let routes = formerRoutes
        resetChecks()
        formerRoutes = routes
        forgetRelayedPeers(at: now)
        previousCredentials = localCredentials
        localCredentials = .fresh(random)
        tieBreaker = random.next()
        remoteCredentials = nil
        remoteCandidates = []
        peerReflexiveLocals = []
        hasAllRemoteCandidates = false
        earlyChecks = []
        timers.cancel(.timeout)
        if let newControlling { role = newControlling ? .controlling : .controlled }
        enter(.new)
    }

    /// Forgets pairs and all that runs for them.
    private mutating func resetChecks() {
        // A peer described after our restart takes over from the former route; any other change of peer ends it.
        if remoteCredentials != nil { formerRoutes = [:] }
        removePairs { _ in true }
        for component in 1...2 { cancelTimers(of: component) }
        timers.cancel(.pace)
    }

    mutating func close(at now: Instant) {
        closeRelays(where: { _ in true }, at: now)
        state = .closed
        checkList = []
        triggered = []
        transactions = [:]
        earlyChecks = []
        knownSources = []
        selected = [:]
        formerRoutes = [:]
        gatherQueue = []
        timers.cancelAll()
    }

    /// The states that follow from the pairs; `disconnected` and `failed` end only by a new description or a restart.
    mutating func updateState() {
        guard isRunning else { return }
        let all = 1...components
        if all.allSatisfy({ selected[$0] != nil }) {
            timers.cancel(.timeout)
            enter(.completed)
        } else if all.allSatisfy({ routePair($0) != nil }) {
            enter(.connected)
        } else {
            enter(.checking)
        }
    }

    mutating func enter(_ new: IceState) {
        guard new != state else { return }
        state = new
        emit(.stateChanged(new))
    }

    /// Without a valid pair for RTP the agent has failed. RTCP alone without one is given up: RTP runs without it rather than not at all.
    mutating func overallTimeout(at now: Instant) {
        for pair in checkList where !pair.isSucceeded { forget(pair.id) }
        for index in checkList.indices where !checkList[index].isSucceeded { checkList[index].check = .failed }
        timers.cancel(.pace)
        guard routePair(1) != nil else {
            for component in 1...components { cancelTimers(of: component) }
            dropTransactions { $0.purpose.pair != nil }
            reportSilentServers()
            return enter(.failed)
        }
        if components == 2, routePair(2) == nil { setComponents(1, at: now) }
    }
}
