import Core

extension UserAgent {
    mutating func register(_ id: String, at now: Instant) {
        guard let state = accounts[id], case .running = phase else { return }
        if registrations[id] == nil { registrations[id] = Registration(callID: random.token(24), localTag: random.token(12), random: random) }
        registrations[id]?.handle(.register(Registration.Target(state)), at: now)
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
            case .event(let state, let status, let expires, let cause):
                tell(.registration(account: id, state: state, status: status, expiresSeconds: expires, cause: cause))
            }
        }
        setTimer(.registration(id), registrations[id]?.deadline)
    }

    /// Nonces from before save the challenge.
    private mutating func sendRegister(_ request: OutgoingRequest, _ id: String, at now: Instant) {
        var request = request
        accounts[id]?.authenticator?.authorize(&request.request, random: random)
        send(request, at: now)
    }
}
