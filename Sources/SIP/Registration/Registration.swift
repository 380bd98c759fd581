import Core

/// The binding of one account at its registrar (RFC 3261 §10.2): registers, refreshes, comes back after failures, un-registers.
struct Registration: StateMachine {
    private enum State {
        case idle
        /// The first REGISTER, or one after a failure.
        case registering(RequestToken)
        case registered
        case refreshing(RequestToken)
        /// Waits for the next try.
        case failed
        case unregistering(RequestToken)
    }

    enum Timer: Hashable, Sendable {
        case refresh, retry
        /// The next ping, and the end of waiting for its pong.
        case keepAlive, pong
    }

    enum Input: Sendable {
        case register(Target)
        case unregister
        /// `request`: as it was sent, with our Contact.
        case response(RequestToken, SIPResponse, request: SIPRequest, flow: SIPFlow)
        case failed(RequestToken, RequestFailure)
        /// The connection is gone, by which calls would come.
        case flowLost(ConnectionID)
        /// The answer to a ping came by this connection.
        case pong(ConnectionID)
        /// The network changed; the condition tells which addresses of ours are gone.
        case addressesChanged(isGone: @Sendable (IPAddress) -> Bool)
    }

    enum Output: Sendable {
        case send(OutgoingRequest)
        /// The answer to this request does not matter any more.
        case forget(RequestToken)
        /// A double CRLF (RFC 5626 §3.5.1).
        case ping(SIPFlow)
        /// No pong came: the connection is dead, whatever TCP thinks.
        case flowFailed(ConnectionID)
        case event(RegistrationState, status: Int?, expiresSeconds: Int?, cause: SessionEnd.Cause?)
    }

    /// RFC 5626 §4.5, seconds.
    private static let baseTime = 30.0
    private static let maximumTime = 1800.0
    private static let maximumExpires: UInt32 = 7 * 86400
    private static let maximumServiceRoutes = 8

    let random: RandomSource
    private let callID: String
    private let localTag: String
    private var state = State.idle
    private var target: Target?
    private var sequence: UInt32 = 0
    private var expires: UInt32 = 3600
    private var failures = 0
    private var tokenCounter: UInt64 = 0
    /// By which the registrar reaches us, while registered.
    private(set) var flow: SIPFlow?
    /// The first hop takes no outbound (439): plain REGISTER from now on.
    private var isOutboundRefused = false
    /// The registrar does outbound (RFC 5626 §4.2.1): it keeps the binding of this flow, and answers pings.
    var isOutbound = false
    /// What the server asks for, in seconds.
    var flowTimer: UInt32?
    /// This connection has answered a ping.
    var hasPonged = false
    /// Where initial requests go (RFC 3608); empty: as configured.
    private(set) var serviceRoute: [NameAddress] = []
    var timers = TimerTable<Timer>()
    private var outputs: [Output] = []

    init(callID: String, localTag: String, random: RandomSource) {
        self.callID = callID
        self.localTag = localTag
        self.random = random
    }

    var deadline: Instant? { timers.deadline }
    mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }
    mutating func emit(_ output: Output) { outputs.append(output) }

    /// The parameters of the Contact that goes into REGISTER (RFC 5626 §4.2).
    var contactParameters: SIPParameters {
        var parameters = SIPParameters()
        guard let instance = target?.instanceID, !isOutboundRefused else { return parameters }
        parameters.appendQuoted("+sip.instance", "<\(instance)>")
        parameters.append("reg-id", "1")
        return parameters
    }

    var offersOutbound: Bool { target?.instanceID != nil && !isOutboundRefused }

    /// No un-REGISTER waits for its answer.
    var isSettled: Bool { if case .unregistering = state { false } else { true } }

    /// The registrar reaches us by this connection.
    func uses(_ connection: ConnectionID) -> Bool {
        switch state {
        case .registered, .refreshing: flow?.connection == connection
        case .idle, .registering, .failed, .unregistering: false
        }
    }

    mutating func nextSequence() -> UInt32 {
        sequence &+= 1
        return sequence
    }

    mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .register(let target):
            self.target = target
            expires = target.expiresSeconds
            failures = 0
            isOutboundRefused = false
            abandonPending()
            begin()
        case .unregister: unregister()
        case .response(let token, let response, let request, let flow): receive(token, response, request, flow, at: now)
        case .failed(let token, let failure): failed(token, failure, at: now)
        case .flowLost(let connection):
            // Nobody can call us now: the first try is at once, what follows waits as RFC 5626 §4.5 says.
            guard uses(connection), case .registered = state else { return }
            loseFlow()
            begin()
        case .pong(let connection): receivePong(connection)
        case .addressesChanged(let isGone):
            switch state {
            case .registered, .refreshing:
                guard let local = flow?.local.ip, isGone(local) else { return }
                abandonPending()
                loseFlow()
                begin()
            // Another network may lead to the server: no need to wait for the next try.
            case .failed where timers.deadline(of: .retry) != nil: begin()
            case .idle, .registering, .failed, .unregistering: return
            }
        }
    }

    mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch (timer, state) {
            case (.refresh, .registered): state = .refreshing(send(expires: expires))
            case (.retry, .failed): begin()
            case (.keepAlive, .registered), (.keepAlive, .refreshing): keepAlive(at: now)
            case (.pong, _): pongMissing()
            default: continue
            }
        }
    }

    private mutating func begin() {
        timers.cancelAll()
        outputs.append(.event(.registering, status: nil, expiresSeconds: nil, cause: nil))
        state = .registering(send(expires: expires))
    }

    private var pending: RequestToken? {
        switch state {
        case .registering(let token), .refreshing(let token), .unregistering(let token): token
        case .idle, .registered, .failed: nil
        }
    }

    private mutating func abandonPending() { if let pending { outputs.append(.forget(pending)) } }

    private mutating func unregister() {
        timers.cancelAll()
        switch state {
        case .idle, .unregistering: return
        case .failed:
            state = .idle
            outputs.append(.event(.unregistered, status: nil, expiresSeconds: nil, cause: nil))
        case .registering, .registered, .refreshing:
            abandonPending()
            loseFlow()
            state = .unregistering(send(expires: 0))
        }
    }

    private mutating func send(expires: UInt32) -> RequestToken {
        tokenCounter &+= 1
        let account = target?.account ?? ""
        let token = RequestToken(owner: .registration(account), number: tokenCounter)
        guard let target else { return token }
        let identity = NameAddress(displayName: target.displayName, uri: target.uri.asAddressOfRecord)
        var from = identity
        from.tag = localTag
        var headers = SIPHeaders()
        headers.maxForwards = 70
        headers.from = from
        headers.to = identity
        headers.callID = callID
        headers.cSeq = CSeq(nextSequence(), .register)
        if let proxy = target.proxy { headers.routes = [proxy.asRoute] }
        headers.expires = expires
        let request = SIPRequest(method: .register, uri: target.registrar.asRequestURI, headers: headers)
        outputs.append(
            .send(
                OutgoingRequest(
                    token: token, request: request, nextHop: target.proxy ?? target.registrar, account: account, hasContact: true)))
        return token
    }

    private mutating func receive(_ token: RequestToken, _ response: SIPResponse, _ request: SIPRequest, _ flow: SIPFlow, at now: Instant) {
        guard response.isFinal, token == pending else { return }
        if case .unregistering = state { return end(response.status) }
        switch response.status {
        case 200..<300: granted(response, request, flow, at: now)
        case 423:
            // §10.2.8: once more with what the registrar wants.
            guard let minimum = response.headers.minExpires, minimum > expires, minimum <= Registration.maximumExpires else {
                return fail(423, .rejected, retryAfter: nil, mayRetry: false, at: now)
            }
            expires = minimum
            state = .registering(send(expires: expires))
        case 439 where offersOutbound:
            // The edge proxy does no outbound: once more without (RFC 5626 §6).
            isOutboundRefused = true
            state = .registering(send(expires: expires))
        case 401, 403, 407: fail(response.status, .unauthorized, retryAfter: nil, mayRetry: false, at: now)
        case 408, 480, 500..<600:
            fail(response.status, .rejected, retryAfter: response.headers.retryAfter, mayRetry: true, at: now)
        default: fail(response.status, .rejected, retryAfter: nil, mayRetry: false, at: now)
        }
    }

    /// §10.2.4: the time that counts is our own Contact's, else Expires, else what we asked for.
    private mutating func granted(_ response: SIPResponse, _ request: SIPRequest, _ flow: SIPFlow, at now: Instant) {
        let own = request.headers.contacts.first?.uri
        let contacts = response.headers.contacts
        // A registrar that writes our Contact in its own way lists nobody else's: then the only one is ours.
        let binding =
            contacts.first { contact in own.map { contact.uri.isEquivalent(to: $0) } ?? false }
            ?? contacts.first { isOwnInstance($0) } ?? (contacts.count == 1 ? contacts[0] : nil)
        let seconds = min(binding?.expires ?? response.headers.expires ?? expires, Registration.maximumExpires)
        guard seconds > 0 else { return fail(response.status, .rejected, retryAfter: nil, mayRetry: true, at: now) }
        failures = 0
        if self.flow != flow { hasPonged = false }
        self.flow = flow
        isOutbound = offersOutbound && response.headers.require.contains("outbound")
        flowTimer = response.headers.flowTimer
        let routes = response.headers.serviceRoutes.prefix(Registration.maximumServiceRoutes)
        // A strict router would take the place of the target: nobody sends such a thing on purpose.
        serviceRoute = routes.allSatisfy(\.uri.isLooseRouter) ? Array(routes) : []
        state = .registered
        timers.cancelAll()
        timers.set(.refresh, at: now + Registration.refreshInterval(seconds))
        scheduleKeepAlive(at: now)
        outputs.append(.event(.registered, status: response.status, expiresSeconds: Int(seconds), cause: nil))
    }

    private func isOwnInstance(_ contact: NameAddress) -> Bool {
        guard let instance = target?.instanceID else { return false }
        return contact.parameters["+sip.instance"] == "<\(instance)>" && contact.parameters["reg-id"] == "1"
    }

    /// Nobody reaches us by the flow any more, and what was learned by it counts no more.
    private mutating func loseFlow() {
        flow = nil
        isOutbound = false
        hasPonged = false
        timers.cancel(.keepAlive)
        timers.cancel(.pong)
    }

    /// 90 % of the time, but at least 5 s before the end when there is so much, so that one lost REGISTER is still repeated in time.
    static func refreshInterval(_ seconds: UInt32) -> Duration {
        let milliseconds = Int64(seconds) * 1000
        return .milliseconds(max(500, min(milliseconds * 9 / 10, max(milliseconds - 5000, milliseconds / 2))))
    }

    private mutating func failed(_ token: RequestToken, _ failure: RequestFailure, at now: Instant) {
        guard token == pending else { return }
        if case .unregistering = state { return end(nil) }
        if case .refreshing = state, flow?.connection != nil, case .unreachable = failure {
            // The connection died under the refresh: a new one at once.
            loseFlow()
            return begin()
        }
        fail(nil, failure.cause, retryAfter: nil, mayRetry: true, at: now)
    }

    private mutating func end(_ status: Int?) {
        state = .idle
        loseFlow()
        timers.cancelAll()
        outputs.append(.event(.unregistered, status: status, expiresSeconds: nil, cause: nil))
    }

    private mutating func fail(_ status: Int?, _ cause: SessionEnd.Cause, retryAfter: UInt32?, mayRetry: Bool, at now: Instant) {
        state = .failed
        loseFlow()
        timers.cancelAll()
        outputs.append(.event(.failed, status: status, expiresSeconds: nil, cause: cause))
        guard mayRetry else { return }
        failures = min(failures + 1, 16)
        var bound = Registration.baseTime
        for _ in 0..<failures where bound < Registration.maximumTime { bound *= 2 }
        let wait = min(bound, Registration.maximumTime) * (0.5 + random.uniform() / 2)
        timers.set(.retry, at: now + .milliseconds(Int(max(wait, Double(min(retryAfter ?? 0, 86400))) * 1000)))
    }
}
