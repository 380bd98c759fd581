import Core
import Digest

/// Answering the peer's checks (RFC 8445 §7.3, RFC 8489 §9.1.3).
extension IceAgent {
    mutating func handleRequest(_ message: StunMessage, from source: SocketAddress, component: Int, base: SocketAddress, at now: Instant) {
        counters.requestsReceived &+= 1
        guard let username = message.value(.username), let integrity = message.integrity else {
            counters.badRequests &+= 1
            return reject(message, StunErrorCode.badRequest, "Bad Request", to: source, from: base)
        }
        let parts = username.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        let candidates = [localCredentials, previousCredentials].compactMap { $0 }
        guard parts.count == 2, let credentials = candidates.first(where: { parts[0].elementsEqual($0.ufrag.utf8) }), message.verify(credentials.key)
        else {
            counters.unauthenticated &+= 1
            return reject(message, StunErrorCode.unauthenticated, "Unauthenticated", to: source, from: base)
        }
        // Once the peer is described, a check that names another is that of a fork which was not chosen, or of a description still to come.
        if remoteCredentials.map({ parts[1].elementsEqual($0.ufrag.utf8) }) ?? true { learn(source, component) }
        let unknown = message.unknownRequired
        guard unknown.isEmpty else {
            counters.unknownAttributes &+= 1
            var builder = StunBuilder(.error, id: message.transactionID)
            builder.addError(StunErrorCode.unknownAttribute, reason: "Unknown Attribute")
            builder.addUnknown(unknown)
            return send(builder.finish(key: credentials.key, integrity: integrity), from: base, to: source)
        }
        let isCurrent = credentials == localCredentials
        if isCurrent, !settleRole(message, at: now) {
            counters.roleConflicts &+= 1
            var builder = StunBuilder(.error, id: message.transactionID)
            builder.addError(StunErrorCode.roleConflict, reason: "Role Conflict")
            return send(builder.finish(key: credentials.key, integrity: integrity), from: base, to: source)
        }
        var builder = StunBuilder(.success, id: message.transactionID)
        builder.add(.xorMappedAddress, xorAddress: source)
        send(builder.finish(key: credentials.key, integrity: integrity), from: base, to: source)
        guard isCurrent else { return }
        received(
            IceEarlyCheck(
                component: component, base: base, source: source, remoteUfrag: parts[1],
                priority: message.priority ?? IceCandidate.priority(.peerReflexive, localPreference: 0, component: component),
                isNominating: message.hasUseCandidate), at: now)
    }

    /// Errors 400 and 401 carry no integrity: the peer has shown no key (RFC 8489 §9.1.3).
    private mutating func reject(_ message: StunMessage, _ code: Int, _ reason: String, to source: SocketAddress, from base: SocketAddress) {
        var builder = StunBuilder(.error, id: message.transactionID)
        builder.addError(code, reason: reason)
        send(builder.finish(), from: base, to: source)
    }

    /// §7.3.1.1: false when the request must be answered 487.
    private mutating func settleRole(_ message: StunMessage, at now: Instant) -> Bool {
        switch role {
        case .controlling:
            guard let theirs = message.iceControlling else { return true }
            if tieBreaker >= theirs { return false }
        case .controlled:
            guard let theirs = message.iceControlled else { return true }
            if tieBreaker < theirs { return false }
        }
        counters.roleConflicts &+= 1
        setRole(role.opposite, isConflict: true, at: now)
        return true
    }

    mutating func learn(_ address: SocketAddress, _ component: Int) {
        let source = KnownSource(component: component, address: address)
        guard !knownSources.contains(source) else { return }
        if knownSources.count >= Self.knownSourceLimit { knownSources.removeFirst() }
        knownSources.append(source)
    }

    /// An answered check: used now when it is the described peer's, kept otherwise.
    private mutating func received(_ check: IceEarlyCheck, at now: Instant) {
        if let remote = remoteCredentials, check.remoteUfrag.elementsEqual(remote.ufrag.utf8) {
            return process(check, isUrgent: true, at: now)
        }
        if let index = earlyChecks.firstIndex(where: {
            $0.base == check.base && $0.source == check.source && $0.remoteUfrag.elementsEqual(check.remoteUfrag)
        }) {
            earlyChecks[index].priority = check.priority
            if check.isNominating { earlyChecks[index].isNominating = true }
        } else if earlyChecks.count < Self.earlyCheckLimit {
            earlyChecks.append(check)
        } else {
            counters.overflow &+= 1
        }
    }

    /// Early checks of the peer that has just been described, the nominating ones first.
    mutating func processEarlyChecks(at now: Instant) {
        guard let remote = remoteCredentials else { return }
        let mine = earlyChecks.filter { $0.remoteUfrag.elementsEqual(remote.ufrag.utf8) }
        earlyChecks.removeAll { $0.remoteUfrag.elementsEqual(remote.ufrag.utf8) }
        for check in mine.filter(\.isNominating) + mine.filter({ !$0.isNominating }) {
            learn(check.source, check.component)
            process(check, isUrgent: false, at: now)
        }
    }

    /// §7.3.1.3 to §7.3.1.5.
    private mutating func process(_ check: IceEarlyCheck, isUrgent: Bool, at now: Instant) {
        guard isRunning, let id = pair(for: check), let index = index(of: id) else { return }
        checkList[index].requestsReceived &+= 1
        checkList[index].responsesSent &+= 1
        checkList[index].lastRequested = now
        let isNominating = check.isNominating && role == .controlled
        if isNominating {
            if checkList[index].isSucceeded { return select(id, isNewest: checkList[index].isAskedPlainly, at: now) }
            if checkList[index].nomination == .none { checkList[index].nomination = .requestedByPeer }
        } else {
            checkList[index].isAskedPlainly = true
        }
        // Its consent checks show which of the pairs it nominated the peer has settled on.
        if role == .controlled, checkList[index].nomination == .nominated, selected[check.component] != id { select(id, at: now) }
        // Once a pair is in use, only the controlling peer's wish for another is followed up.
        if selected[check.component] == nil || isNominating { trigger(id, isUrgent: isUrgent, at: now) }
    }

    private mutating func pair(for check: IceEarlyCheck) -> IcePair.ID? {
        if let known = pairIndex(check.component, check.base, check.source) { return checkList[known].id }
        if remoteIndex(check.component, check.source) == nil {
            addRemote(
                IceCandidate(
                    foundation: "p" + random.token(8), component: check.component, priority: check.priority, address: check.source,
                    kind: .peerReflexive))
        }
        guard let remote = remoteIndex(check.component, check.source) else { return nil }
        return addPair(component: check.component, base: check.base, remote: remoteCandidates[remote])
    }
}
