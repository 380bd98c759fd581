import Core

/// Consent freshness on the pair in use (RFC 7675 §5.1); also the keepalive of RFC 8445 §11.
extension IceAgent {
    /// The next consent check after 0.8 to 1.2 of the interval.
    mutating func scheduleConsent(_ component: Int, at now: Instant) {
        let nanoseconds = Double(configuration.consentInterval.totalNanoseconds) * (0.8 + 0.4 * random.uniform())
        timers.set(.consent(component: component), at: now + .nanoseconds(Int64(nanoseconds)))
    }

    /// Each has its own transaction and is never repeated. The controlling agent says USE-CANDIDATE again, for a peer that missed it.
    mutating func sendConsentCheck(_ component: Int, at now: Instant) {
        guard isRunning, let pair = routePair(component), let index = index(of: pair.id), let credentials = remoteCredentials else { return }
        checkList[index].consentRequestsSent &+= 1
        let id = StunTransactionID(random: random)
        let nominating = role == .controlling && pair.nomination == .nominated
        start(
            id,
            IceTransaction(
                purpose: .consent(pair.id), source: pair.base, destination: pair.remote.address,
                payload: bindingRequest(pair, nominating: nominating, credentials, id), key: credentials.key, role: role,
                priority: checkPriority(pair), rto: .seconds(10), tries: 1, firstSent: now), at: now)
        scheduleConsent(component, at: now)
    }

    /// Counts from the last answer on the pair in use.
    mutating func renewConsent(_ component: Int) {
        guard timers.deadline(of: .consent(component: component)) != nil, let last = routePair(component)?.lastResponse else { return }
        timers.set(.consentExpiry(component: component), at: last + configuration.consentTimeout)
    }

    /// The pair in use is given up; another one that answered lately takes its place, else sending must stop.
    mutating func consentExpired(_ component: Int, at now: Instant) {
        for index in checkList.indices where checkList[index].component == component && checkList[index].isSucceeded {
            guard let last = checkList[index].lastResponse, now < last + configuration.consentTimeout else {
                forget(checkList[index].id)
                checkList[index].check = .failed
                checkList[index].nomination = .none
                continue
            }
        }
        if selectedPairEntry(component)?.isSucceeded != true { selected[component] = nil }
        if routePair(component) != nil {
            renewConsent(component)
            updateNomination(component, at: now)
            return updateState()
        }
        timers.cancel(.consent(component: component))
        emit(.consentLost(component: component))
        enter(.disconnected)
    }
}
