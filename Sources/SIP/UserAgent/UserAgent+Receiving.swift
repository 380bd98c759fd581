import Core

/// Bytes from the network to transactions (RFC 3261 §18.1.2, §18.2.1).
extension UserAgent {
    /// The largest message of a WebSocket, in bytes; what a stream may hold too.
    static let largestMessage = 131_072

    /// One datagram, or one message of a WebSocket (RFC 7118 §5.1): there `flow.connection` is set.
    public mutating func receive(_ datagram: [UInt8], flow: SIPFlow, at now: Instant) {
        if flow.connection != nil { return receiveWebSocket(datagram, flow, at: now) }
        if datagram.count <= 4, datagram.allSatisfy({ $0 == 13 || $0 == 10 }) { return }  // keep-alive (RFC 5626 §3.5.1)
        receiveMessage(datagram, flow, at: now)
    }

    /// A frame is a message by itself: a broken one does not spoil the next, so the connection stays.
    private mutating func receiveWebSocket(_ bytes: [UInt8], _ flow: SIPFlow, at now: Instant) {
        guard let id = flow.connection, case .open = connections[id]?.state, var known = connections[id]?.flow,
            known.transport.isWebSocket
        else { return }
        known.connection = id
        connections[id]?.lastUsed = now
        if bytes.count <= 4, bytes.allSatisfy({ $0 == 13 || $0 == 10 }) {
            if bytes.count == 4 { emit(.transmit(SIPTransmit(flow: known, bytes: [13, 10]))) } else { receivePong(id, at: now) }
            return
        }
        guard bytes.count <= UserAgent.largestMessage else {
            strays.malformed &+= 1
            return
        }
        noteSpoken(id, at: now)
        receiveMessage(bytes, known, at: now)
    }

    /// Bytes of a connection, in any pieces.
    public mutating func receiveStream(_ bytes: [UInt8], flow: SIPFlow, at now: Instant) {
        guard let id = flow.connection, case .open(var framer) = connections[id]?.state, var known = connections[id]?.flow else { return }
        known.connection = id
        connections[id]?.lastUsed = now
        framer.append(bytes)
        var items: [SIPStreamFramer.Item] = []
        var failure: SIPParseError?
        do throws(SIPParseError) {
            while let item = try framer.next() { items.append(item) }
        } catch {
            failure = error
        }
        connections[id]?.state = .open(framer)
        if items.contains(where: { if case .message = $0 { true } else { false } }) { noteSpoken(id, at: now) }
        for item in items {
            switch item {
            case .message(let message): receiveMessage(message, known, at: now)
            case .ping: emit(.transmit(SIPTransmit(flow: known, bytes: [13, 10])))
            case .pong: receivePong(id, at: now)
            }
        }
        if let failure {
            refuse(failure, known, at: now)
            if connections[id] != nil { close(id, at: now) }
        }
    }

    private mutating func receiveMessage(_ bytes: [UInt8], _ flow: SIPFlow, at now: Instant) {
        emit(.trace(SIPTrace(direction: .received, flow: flow, bytes: bytes)))
        do throws(SIPParseError) {
            switch try SIPMessage.parse(bytes) {
            case .request(let request): receive(request, flow, at: now)
            case .response(let response): receive(response, at: now)
            }
        } catch {
            refuse(error, flow, at: now)
        }
    }

    private mutating func refuse(_ error: SIPParseError, _ flow: SIPFlow, at now: Instant) {
        strays.malformed &+= 1
        guard var request = error.recoveredRequest else { return }
        UserAgent.noteSource(&request, flow)
        replyStateless(SIPResponse(to: request, status: error.status, reason: error.reason, toTag: random.token(8)), request, flow, at: now)
    }

    /// `received` and `rport` (RFC 3261 §18.2.1, RFC 3581 §4).
    static func noteSource(_ request: inout SIPRequest, _ flow: SIPFlow) {
        guard var via = request.headers.topVia else { return }
        via.noteSource(flow.remote)
        request.headers.topVia = via
    }

    private mutating func receive(_ response: SIPResponse, at now: Instant) {
        // More than one Via: the response is not ours (§18.1.2).
        guard response.headers.vias.count == 1, let key = TransactionKey(response: response), clientTransactions[key] != nil else {
            strays.responses &+= 1
            return
        }
        clientTransactions[key]?.handle(.response(response), at: now)
        drainClient(key, at: now)
    }

    private mutating func receive(_ request: SIPRequest, _ flow: SIPFlow, at now: Instant) {
        var request = request
        UserAgent.noteSource(&request, flow)
        guard let key = TransactionKey(request: request) else { return }
        if request.method == .ack { return receiveAcknowledgement(request, key, flow, at: now) }
        if serverTransactions[key] != nil {
            serverTransactions[key]?.handle(.retransmission, at: now)
            return drainServer(key, at: now)
        }
        guard mayBegin(request, flow) else {
            strays.refusedTransactions &+= 1
            var response = SIPResponse(to: request, status: 503, toTag: random.token(8))
            response.headers.retryAfter = 30
            return replyStateless(response, request, flow, at: now)
        }
        let transaction = ServerTransaction(request: request, flow: flow, timings: configuration.timings)
        serverTransactions[key] = transaction
        transactionsBySource[flow.remote.ip, default: 0] += 1
        serverTransactions[key]?.handle(.start, at: now)
        drainServer(key, at: now)
        // Merged requests are looked for before this one counts (§8.2.2.2).
        let isMerged = transaction.mergeKey.map { mergeable[$0] != nil } ?? false
        if let merge = transaction.mergeKey, !isMerged, request.method != .cancel { mergeable[merge] = key }
        if request.method == .cancel { receiveCancel(request, key, flow, at: now) } else { admit(request, key, flow, isMerged: isMerged, at: now) }
    }

    /// One stranger must not fill the table: each address has a share of it. What belongs to a call is served even when it is full,
    /// up to twice its size; servers of our accounts speak for many.
    private func mayBegin(_ request: SIPRequest, _ flow: SIPFlow) -> Bool {
        let limit = configuration.maximumServerTransactions
        if let callID = request.headers.callID, let tag = request.headers.to?.tag,
            let id = sessionsByDialog[LocalDialog(callID: callID, localTag: tag)], belongs(flow, to: id)
        {
            return serverTransactions.count < 2 * limit
        }
        guard serverTransactions.count < limit else { return false }
        if transactionsBySource[flow.remote.ip, default: 0] < configuration.maximumServerTransactionsPerSource { return true }
        return isServer(flow.remote.ip)
    }

    /// One of our accounts' servers stands there.
    func isServer(_ ip: IPAddress) -> Bool { accounts.values.contains { account in account.addresses.contains { $0.ip == ip } } }

    private mutating func receiveAcknowledgement(_ request: SIPRequest, _ key: TransactionKey, _ flow: SIPFlow, at now: Instant) {
        if serverTransactions[key]?.takesAcknowledgement == true {
            serverTransactions[key]?.handle(.acknowledgement, at: now)
            return drainServer(key, at: now)
        }
        guard let callID = request.headers.callID, let tag = request.headers.to?.tag,
            let id = sessionsByDialog[LocalDialog(callID: callID, localTag: tag)]
        else {
            strays.acknowledgements &+= 1
            return
        }
        guard belongs(flow, to: id) else {
            strays.foreignFlow &+= 1
            return
        }
        sessions[id]?.handle(.acknowledgement(request), at: now)
        drainSession(id, at: now)
    }

    /// §9.2: 200 to the CANCEL, 487 to the INVITE when it is still open.
    private mutating func receiveCancel(_ request: SIPRequest, _ key: TransactionKey, _ flow: SIPFlow, at now: Instant) {
        guard let invite = TransactionKey(request: request, method: .invite), let transaction = serverTransactions[invite] else {
            return respond(key, SIPResponse(to: request, status: 481, toTag: random.token(8)), at: now)
        }
        if let id = transaction.session, !belongs(flow, to: id) {
            strays.foreignFlow &+= 1
            return respond(key, SIPResponse(to: request, status: 403, toTag: random.token(8)), at: now)
        }
        let tag = transaction.session.flatMap { sessions[$0]?.localTag } ?? random.token(8)
        respond(key, SIPResponse(to: request, status: 200, toTag: tag), at: now)
        guard transaction.isOpen, let id = transaction.session else { return }
        sessions[id]?.handle(.cancel(invite, request), at: now)
        drainSession(id, at: now)
    }
}
