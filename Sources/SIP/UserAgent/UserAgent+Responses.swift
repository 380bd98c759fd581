import Core

/// What client transactions say, and CANCEL (RFC 3261 §8.1.3, §9.1).
extension UserAgent {
    static let maximumReconnections = 4

    mutating func drainClient(_ key: TransactionKey, at now: Instant) {
        while let transaction = clientTransactions[key], let output = clientTransactions[key]?.poll() {
            switch output {
            case .transmit(let bytes): write(bytes, transaction.flow, at: now)
            case .response(let response):
                if let token = transaction.token { responded(response, token, key, transaction.flow, at: now) }
            case .timedOut: if let token = transaction.token { transactionFailed(token, key, .timeout, at: now) }
            case .transportFailed:
                if let token = transaction.token { transactionFailed(token, key, .unreachable("the peer cannot be reached"), at: now) }
            case .terminated:
                clientTransactions[key] = nil
                if let token = transaction.token { transactionEnded(token, key, at: now) }
            }
        }
        setTimer(.client(key), clientTransactions[key]?.deadline)
    }

    private mutating func responded(_ response: SIPResponse, _ token: RequestToken, _ key: TransactionKey, _ flow: SIPFlow, at now: Instant) {
        guard let delivery = deliveries[token], case .sent(key, let progress) = delivery.state, let request = delivery.sent else { return }
        if response.isProvisional {
            switch progress {
            case .calling: deliveries[token]?.state = .sent(key, .proceeding)
            case .cancelPending(let reason): sendCancel(token, key, reason, at: now)
            case .proceeding, .cancelled, .answered: break
            }
            return deliver(response, to: token, request: request, flow: flow, at: now)
        }
        if response.isSuccess, request.method == .invite {
            deliveries[token]?.state = .sent(key, .answered)
            setTimer(.request(token), nil)
            return deliver(response, to: token, request: request, flow: flow, at: now)
        }
        var mayGoOn = false
        switch progress {
        case .calling, .proceeding: mayGoOn = true
        case .cancelPending, .cancelled, .answered: break
        }
        switch response.status {
        case 401 where mayGoOn, 407 where mayGoOn:
            if authenticate(token, response, request, at: now) { return }
        case 408 where mayGoOn, 503 where mayGoOn:
            if !delivery.targets.isEmpty {
                deliveries[token]?.refusal = (response, request, flow)
                return tryNextTarget(token, .timeout, at: now)
            }
        default: break
        }
        finish(token, response, request, flow, at: now)
    }

    private mutating func transactionFailed(_ token: RequestToken, _ key: TransactionKey, _ failure: RequestFailure, at now: Instant) {
        guard let delivery = deliveries[token], case .sent(key, let progress) = delivery.state else { return }
        switch progress {
        case .calling where delivery.reconnections < UserAgent.maximumReconnections && hasLostConnection(delivery):
            // The server may only have closed an idle connection: again, on a new one.
            guard let target = delivery.current else { return tryNextTarget(token, failure, at: now) }
            deliveries[token]?.reconnections += 1
            attempt(token, target, at: now)
        case .calling, .proceeding:
            tryNextTarget(token, failure, at: now)
            // A REGISTER without any answer: the connection is taken for dead, whatever TCP thinks, so that the next try opens another.
            if case .registration = token.owner, case .timeout = failure, let id = delivery.flow?.connection { close(id, at: now) }
        case .cancelPending, .cancelled: finish(token, failure, at: now)
        case .answered: return
        }
    }

    private func hasLostConnection(_ delivery: Delivery) -> Bool {
        guard let id = delivery.flow?.connection else { return false }
        return connections[id] == nil
    }

    private mutating func transactionEnded(_ token: RequestToken, _ key: TransactionKey, at now: Instant) {
        guard case .sent(key, .answered) = deliveries[token]?.state else { return }
        forget(token)
        guard case .session(let id) = token.owner else { return }
        sessions[id]?.handle(.terminated(token), at: now)
        drainSession(id, at: now)
    }

    // MARK: CANCEL

    mutating func cancel(_ token: RequestToken, _ reason: String?, at now: Instant) {
        switch deliveries[token]?.state {
        case .resolving: finish(token, .abandoned, at: now)
        case .connecting(let id):
            stopWaiting(token, for: id)
            finish(token, .abandoned, at: now)
        case .sent(let key, .calling): deliveries[token]?.state = .sent(key, .cancelPending(reason: reason))
        case .sent(let key, .proceeding): sendCancel(token, key, reason, at: now)
        case .sent, .acknowledged, nil: return
        }
    }

    /// Same Request-URI, Call-ID, From, To, CSeq number, Route and top Via as the INVITE (§9.1). When nothing follows in 64·T1 the INVITE
    /// counts as cancelled.
    private mutating func sendCancel(_ token: RequestToken, _ invite: TransactionKey, _ reason: String?, at now: Instant) {
        guard let request = deliveries[token]?.sent, let flow = deliveries[token]?.flow, let via = request.headers.topVia else { return }
        deliveries[token]?.state = .sent(invite, .cancelled)
        setTimer(.request(token), now + configuration.timings.limit)
        var headers = SIPHeaders()
        headers.add(.via, via)
        headers.maxForwards = 70
        headers.copy(.route, from: request.headers)
        headers.copy(.from, from: request.headers)
        headers.copy(.to, from: request.headers)
        headers.copy(.callID, from: request.headers)
        headers.cSeq = CSeq(request.headers.cSeq?.number ?? 0, .cancel)
        if let value = ReasonHeader.value(text: reason) { headers[.reason] = value }
        headers[.userAgent] = configuration.userAgent
        let cancel = SIPRequest(method: .cancel, uri: request.uri, headers: headers)
        let key = TransactionKey(branch: invite.branch, method: .cancel)
        clientTransactions[key] = ClientTransaction(request: cancel, flow: flow, token: nil, timings: configuration.timings)
        clientTransactions[key]?.handle(.start, at: now)
        drainClient(key, at: now)
    }
}
