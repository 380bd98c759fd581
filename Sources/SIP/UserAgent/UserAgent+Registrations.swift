import Core

extension UserAgent {
    mutating func register(_ id: String, at now: Instant) {
        guard let state = accounts[id], case .running = phase else { return }
        if registrations[id] == nil { registrations[id] = Registration(callID: random.token(24), localTag: random.token(12), random: random) }
        registrations[id]?.handle(.register(Registration.Target(state, instanceID: configuration.instanceID)), at: now)
        drainRegistration(id, at: now)
    }

    mutating func unregister(_ id: String, at now: Instant) {
        registrations[id]?.handle(.unregister, at: now)
        drainRegistration(id, at: now)
    }

    mutating func drainRegistration(_ id: String, at now: Instant) {
        while let output = registrations[id]?.poll() {
            switch output {
            case .send(let request): sendRegister(request, id, at: now)
            case .forget(let token):
                if case .connecting(let connection) = deliveries[token]?.state { stopWaiting(token, for: connection) }
                forget(token)
            case .ping(let flow): ping(flow, at: now)
            case .flowFailed(let connection): close(connection, at: now)
            case .event(let state, let status, let expires, let cause):
                tell(.registration(account: id, state: state, status: status, expiresSeconds: expires, cause: cause))
                if state == .registered { flowRestored(id, at: now) }
            }
        }
        setTimer(.registration(id), registrations[id]?.deadline)
    }

    private mutating func flowRestored(_ account: String, at now: Instant) {
        for session in sessions.keys.sorted(by: { $0.raw < $1.raw }) where sessions[session]?.account == account {
            sessions[session]?.handle(.flowRestored, at: now)
            drainSession(session, at: now)
        }
    }

    private mutating func ping(_ flow: SIPFlow, at now: Instant) {
        if let id = flow.connection {
            guard case .open(var framer) = connections[id]?.state else { return }
            framer.notePingSent()
            connections[id]?.state = .open(framer)
        }
        emit(.transmit(SIPTransmit(flow: flow, bytes: [13, 10, 13, 10])))
    }

    mutating func receivePong(_ id: ConnectionID, at now: Instant) {
        for account in registrations.keys.sorted() where registrations[account]?.uses(id) == true {
            registrations[account]?.handle(.pong(id), at: now)
            drainRegistration(account, at: now)
        }
    }

    /// The open flow by which the account is registered, when it is a connection.
    func registeredFlow(_ account: String?) -> SIPFlow? {
        guard let account, let flow = registrations[account]?.flow, let id = flow.connection, connections[id] != nil else { return nil }
        return flow
    }

    /// Nonces from before save the challenge.
    private mutating func sendRegister(_ request: OutgoingRequest, _ id: String, at now: Instant) {
        var request = request
        accounts[id]?.authenticator?.authorize(&request.request, random: random)
        send(request, at: now)
    }
}
