import Core

/// How a request from outside is checked before anybody acts on it (RFC 3261 §8.2, in its order).
extension UserAgent {
    static let allowed: [SIPMethod] = [.invite, .ack, .cancel, .bye, .options, .update, .info]
    /// Known, but not for a telephone that nobody subscribes to or registers at.
    static let known: Set<SIPMethod> = Set(allowed + [.register, .prack, .refer, .notify, .subscribe, .message, .publish])

    mutating func admit(_ request: SIPRequest, _ key: TransactionKey, _ flow: SIPFlow, isMerged: Bool, at now: Instant) {
        if let refusal = guestRefusal(of: request, flow) ?? sourceRefusal(of: request, flow) ?? refusal(of: request, isMerged: isMerged) {
            return respond(key, refusal, at: now)
        }
        if let tag = request.headers.to?.tag {
            let dialog = LocalDialog(callID: request.headers.callID ?? "", localTag: tag)
            guard let id = sessionsByDialog[dialog] else { return respond(key, SIPResponse(to: request, status: 481), at: now) }
            guard belongs(flow, to: id) else {
                strays.foreignFlow &+= 1
                return respond(key, SIPResponse(to: request, status: 403), at: now)
            }
            serverTransactions[key]?.session = id
            sessions[id]?.handle(.request(request, key, flow), at: now)
            return drainSession(id, at: now)
        }
        switch request.method {
        case .invite: admitInvite(request, key, flow, at: now)
        case .options:
            let isBusy = activeSessionCount >= configuration.maximumCalls
            respond(key, SIPResponse(to: request, status: isBusy ? 486 : 200, toTag: random.token(8)), at: now)
        default: respond(key, SIPResponse(to: request, status: 481, toTag: random.token(8)), at: now)
        }
    }

    /// A dialog that was set up over TLS or a WebSocket takes requests only from the same next hop, authenticated in the same way:
    /// who guessed or saw its identifiers elsewhere cannot end it or turn its media. Over UDP and TCP nothing can be said.
    func belongs(_ flow: SIPFlow, to id: SessionID) -> Bool {
        guard let known = sessions[id]?.flow else { return true }
        switch known.transport {
        case .udp, .tcp: return true
        case .ws: return flow.transport.isWebSocket && flow.remote.ip == known.remote.ip
        case .tls, .wss: break
        }
        guard flow.transport == known.transport else { return false }
        if flow.remote.ip == known.remote.ip { return true }
        // Another server of a cluster proves the same name.
        guard let name = verifiedName(known) else { return false }
        return verifiedName(flow) == name
    }

    /// 403 to a stranger who begins something at a socket that nobody asked for.
    private func sourceRefusal(of request: SIPRequest, _ flow: SIPFlow) -> SIPResponse? {
        guard flow.transport == .udp, request.headers.to?.tag == nil, request.method != .cancel else { return nil }
        let isSource = sources.contains {
            $0.port == flow.local.port && ($0.ip == flow.local.ip || $0.ip.isUnspecified && $0.ip.isV4 == flow.local.ip.isV4)
        }
        guard isSource, !isServer(flow.remote.ip) else { return nil }
        return SIPResponse(to: request, status: 403, toTag: random.token(8))
    }

    private mutating func admitInvite(_ request: SIPRequest, _ key: TransactionKey, _ flow: SIPFlow, at now: Instant) {
        var status: Int?
        if case .shuttingDown = phase { status = 480 }
        if activeSessionCount >= configuration.maximumCalls { status = 486 }
        // A dialog needs the peer's tag and its Contact (§8.1.1.8, §12.1.1).
        if request.headers.contacts.isEmpty { status = 400 }
        if let status { return respond(key, SIPResponse(to: request, status: status, toTag: random.token(8)), at: now) }
        let id = makeSessionID()
        addSession(id, callID: request.headers.callID ?? "", account: account(for: request), isCaller: false)
        serverTransactions[key]?.session = id
        sessions[id]?.handle(.incoming(request, key, flow), at: now)
        drainSession(id, at: now)
    }

    /// The refusal of a request that we do not understand, or nil.
    private func refusal(of request: SIPRequest, isMerged: Bool) -> SIPResponse? {
        let tag = random.token(8)
        let refuse = { (status: Int) in SIPResponse(to: request, status: status, toTag: tag) }
        if !UserAgent.known.contains(request.method) { return refuse(501) }
        if !UserAgent.allowed.contains(request.method), request.headers.to?.tag == nil { return refuse(405) }
        if !request.uri.isSIP { return refuse(416) }
        if isMerged { return refuse(482) }
        let unknown = request.headers.require.filter { !supported.map { SIPSyntax.lowercased($0) }.contains($0) }
        if !unknown.isEmpty {
            var response = refuse(420)
            response.headers.unsupported = unknown
            return response
        }
        return contentRefusal(of: request, refuse)
    }

    /// §8.2.3. A body that need not be understood is let through; the session ignores what is not SDP.
    private func contentRefusal(of request: SIPRequest, _ refuse: (Int) -> SIPResponse) -> SIPResponse? {
        guard !request.body.isEmpty, request.method == .invite || request.method == .update else { return nil }
        if let disposition = request.headers[.contentDisposition].map({ SIPSyntax.lowercased($0) }), disposition.contains("handling=optional") {
            return nil
        }
        let encodings = request.headers.values(.contentEncoding).map { SIPSyntax.lowercased($0) }
        if encodings.contains(where: { $0 != "identity" }) {
            var response = refuse(415)
            response.headers[.acceptEncoding] = "identity"
            return response
        }
        guard request.headers.mediaType != InviteSession.sdp else { return nil }
        var response = refuse(415)
        response.headers[.accept] = InviteSession.sdp
        return response
    }
}
