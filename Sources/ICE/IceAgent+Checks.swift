import Core

/// Sending connectivity checks (RFC 8445 §6.1.4, §7.2.4, §14).
extension IceAgent {
    /// Checks may be sent: the peer is described, and neither time nor consent has run out.
    var isRunning: Bool {
        switch state {
        case .checking, .connected, .completed: remoteCredentials != nil
        case .new, .disconnected, .failed, .closed: false
        }
    }

    /// Sends the next check if Ta has passed since the last, else waits for it.
    mutating func pump(at now: Instant) {
        guard isRunning else { return }
        while nextCheckAt <= now, let id = nextPair() { sendCheck(id, at: now) }
        if hasWork { timers.set(.pace, at: nextCheckAt) } else { timers.cancel(.pace) }
    }

    /// §6.1.4.2: triggered checks first, then the best waiting pair, then the best frozen one whose foundation is idle.
    private mutating func nextPair() -> IcePair.ID? {
        while !triggered.isEmpty {
            let id = triggered.removeFirst()
            if let index = index(of: id), !checkList[index].isSucceeded { return id }
        }
        if let pair = checkList.first(where: { $0.check == .waiting && isOpen($0.component) }) { return pair.id }
        return thawable?.id
    }

    private var thawable: IcePair? {
        checkList.first { pair in
            pair.check == .frozen && isOpen(pair.component)
                && !checkList.contains { $0.foundation == pair.foundation && ($0.check == .waiting || $0.isInProgress) }
        }
    }

    private var hasWork: Bool {
        !triggered.isEmpty || checkList.contains { $0.check == .waiting && isOpen($0.component) } || thawable != nil
    }

    /// No pair of the component is nominated yet, so ordinary checks go on.
    private func isOpen(_ component: Int) -> Bool { selected[component] == nil }

    /// §7.3.1.4. A check just received shows that the way is open and paces the answer to it, so it does not wait for Ta;
    /// a pair that is being checked already is checked again in its turn.
    mutating func trigger(_ id: IcePair.ID, isUrgent: Bool, at now: Instant) {
        guard isRunning, let index = index(of: id), !checkList[index].isSucceeded else { return }
        if isUrgent, !checkList[index].isInProgress {
            triggered.removeAll { $0 == id }
            sendCheck(id, at: now)
        } else if !triggered.contains(id) {
            triggered.append(id)
        }
        pump(at: now)
    }

    /// One ordinary or nominating check; takes a slot of Ta.
    mutating func sendCheck(_ id: IcePair.ID, nominating: Bool = false, at now: Instant) {
        guard let index = index(of: id), let credentials = remoteCredentials else { return }
        timers.cancel(.retry(id))
        if case .inProgress(let old) = checkList[index].check {
            // Not repeated any more, but its answer still counts (§7.3.1.4).
            transactions[old]?.tries = 0
        }
        let transaction = StunTransactionID(random: random)
        if !nominating { checkList[index].check = .inProgress(transaction) }
        checkList[index].requestsSent &+= 1
        let pair = checkList[index]
        start(
            transaction,
            IceTransaction(
                purpose: .check(id, nominating: nominating), source: pair.base, destination: pair.remote.address,
                payload: bindingRequest(pair, nominating: nominating, credentials, transaction), key: credentials.key, role: role,
                priority: checkPriority(pair), rto: checkTimeout, tries: 4, firstSent: now), at: now)
        nextCheckAt = now + configuration.ta
    }

    /// §7.2.2 to §7.2.4.
    func bindingRequest(_ pair: IcePair, nominating: Bool, _ remote: IceCredentials, _ id: StunTransactionID) -> [UInt8] {
        var builder = StunBuilder(.request, id: id)
        builder.add(.username, text: "\(remote.ufrag):\(localCredentials.ufrag)")
        builder.add(.priority, u32: checkPriority(pair))
        builder.add(role == .controlling ? .iceControlling : .iceControlled, u64: tieBreaker)
        if nominating { builder.add(flag: .useCandidate) }
        return builder.finish(key: remote.key)
    }

    /// §7.1.1: what a peer-reflexive candidate found by the check would have.
    func checkPriority(_ pair: IcePair) -> UInt32 { localPriority(.peerReflexive, pair.base.ip, pair.component) }

    /// §14.3: max(500 ms, Ta × pairs still to check); bounded, so that a long list cannot slow the first pairs down.
    private var checkTimeout: Duration {
        let open = checkList.count { $0.check == .waiting || $0.isInProgress }
        return min(max(.milliseconds(500), configuration.ta * open), .seconds(2))
    }

    mutating func start(_ id: StunTransactionID, _ transaction: IceTransaction, at now: Instant) {
        transactions[id] = transaction
        timers.set(.transaction(id), at: now + transaction.waitAfterSending)
        send(transaction.payload, from: transaction.source, to: transaction.destination)
    }

    /// Repeats the request, or gives up.
    mutating func transactionTimedOut(_ id: StunTransactionID, at now: Instant) {
        guard var transaction = transactions[id] else { return }
        if transaction.sent < transaction.tries {
            transaction.sent += 1
            transactions[id] = transaction
            timers.set(.transaction(id), at: now + transaction.waitAfterSending)
            send(transaction.payload, from: transaction.source, to: transaction.destination)
            if case .check(let pair, _) = transaction.purpose, let index = index(of: pair) {
                checkList[index].requestsSent &+= 1
                // A pair that does not answer at once no longer holds back the others of its foundation.
                thaw(checkList[index].foundation)
                pump(at: now)
            }
            return
        }
        transactions[id] = nil
        switch transaction.purpose {
        case .gather(let component): gathered(nil, by: transaction, component: component, at: now)
        case .check(let pair, nominating: true): nominationFailed(pair, at: now)
        case .check(let pair, nominating: false):
            if let index = index(of: pair), checkList[index].check == .inProgress(id) { checkFailed(pair, at: now) }
        case .refresh, .consent: break
        }
    }

    /// Another try after 100 ms, doubling to 2 s: no answer is final before the overall limit.
    mutating func checkFailed(_ id: IcePair.ID, at now: Instant) {
        guard let index = index(of: id), !checkList[index].isSucceeded else { return }
        let component = checkList[index].component
        let exponent = min(checkList[index].failures, 5)
        checkList[index].failures += 1
        checkList[index].check = .failed
        timers.set(.retry(id), at: now + min(.milliseconds(100 << exponent), .seconds(2)))
        updateNomination(component, at: now)
        pump(at: now)
    }

    mutating func retry(_ id: IcePair.ID, at now: Instant) {
        guard let index = index(of: id), checkList[index].check == .failed else { return }
        checkList[index].check = .waiting
        if checkList[index].nomination == .requestedByPeer, !triggered.contains(id) { triggered.append(id) }
        pump(at: now)
    }

    /// §7.2.5.3.3.
    mutating func thaw(_ foundation: [String]) {
        for index in checkList.indices where checkList[index].check == .frozen && checkList[index].foundation == foundation {
            checkList[index].check = .waiting
        }
    }

    mutating func dropTransactions(where isGone: (IceTransaction) -> Bool) {
        for (id, transaction) in transactions where isGone(transaction) {
            transactions[id] = nil
            timers.cancel(.transaction(id))
        }
    }
}

extension IceTransaction {
    /// RTO, doubling. After the last request a server gets 16 RTO (RFC 8489 §6.2.1), a check 4, then it is tried anew.
    var waitAfterSending: Duration {
        switch purpose {
        case .refresh, .consent: .seconds(10)
        case .gather: sent < tries ? rto * (1 << min(sent - 1, 8)) : rto * 16
        case .check: sent < tries ? rto * (1 << min(sent - 1, 8)) : rto * 4
        }
    }
}

extension IceTransaction.Purpose {
    var pair: IcePair.ID? {
        switch self {
        case .gather, .refresh: nil
        case .check(let id, _), .consent(let id): id
        }
    }
}
