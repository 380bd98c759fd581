import Core

extension UserAgent {
    public mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .listening(let transport, let address): listeners.append((transport, address))
        case .sendsOnly(let address): sources.append(address)
        case .resolved(let id, let targets): resolved(id, targets, at: now)
        case .resolutionFailed(let id, let reason): resolutionFailed(id, reason, at: now)
        case .connected(let id, let local, let remote): connected(id, local, remote, at: now)
        case .connectionFailed(let id, let reason): connectionLost(id, reason, at: now)
        case .closed(let id): connectionLost(id, .other("connection closed"), at: now)
        case .accepted(let flow): accepted(flow, guest: nil, at: now)
        case .acceptedGuest(let flow, let uri): accepted(flow, guest: uri, at: now)
        case .unreachable(let transport, let address): unreachable(transport, address, at: now)
        case .addressesChanged(let usable): addressesChanged(usable, at: now)

        case .addAccount(let account): accounts[account.id] = AccountState(account)
        case .register(let id): register(id, at: now)
        case .unregister(let id): unregister(id, at: now)

        case .invite(let id, let uri, let account, let body, let contentType): invite(id, uri, account, body, contentType, at: now)
        case .retry(let id, let body): tell(.retry(body: body), id, at: now)
        case .provisional(let id, let status, let body): tell(.provisional(status: status, body: body), id, at: now)
        case .accept(let id, let body): tell(.accept(body: body), id, at: now)
        case .reject(let id, let status, let reason): tell(.reject(status: status, reason: reason), id, at: now)
        case .acknowledge(let id, let body): tell(.acknowledge(body: body), id, at: now)
        case .reoffer(let id, let body): tell(.reoffer(body: body), id, at: now)
        case .answerReoffer(let id, let body, let status): tell(.answerReoffer(body: body, status: status), id, at: now)
        case .hangUp(let id, let reason): tell(.hangUp(reason: reason), id, at: now)
        case .sendInfo(let id, let package, let contentType, let body):
            tell(.sendInfo(InviteSession.QueuedInfo(package: package, contentType: contentType, body: body)), id, at: now)
        case .shutdown: shutDown(at: now)
        }
    }

    private mutating func tell(_ input: InviteSession.Input, _ id: SessionID, at now: Instant) {
        sessions[id]?.handle(input, at: now)
        drainSession(id, at: now)
    }

    private mutating func shutDown(at now: Instant) {
        guard case .running = phase else { return }
        phase = .shuttingDown
        for id in sessions.keys.sorted(by: { $0.raw < $1.raw }) {
            if sessions[id]?.isRinging == true {
                tell(.reject(status: 480, reason: nil), id, at: now)
            } else {
                tell(.hangUp(reason: nil), id, at: now)
            }
        }
        for account in registrations.keys.sorted() { unregister(account, at: now) }
    }
}
