import Core

/// A request of ours from its owner to a flow: resolution, choice of transport, connection (RFC 3261 §18.1.1, RFC 3263).
extension UserAgent {
    /// A larger request goes over TCP when nothing says otherwise (§18.1.1): bytes.
    static let largestDatagram = 1300

    mutating func send(_ outgoing: OutgoingRequest, at now: Instant) {
        let id = makeResolutionID()
        deliveries[outgoing.token] = Delivery(outgoing: outgoing, state: .resolving(id))
        guard let query = UserAgent.query(for: outgoing.nextHop) else {
            return finish(outgoing.token, .unreachable("unknown scheme or transport: \(outgoing.nextHop)"), at: now)
        }
        resolutions[id] = outgoing.token
        setTimer(.request(outgoing.token), now + configuration.timings.limit)
        emit(.resolve(id, query))
    }

    static func query(for uri: SIPURI) -> ResolutionQuery? {
        guard uri.isSIP else { return nil }
        var transport: SIPTransport?
        if let name = uri.transport {
            guard let known = SIPTransport(rawValue: name) else { return nil }
            transport = known
        }
        return ResolutionQuery(host: uri.maddr ?? uri.host, port: uri.port, transport: transport, secure: uri.isSecure)
    }

    mutating func resolved(_ id: ResolutionID, _ targets: [ResolvedTarget], at now: Instant) {
        guard let token = resolutions.removeValue(forKey: id), var delivery = deliveries[token] else { return }
        var seen = Set<ResolvedTarget>()
        var targets = targets.prefix(32).filter { seen.insert($0).inserted }
        addTCP(to: &targets, delivery.outgoing)
        if let flow = delivery.outgoing.fallback, !targets.contains(where: { $0.transport == flow.transport && $0.address == flow.remote }) {
            targets.append(ResolvedTarget(transport: flow.transport, address: flow.remote, local: flow.local))
        }
        if let account = delivery.outgoing.account, accounts[account]?.owns(nextHop: delivery.outgoing.nextHop) == true {
            for target in targets where (accounts[account]?.addresses.count ?? 0) < 32 { accounts[account]?.addresses.insert(target.address) }
        }
        delivery.targets = targets
        deliveries[token] = delivery
        tryNextTarget(token, .unreachable("no address"), at: now)
    }

    mutating func resolutionFailed(_ id: ResolutionID, _ reason: String, at now: Instant) {
        guard let token = resolutions.removeValue(forKey: id), let delivery = deliveries[token] else { return }
        if let flow = delivery.outgoing.fallback {
            deliveries[token]?.targets = [ResolvedTarget(transport: flow.transport, address: flow.remote, local: flow.local)]
        }
        tryNextTarget(token, .unreachable(reason), at: now)
    }

    /// A large request tries TCP first, with UDP to fall back to. A named transport, or a numeric address with a port, is obeyed.
    private func addTCP(to targets: inout [ResolvedTarget], _ outgoing: OutgoingRequest) {
        let uri = outgoing.nextHop
        if uri.transport != nil || (uri.host.address != nil && uri.port != nil) { return }
        guard let index = targets.firstIndex(where: { $0.transport == .udp }), outgoing.request.method != .ack else { return }
        let target = targets[index]
        let flow = SIPFlow(transport: .udp, local: target.local, remote: target.address)
        guard complete(outgoing, flow, branch: "z9hG4bK0123456789abcdef").serialize().count > UserAgent.largestDatagram else { return }
        let local = SocketAddress(target.local.ip, 0)
        let tcp = ResolvedTarget(transport: .tcp, address: target.address, local: local)
        if !targets.contains(where: { $0.transport == .tcp && $0.address == tcp.address }) { targets.insert(tcp, at: index) }
    }

    /// - Parameters: failure: what the request ends with when there is no further target.
    mutating func tryNextTarget(_ token: RequestToken, _ failure: RequestFailure, at now: Instant) {
        guard let delivery = deliveries[token] else { return }
        guard let target = delivery.targets.first else {
            guard let refusal = delivery.refusal else { return finish(token, failure, at: now) }
            return finish(token, refusal.response, refusal.request, refusal.flow, at: now)
        }
        deliveries[token]?.targets.removeFirst()
        attempt(token, target, at: now)
    }

    mutating func attempt(_ token: RequestToken, _ target: ResolvedTarget, at now: Instant) {
        deliveries[token]?.current = target
        guard target.transport.isReliable else {
            return launch(token, SIPFlow(transport: .udp, local: target.local, remote: target.address), at: now)
        }
        let id = connection(target.transport, to: target.address, from: target.local, name: deliveries[token]?.outgoing.nextHop.host, at: now)
        switch connections[id]?.state {
        case .open:
            guard var flow = connections[id]?.flow else { return }
            flow.connection = id
            launch(token, flow, at: now)
        case .connecting(var waiting, let queue):
            waiting.append(token)
            connections[id]?.state = .connecting(waiting: waiting, queue: queue)
            deliveries[token]?.state = .connecting(id)
            let hasMore = deliveries[token]?.targets.isEmpty == false
            setTimer(.request(token), now + (hasMore ? .seconds(5) : configuration.timings.limit))
        case nil: tryNextTarget(token, .unreachable("no connection"), at: now)
        }
    }

    /// The flow is there: completes the request and starts its transaction.
    mutating func launch(_ token: RequestToken, _ flow: SIPFlow, at now: Instant) {
        guard let delivery = deliveries[token] else { return }
        let branch = Via.magicCookie + random.token(16)
        let request = complete(delivery.outgoing, flow, branch: branch)
        deliveries[token]?.sent = request
        deliveries[token]?.flow = flow
        setTimer(.request(token), nil)
        if request.method == .ack {
            let bytes = request.serialize()
            deliveries[token]?.state = .acknowledged(flow, bytes)
            return write(bytes, flow, at: now)
        }
        let key = TransactionKey(branch: branch, method: request.method)
        deliveries[token]?.state = .sent(key, .calling)
        clientTransactions[key] = ClientTransaction(request: request, flow: flow, token: token, timings: configuration.timings)
        clientTransactions[key]?.handle(.start, at: now)
        drainClient(key, at: now)
    }

    /// Adds what depends on the flow and what we say about ourselves.
    func complete(_ outgoing: OutgoingRequest, _ flow: SIPFlow, branch: String) -> SIPRequest {
        var request = outgoing.request
        let local = advertised(flow)
        let via = Via(transport: flow.transport.viaToken, host: .ip(local.ip), port: local.port, branch: branch)
        request.headers.prepend(.via, via)
        if outgoing.isAnonymous, var from = request.headers.from {
            from.uri.host = .ip(local.ip)
            request.headers.from = from
        }
        if outgoing.hasContact { request.headers.contacts = [contact(flow, account: outgoing.account, secure: request.uri.isSecure)] }
        if request.method == .invite || request.method == .update { addCapabilities(to: &request.headers) }
        request.headers[.userAgent] = configuration.userAgent
        return request
    }

    func addCapabilities(to headers: inout SIPHeaders) {
        headers.allow = UserAgent.allowed
        headers.set(.supported, configuration.supported.joined(separator: ", "))
    }

    /// Where others reach us: for UDP the flow's own address, for streams our listener when there is one.
    func advertised(_ flow: SIPFlow) -> SocketAddress {
        guard flow.transport == .tcp || flow.transport == .tls else { return flow.local }
        for listener in listeners where listener.transport == flow.transport {
            if listener.address.ip == flow.local.ip || (listener.address.ip.isUnspecified && listener.address.ip.isV4 == flow.local.ip.isV4) {
                return SocketAddress(flow.local.ip, listener.address.port)
            }
        }
        return flow.local
    }

    func contact(_ flow: SIPFlow, account: String?, secure: Bool) -> NameAddress {
        let local = advertised(flow)
        let identity = account.flatMap { accounts[$0]?.account.uri } ?? configuration.identity
        var uri = SIPURI(scheme: secure ? "sips" : "sip", host: .ip(local.ip), port: local.port)
        uri.rawUser = identity?.rawUser ?? UserAgent.defaultUser
        if flow.transport != .udp, !(secure && flow.transport == .tls) { uri.transport = flow.transport.rawValue }
        return NameAddress(uri: uri)
    }

    mutating func repeatAcknowledgement(_ token: RequestToken, at now: Instant) {
        guard case .acknowledged(let flow, let bytes) = deliveries[token]?.state else { return }
        write(bytes, flow, at: now)
    }

    /// Time is over for resolver, connection or CANCEL.
    mutating func requestExpired(_ token: RequestToken, at now: Instant) {
        switch deliveries[token]?.state {
        case .resolving(let id):
            resolutions[id] = nil
            finish(token, .unreachable("the name was not resolved in time"), at: now)
        case .connecting(let id):
            stopWaiting(token, for: id)
            tryNextTarget(token, .unreachable("connection timed out"), at: now)
        case .sent(let key, .cancelled):
            clientTransactions[key]?.abandon()
            finish(token, .abandoned, at: now)
            drainClient(key, at: now)
        case .sent, .acknowledged, nil: return
        }
    }

    mutating func finish(_ token: RequestToken, _ failure: RequestFailure, at now: Instant) {
        guard deliveries[token] != nil else { return }
        forget(token)
        deliver(failure, to: token, at: now)
    }

    mutating func finish(_ token: RequestToken, _ response: SIPResponse, _ request: SIPRequest, _ flow: SIPFlow, at now: Instant) {
        guard deliveries[token] != nil else { return }
        forget(token)
        deliver(response, to: token, request: request, flow: flow, at: now)
    }
}
