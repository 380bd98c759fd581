import Core

/// Choosing the pair to use (RFC 8445 §8.1).
extension IceAgent {
    /// The first valid pair of a component is announced, and consent runs from then on.
    mutating func becameValid(_ id: IcePair.ID, at now: Instant) {
        guard let index = index(of: id) else { return }
        let pair = checkList[index]
        if timers.deadline(of: .consent(component: pair.component)) == nil {
            emit(.validPair(component: pair.component, local: pair.base, remote: pair.remote.address))
            scheduleConsent(pair.component, at: now)
            useChannel(pair, at: now)
        }
        renewConsent(pair.component)
    }

    /// We control: nominate when no better pair can still turn up, else wait a little for it.
    mutating func updateNomination(_ component: Int, at now: Instant) {
        guard isRunning, role == .controlling, selected[component] == nil else { return }
        guard !checkList.contains(where: { $0.component == component && $0.nomination == .inFlight }) else { return }
        guard let best = bestValid(component) else { return }
        let isBetterOpen = checkList.contains { $0.component == component && $0.priority > best.priority && $0.isUnsettled }
        if !isBetterOpen {
            nominateBest(of: component, at: now)
        } else {
            // A detour is worth waiting for something better than it; media flows meanwhile.
            let end = now + configuration.nominationPatience * (best.isRelayed ? 6 : 1)
            let former = timers.deadline(of: .patience(component: component)) ?? end
            timers.set(.patience(component: component), at: min(former, end))
        }
    }

    /// §8.1.1. Sent at once: the pair has just answered, and until it is nominated nothing else matters more.
    mutating func nominateBest(of component: Int, at now: Instant) {
        guard isRunning, role == .controlling, selected[component] == nil, let best = bestValid(component), let index = index(of: best.id) else {
            return
        }
        timers.cancel(.patience(component: component))
        checkList[index].nomination = .inFlight
        sendCheck(best.id, nominating: true, at: now)
        pump(at: now)
    }

    /// The peer may have got the nomination although we heard nothing: the same pair is asked three times before another one is.
    private func bestValid(_ component: Int) -> IcePair? {
        checkList.filter { $0.component == component && $0.isSucceeded }
            .min { ($0.failedNominations / 3, $1.priority) < ($1.failedNominations / 3, $0.priority) }
    }

    mutating func nominationFailed(_ id: IcePair.ID, at now: Instant) {
        guard let index = index(of: id), checkList[index].nomination == .inFlight else { return }
        checkList[index].nomination = .none
        checkList[index].failedNominations += 1
        guard role == .controlling else { return }
        let wait = configuration.nominationPatience * min(checkList[index].failedNominations, 10)
        timers.set(.patience(component: checkList[index].component), at: now + wait)
    }

    /// The pair is nominated. The best nominated pair is used (an aggressive peer nominates several), except that a newer
    /// nomination of a regular peer, which goes on to another pair only when it gave up the first, replaces any, and every newer one replaces a pair that has stopped answering, or on which the peer asks no more: it may never have heard that we took it.
    mutating func select(_ id: IcePair.ID, isNewest: Bool = false, at now: Instant) {
        guard let index = index(of: id), checkList[index].isSucceeded else { return }
        checkList[index].nomination = .nominated
        let pair = checkList[index]
        let component = pair.component
        if let current = selectedPairEntry(component) {
            guard current.id != id, isNewest || pair.priority > current.priority || isStale(current, at: now) || isAbandoned(current, at: now) else {
                return
            }
        }
        selected[component] = id
        formerRoutes[component] = nil
        timers.cancel(.patience(component: component))
        quieten(component)
        if let lastResponse = pair.lastResponse {
            timers.set(.consentExpiry(component: component), at: lastResponse + configuration.consentTimeout)
        }
        useChannel(pair, at: now)
        emit(.selectedPair(component: component, pair.snapshot))
        updateState()
    }

    private func isAbandoned(_ pair: IcePair, at now: Instant) -> Bool {
        guard role == .controlled, let last = pair.lastRequested else { return false }
        return now - last > configuration.consentInterval * 2
    }

    private func isStale(_ pair: IcePair, at now: Instant) -> Bool {
        guard let last = pair.lastResponse else { return true }
        return now - last > configuration.consentInterval * 2
    }

    /// §8.1.2: other checks of the component end, except those the peer asked to have nominated.
    private mutating func quieten(_ component: Int) {
        for index in checkList.indices where checkList[index].component == component && checkList[index].nomination == .none {
            let id = checkList[index].id
            forget(id)
            if checkList[index].isInProgress || checkList[index].check == .failed { checkList[index].check = .waiting }
        }
    }

    func selectedPairEntry(_ component: Int) -> IcePair? {
        guard let id = selected[component], let index = index(of: id) else { return nil }
        return checkList[index]
    }

    /// The pair in use: the nominated one, else the best valid one.
    func routePair(_ component: Int) -> IcePair? {
        selectedPairEntry(component) ?? checkList.first { $0.component == component && $0.isSucceeded }
    }

    /// Where to send the component's packets; nil before the first valid pair and after consent is lost.
    public func selectedRoute(_ component: Int) -> (base: SocketAddress, remote: SocketAddress)? {
        if let pair = routePair(component) { return (pair.base, pair.remote.address) }
        return formerRoutes[component].map { ($0.base, $0.remote) }
    }

    /// The nominated pair in use.
    public func selectedPair(_ component: Int) -> IcePairSnapshot? { selectedPairEntry(component)?.snapshot }

    /// All pairs, the highest priority first.
    public var pairs: [IcePairSnapshot] { checkList.map(\.snapshot) }

    /// An address that sent us a request with valid integrity, or answered a check of ours.
    public func isKnownSource(_ address: SocketAddress, component: Int) -> Bool {
        knownSources.contains(KnownSource(component: component, address: address))
    }
}
