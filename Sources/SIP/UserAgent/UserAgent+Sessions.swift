import Core

extension UserAgent {
    mutating func invite(
        _ id: SessionID, _ uri: SIPURI, _ account: String?, _ body: [UInt8]?, _ contentType: String, at now: Instant
    ) {
        guard sessions[id] == nil, case .running = phase else { return }
        let state = account.flatMap { accounts[$0]?.account }
        let identity = state?.uri ?? configuration.identity
        var from = NameAddress(
            displayName: state?.displayName ?? configuration.displayName,
            uri: identity ?? SIPURI(user: UserAgent.defaultUser, host: .name("anonymous.invalid")))
        from.uri = from.uri.asAddressOfRecord
        let proxy = state == nil && uri != directTarget ? configuration.proxy : state?.proxy
        let routes = preloadedRoutes(proxy, account: state?.id)
        let template = InviteSession.Template(
            to: uri, from: from, isAnonymous: identity == nil, routes: routes, nextHop: proxy ?? routes.first?.uri ?? uri, body: body,
            contentType: contentType)
        addSession(id, callID: random.token(24), account: state?.id, isCaller: true)
        sessions[id]?.handle(.invite(template), at: now)
        drainSession(id, at: now)
    }

    static let defaultUser = "sidetone"
    /// The option tag and the INFO package of RFC 8840.
    static let trickle = "trickle-ice"

    /// INFO packages that we take.
    var packages: [String] { configuration.trickle ? [UserAgent.trickle] : [] }

    /// The peer of this session named this option tag in its last Supported.
    public func peerSupports(_ option: String, session: SessionID) -> Bool {
        sessions[session]?.peerSupported.contains(SIPSyntax.lowercased(option)) == true
    }

    /// The peer of this session takes INFO of this package, as its last Recv-Info says.
    public func peerReceivesInfo(_ package: String, session: SessionID) -> Bool {
        sessions[session]?.peerPackages.contains(SIPSyntax.lowercased(package)) == true
    }

    /// The proxy, then what the registrar named as service route (RFC 3608 §6.1), unless that begins with the proxy itself.
    private func preloadedRoutes(_ proxy: SIPURI?, account: String?) -> [NameAddress] {
        let service = account.flatMap { registrations[$0]?.serviceRoute } ?? []
        guard let proxy else { return service }
        if let first = service.first?.uri, first.host == proxy.host, first.port == proxy.port { return service }
        return [proxy.asRoute] + service
    }

    mutating func addSession(_ id: SessionID, callID: String, account: String?, isCaller: Bool) {
        let localTag = random.token(12)
        sessions[id] = InviteSession(
            id: id, callID: callID, localTag: localTag, account: account, isCaller: isCaller, timings: configuration.timings,
            ringLimit: configuration.ringLimit, random: random, packages: packages)
        sessionsByDialog[LocalDialog(callID: callID, localTag: localTag)] = id
    }

    mutating func drainSession(_ id: SessionID, at now: Instant) {
        while let output = sessions[id]?.poll() {
            switch output {
            case .send(let request): send(request, at: now)
            case .cancel(let token, let reason): cancel(token, reason, at: now)
            case .repeatAcknowledgement(let token): repeatAcknowledgement(token, at: now)
            case .forget(let token): forget(token)
            case .respond(let key, let response): respond(key, response, at: now)
            case .event(let event): tell(event)
            }
        }
        guard let session = sessions[id] else { return }
        if session.isFinished { removeSession(session) } else { setTimer(.session(id), session.deadline) }
    }

    private mutating func removeSession(_ session: InviteSession) {
        sessions[session.id] = nil
        sessionsByDialog[LocalDialog(callID: session.callID, localTag: session.localTag)] = nil
        setTimer(.session(session.id), nil)
        for token in session.acknowledgements.values { forget(token) }
    }

    mutating func forget(_ token: RequestToken) {
        if case .resolving(let id) = deliveries[token]?.state { resolutions[id] = nil }
        deliveries[token] = nil
        setTimer(.request(token), nil)
    }

    /// Tells the owner of a request.
    mutating func deliver(_ response: SIPResponse, to token: RequestToken, request: SIPRequest, flow: SIPFlow, at now: Instant) {
        let hasCredentials = request.headers.contains(.authorization) || request.headers.contains(.proxyAuthorization)
        switch token.owner {
        case .session(let id):
            sessions[id]?.handle(.response(token, response, request: request, flow: flow, hasCredentials: hasCredentials), at: now)
            drainSession(id, at: now)
        case .registration(let account):
            if response.isSuccess { accounts[account]?.authenticator?.noteSuccess(response) }
            registrations[account]?.handle(.response(token, response, request: request, flow: flow), at: now)
            drainRegistration(account, at: now)
        }
    }

    mutating func deliver(_ failure: RequestFailure, to token: RequestToken, at now: Instant) {
        switch token.owner {
        case .session(let id):
            sessions[id]?.handle(.failed(token, failure), at: now)
            drainSession(id, at: now)
        case .registration(let account):
            registrations[account]?.handle(.failed(token, failure), at: now)
            drainRegistration(account, at: now)
        }
    }

    /// The account that an incoming call is for: by address of record, else by the user of our Contact.
    func account(for request: SIPRequest) -> String? {
        let ids = accounts.keys.sorted()
        let to = request.headers.to?.uri.asAddressOfRecord
        for id in ids {
            guard let uri = accounts[id]?.account.uri.asAddressOfRecord else { continue }
            if let to, to.isEquivalent(to: uri) || request.uri.asAddressOfRecord.isEquivalent(to: uri) { return id }
        }
        return ids.first { id in
            guard let user = accounts[id]?.account.uri.user else { return false }
            return user == request.uri.user
        }
    }
}
