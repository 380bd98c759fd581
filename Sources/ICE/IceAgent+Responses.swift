import Core

/// Receiving datagrams, and the answers to our own requests (RFC 8445 §7.2.5).
extension IceAgent {
    /// One datagram whose first byte says STUN or TURN channel. `base` is the address of the socket that it came in on. Never fails: what
    /// cannot be used is counted in `counters`.
    /// - Returns: a peer's packet inside, when a TURN server brought one that is no STUN.
    @discardableResult
    public mutating func receive(_ datagram: RawSpan, from source: SocketAddress, to base: SocketAddress, at now: Instant) -> RelayedDatagram? {
        guard state != .closed else { return nil }
        guard !relays.isEmpty, let index = relays.firstIndex(where: { $0.base == base && $0.server.address == source }) else {
            receiveCheck(datagram, from: source, to: base, at: now)
            return nil
        }
        let inner: RelayedDatagram?
        if let first = datagram.u8(at: 0), first >> 6 == 1 {
            inner = unwrap(datagram, index)
            if inner == nil { counters.malformed &+= 1 }
        } else if let message = try? StunMessage.parse(datagram), message.method != .binding {
            inner = handleTurn(message, index, at: now)
        } else {
            receiveCheck(datagram, from: source, to: base, at: now)
            return nil
        }
        return inner.flatMap { deliver($0, datagram, at: now) }
    }

    /// A Binding message that came to a base of ours, directly or through a relay.
    mutating func receiveCheck(_ datagram: RawSpan, from source: SocketAddress, to base: SocketAddress, at now: Instant) {
        guard let component = component(ofBase: base), let message = try? StunMessage.parse(datagram), message.method == .binding else {
            counters.malformed &+= 1
            return
        }
        switch message.messageClass {
        case .request: handleRequest(message, from: source, component: component, base: base, at: now)
        case .indication: break
        case .success, .error: handleResponse(message, from: source, component: component, base: base, at: now)
        }
    }

    private mutating func handleResponse(_ message: StunMessage, from source: SocketAddress, component: Int, base: SocketAddress, at now: Instant) {
        let id = message.transactionID
        guard let transaction = transactions[id] else {
            counters.unknownTransactions &+= 1
            return
        }
        let isAuthentic = transaction.key.map { message.verify($0) } ?? true
        // A 400 or 401 cannot carry integrity; all that it causes is another try.
        let isPlainError = message.messageClass == .error && message.integrity == nil && message.errorCode?.code != StunErrorCode.roleConflict
        guard isAuthentic || isPlainError else {
            counters.forgedResponses &+= 1
            return
        }
        let isSymmetric = source == transaction.destination && base == transaction.source
        // Anybody may answer in a server's name, so the answer from elsewhere does not end the question.
        if transaction.key == nil, !isSymmetric { return }
        let mapped = message.messageClass == .success && isSymmetric && message.unknownRequired.isEmpty ? message.mapped : nil
        transactions[id] = nil
        timers.cancel(.transaction(id))

        switch transaction.purpose {
        case .gather(let component): gathered(mapped, by: transaction, component: component, code: message.errorCode?.code, at: now)
        case .refresh: break
        case .check(let pair, let nominating):
            if let mapped {
                checkAnswered(pair, transaction, nominating: nominating, mapped: mapped, at: now)
            } else {
                checkRefused(pair, id, transaction, nominating: nominating, message, at: now)
            }
        case .consent(let pair):
            if mapped != nil {
                answered(pair, transaction, at: now)
            } else if isAuthentic, message.errorCode?.code == StunErrorCode.roleConflict {
                yieldRole(transaction, at: now)
            }
        }
    }

    /// §7.2.5.3.
    private mutating func checkAnswered(_ id: IcePair.ID, _ transaction: IceTransaction, nominating: Bool, mapped: SocketAddress, at now: Instant) {
        guard isRunning, let index = index(of: id) else { return }
        let pair = checkList[index]
        learn(transaction.destination, pair.component)
        answered(id, transaction, at: now)
        if nominating {
            if role == .controlling { select(id, at: now) }
            return
        }
        guard !pair.isSucceeded else { return }
        checkList[index].check = .succeeded
        checkList[index].failures = 0
        timers.cancel(.retry(id))
        dropTransactions { $0.purpose == .check(id, nominating: false) }
        thaw(pair.foundation)
        if mapped != pair.local.address { discover(mapped, of: id, priority: transaction.priority) }
        becameValid(id, at: now)
        if pair.nomination == .requestedByPeer, role == .controlled { select(id, isNewest: pair.isAskedPlainly, at: now) }
        updateNomination(pair.component, at: now)
        updateState()
        pump(at: now)
    }

    /// §7.2.5.3.1: the address the peer saw is one of ours; the valid pair has it, and its priority, as the peer has.
    private mutating func discover(_ mapped: SocketAddress, of id: IcePair.ID, priority: UInt32) {
        guard let index = index(of: id) else { return }
        let pair = checkList[index]
        let fits = { (c: IceCandidate) in c.component == pair.component && c.address == mapped && c.base == pair.base }
        let local: IceCandidate
        if let known = localCandidates.first(where: fits) ?? peerReflexiveLocals.first(where: fits) {
            local = known
        } else {
            local = IceCandidate(
                foundation: foundation(.peerReflexive, pair.base.ip), component: pair.component, priority: priority, address: mapped,
                kind: .peerReflexive, relatedAddress: pair.base, base: pair.base)
            if peerReflexiveLocals.count < Self.remoteCandidateLimit { peerReflexiveLocals.append(local) }
        }
        checkList[index].local = local
        checkList[index].prioritise(role)
        sortCheckList()
    }

    /// §7.2.5.1, §7.2.5.2.1, §7.2.5.2.4 and an error of any kind.
    private mutating func checkRefused(
        _ id: IcePair.ID, _ transactionID: StunTransactionID, _ transaction: IceTransaction, nominating: Bool, _ message: StunMessage, at now: Instant
    ) {
        guard isRunning else { return }
        let isConflict = message.messageClass == .error && message.errorCode?.code == StunErrorCode.roleConflict
        if isConflict { yieldRole(transaction, at: now) } else { counters.errorResponses &+= 1 }
        if nominating { return nominationFailed(id, at: now) }
        guard let current = index(of: id), !checkList[current].isSucceeded else { return }
        // An older check of the pair does not end the newer one.
        if checkList[current].isInProgress, checkList[current].check != .inProgress(transactionID) { return }
        if isConflict, checkList[current].failures < 3 {
            checkList[current].failures += 1
            checkList[current].check = .waiting
            trigger(id, isUrgent: false, at: now)
        } else {
            checkFailed(id, at: now)
        }
    }

    /// 487: we take the other role, unless that has happened since the check was sent.
    private mutating func yieldRole(_ transaction: IceTransaction, at now: Instant) {
        counters.roleConflicts &+= 1
        if transaction.role == role, !isRemoteLite { setRole(role.opposite, isConflict: true, at: now) }
    }

    /// The peer answered on this pair: figures and consent.
    private mutating func answered(_ id: IcePair.ID, _ transaction: IceTransaction, at now: Instant) {
        guard let index = index(of: id) else { return }
        checkList[index].responsesReceived &+= 1
        checkList[index].lastResponse = now
        if transaction.sent == 1 {
            checkList[index].currentRoundTripTime = now - transaction.firstSent
            checkList[index].totalRoundTripTime += now - transaction.firstSent
        }
        renewConsent(checkList[index].component)
    }
}
