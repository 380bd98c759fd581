import Core

/// A request of ours from its owner to a flow: resolution, choice of transport, connection (RFC 3261 §18.1.1, RFC 3263).
extension UserAgent {
    /// A larger request goes over TCP when nothing says otherwise (§18.1.1): bytes.
    static let largestDatagram = 1300

    mutating func send(_ outgoing: OutgoingRequest, at now: Instant) {
        let id = makeResolutionID()
        var outgoing = outgoing
        if outgoing.fallback == nil, outgoing.request.method != .register {
            outgoing.preferred = registeredFlow(outgoing.account)
        }
        deliveries[outgoing.token] = Delivery(outgoing: outgoing, state: .resolving(id))
        if let flow = outgoing.fallback, UserAgent.isGuest(flow) { return sendToGuest(outgoing.token, flow, at: now) }
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
            guard let known = SIPTransport(rawValue: name), let allowed = uri.isSecure ? known.secured : known else { return nil }
            transport = allowed
        }
        return ResolutionQuery(host: uri.maddr ?? uri.host, port: uri.port, transport: transport, secure: uri.isSecure)
    }

    mutating func resolved(_ id: ResolutionID, _ targets: [ResolvedTarget], at now: Instant) {
        guard let token = resolutions.removeValue(forKey: id), var delivery = deliveries[token] else { return }
        var seen = Set<ResolvedTarget>()
        var targets = targets.prefix(32).filter { seen.insert($0).inserted }
        addTCP(to: &targets, delivery.outgoing)
        addFlows(to: &targets, delivery.outgoing)
        if let account = delivery.outgoing.account, accounts[account]?.owns(nextHop: delivery.outgoing.nextHop) == true {
            for target in targets where (accounts[account]?.addresses.count ?? 0) < 32 { accounts[account]?.addresses.insert(target.address) }
        }
        delivery.targets = targets
        deliveries[token] = delivery
        tryNextTarget(token, .unreachable("no address"), at: now)
    }

    mutating func resolutionFailed(_ id: ResolutionID, _ reason: String, at now: Instant) {
        guard let token = resolutions.removeValue(forKey: id), let delivery = deliveries[token] else { return }
        var targets: [ResolvedTarget] = []
        addFlows(to: &targets, delivery.outgoing)
        deliveries[token]?.targets = targets
        tryNextTarget(token, .unreachable(reason), at: now)
    }

    /// The flows that are known already. First comes the one by which the account is registered, towards the account's own servers
    /// (RFC 5626 §4.3), and a dialog's own when its next hop only says "WebSocket" (RFC 7118: no one can be called there) or nothing that is as secure. Otherwise where the
    /// dialog was heard is tried last.
    private func addFlows(to targets: inout [ResolvedTarget], _ outgoing: OutgoingRequest) {
        // `sips:` is TLS on every hop, whatever a resolver found (RFC 3261 §26.2.2).
        defer { if outgoing.nextHop.isSecure { targets.removeAll { !$0.transport.isSecure } } }
        if let flow = outgoing.preferred {
            let isOwn = outgoing.account.flatMap { accounts[$0] }?.owns(nextHop: outgoing.nextHop) == true
            let isSame = outgoing.nextHop.host == .ip(flow.remote.ip) && outgoing.prefers(flow)
            if isOwn || isSame { UserAgent.put(flow, first: true, &targets) }
            if isSame { UserAgent.stayAsSecure(as: flow, &targets) }
        }
        guard let flow = outgoing.fallback else { return }
        UserAgent.put(flow, first: outgoing.prefers(flow), &targets)
        if outgoing.prefers(flow) { UserAgent.stayAsSecure(as: flow, &targets) }
    }

    /// `transport=ws` stands for wss too: a server that was reached by TLS is not spoken to in clear.
    private static func stayAsSecure(as flow: SIPFlow, _ targets: inout [ResolvedTarget]) {
        guard flow.transport.isSecure, flow.connection?.isOutgoing == true else { return }
        targets.removeAll { !$0.transport.isSecure }
    }

    private static func put(_ flow: SIPFlow, first: Bool, _ targets: inout [ResolvedTarget]) {
        let index = targets.firstIndex { $0.transport == flow.transport && $0.address == flow.remote }
        if !first, index != nil { return }
        if let index { targets.remove(at: index) }
        let target = ResolvedTarget(transport: flow.transport, address: flow.remote, local: flow.local)
        if first { targets.insert(target, at: 0) } else { targets.append(target) }
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
        let outgoing = deliveries[token]?.outgoing
        let known = [outgoing?.preferred, outgoing?.fallback].compactMap { $0 }.first {
            $0.transport == target.transport && $0.remote == target.address
        }
        let id =
            if let known {
                connection(again: known, name: outgoing?.nextHop.host, at: now)
            } else {
                connection(target.transport, to: target.address, from: target.local, name: outgoing?.nextHop.host, at: now)
            }
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
        if flow.transport == .udp, !delivery.targets.isEmpty { setTimer(.request(token), now + configuration.timings.targetLimit) }
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
        if outgoing.hasContact {
            var contact = contact(flow, account: outgoing.account, secure: request.uri.isSecure)
            if request.method == .register { addOutbound(to: &request.headers, &contact, outgoing.account) }
            request.headers.contacts = [contact]
        }
        if request.method == .ack, !packages.isEmpty { request.headers[.recvInfo] = packages.joined(separator: ", ") }
        if request.method == .invite || request.method == .update { addCapabilities(to: &request.headers) }
        request.headers[.userAgent] = configuration.userAgent
        return request
    }

    /// A binding of this flow and of this installation (RFC 5626 §4.2), by way of proxies that may note themselves (RFC 3327).
    private func addOutbound(to headers: inout SIPHeaders, _ contact: inout NameAddress, _ account: String?) {
        guard let registration = account.flatMap({ registrations[$0] }) else { return }
        contact.uri.parameters.remove("ob")
        for parameter in registration.contactParameters.elements { contact.parameters.appendElement(parameter) }
        headers.supported = ["path"] + (registration.offersOutbound ? ["outbound"] : []) + configuration.supported
    }

    func addCapabilities(to headers: inout SIPHeaders) {
        headers.allow = UserAgent.allowed
        headers.set(.supported, supported.joined(separator: ", "))
        if !packages.isEmpty { headers[.recvInfo] = packages.joined(separator: ", ") }
    }

    /// Option tags that we understand.
    var supported: [String] {
        configuration.supported + (configuration.trickle ? [UserAgent.trickle] : []) + (configuration.instanceID == nil ? [] : ["outbound"])
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
        if flow.transport != .udp, !(secure && flow.transport == .tls) { uri.transport = flow.transport.uriParameter }
        // Requests of a dialog come by the flow of an outbound registration as well (RFC 5626 §4.3).
        if let registration = account.flatMap({ registrations[$0] }), registration.isOutbound, registration.flow?.transport == flow.transport {
            uri.parameters["ob"] = ""
        }
        return NameAddress(uri: uri)
    }

    mutating func repeatAcknowledgement(_ token: RequestToken, at now: Instant) {
        guard let delivery = deliveries[token], case .acknowledged(let flow, let bytes) = delivery.state else { return }
        if let id = flow.connection, connections[id] == nil, let target = delivery.current { return attempt(token, target, at: now) }
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
        case .sent(let key, .calling):
            // Not a word: as if it could not be reached.
            clientTransactions[key]?.handle(.transportFailed, at: now)
            drainClient(key, at: now)
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
