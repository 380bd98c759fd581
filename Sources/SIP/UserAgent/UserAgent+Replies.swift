import Core

/// Responses to requests from outside: what they carry, and where they go (RFC 3261 §18.2.2, RFC 3581).
extension UserAgent {
    mutating func respond(_ key: TransactionKey, _ response: SIPResponse, at now: Instant) {
        guard let transaction = serverTransactions[key] else { return }
        let response = complete(response, transaction)
        serverTransactions[key]?.handle(.respond(response), at: now)
        drainServer(key, at: now)
    }

    mutating func drainServer(_ key: TransactionKey, at now: Instant) {
        while let transaction = serverTransactions[key], let output = serverTransactions[key]?.poll() {
            switch output {
            case .transmit(let bytes): reply(bytes, transaction.request, transaction.flow, at: now)
            case .timedOut: break  // a failure without ACK ends all the same
            case .terminated:
                serverTransactions[key] = nil
                let source = transaction.flow.remote.ip
                let left = (transactionsBySource[source] ?? 1) - 1
                transactionsBySource[source] = left > 0 ? left : nil
                if let merge = transaction.mergeKey, mergeable[merge] == key { mergeable[merge] = nil }
            }
        }
        setTimer(.server(key), serverTransactions[key]?.deadline)
    }

    mutating func replyStateless(_ response: SIPResponse, _ request: SIPRequest, _ flow: SIPFlow, at now: Instant) {
        var response = response
        response.headers[.server] = configuration.userAgent
        reply(response.serialize(), request, flow, at: now)
    }

    private func complete(_ response: SIPResponse, _ transaction: ServerTransaction) -> SIPResponse {
        var response = response
        let method = transaction.request.method
        let makesDialog = method == .invite && (101..<300).contains(response.status)
        if makesDialog || (method == .update && response.isSuccess) {
            let account = transaction.session.flatMap { sessions[$0]?.account }
            response.headers.contacts = [contact(transaction.flow, account: account, secure: transaction.request.uri.isSecure)]
        }
        if makesDialog || (method == .update && response.isSuccess) { addCapabilities(to: &response.headers) }
        if method == .options, response.isSuccess {
            addCapabilities(to: &response.headers)
            response.headers[.accept] = InviteSession.sdp
            response.headers[.acceptEncoding] = "identity"
            response.headers[.acceptLanguage] = "en"
        }
        if response.status == 405 || response.status == 501 { response.headers.allow = UserAgent.allowed }
        response.headers[.server] = configuration.userAgent
        return response
    }

    /// UDP: to the source when it asked for `rport`, else to the source's address and sent-by's port. Streams: on the same connection;
    /// when that is gone, on a new one to sent-by's port, or to the server when it was us who connected. `maddr` is not obeyed: it would make us throw stones for others.
    private mutating func reply(_ bytes: [UInt8], _ request: SIPRequest, _ flow: SIPFlow, at now: Instant) {
        guard let via = request.headers.topVia else { return }
        let sentBy = SocketAddress(flow.remote.ip, via.port.flatMap { $0 == 0 ? nil : $0 } ?? via.defaultPort)
        var flow = flow
        if flow.transport == .udp {
            if !via.hasRport { flow.remote = sentBy }
        } else if let gone = flow.connection, connections[gone] == nil {
            // Nobody listens there (RFC 7118 §5.2).
            if UserAgent.isGuest(flow) { return }
            let id =
                gone.isOutgoing
                ? connection(again: flow, name: nil, at: now) : connection(flow.transport, to: sentBy, from: flow.local, name: nil, at: now)
            guard var known = connections[id]?.flow else { return }
            known.connection = id
            flow = known
        }
        write(bytes, flow, at: now)
    }
}
