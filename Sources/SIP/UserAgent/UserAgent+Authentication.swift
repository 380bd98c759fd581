import Core

/// Who gets credentials: the account's own registrar and proxy, and nobody else (RFC 3261 §22).
extension UserAgent {
    /// Sends the request again with credentials. False when the challenge is not answered.
    mutating func authenticate(_ token: RequestToken, _ response: SIPResponse, _ request: SIPRequest, at now: Instant) -> Bool {
        guard let delivery = deliveries[token], let id = delivery.outgoing.account, let target = delivery.current,
            let account = accounts[id], isTrusted(delivery, account, response)
        else { return false }
        guard case .retry(let answered) = accounts[id]?.authenticator?.answer(response, to: request, random: random) else { return false }
        guard let number = nextSequence(for: token) else { return false }
        accounts[id]?.realms.formUnion(UserAgent.realms(response).prefix(4))
        var outgoing = delivery.outgoing
        outgoing.request.headers.remove(.authorization)
        outgoing.request.headers.remove(.proxyAuthorization)
        outgoing.request.headers.copy(.authorization, from: answered.headers)
        outgoing.request.headers.copy(.proxyAuthorization, from: answered.headers)
        outgoing.request.headers.cSeq = CSeq(number, request.method)
        deliveries[token]?.outgoing = outgoing
        attempt(token, target, at: now)
        return true
    }

    private static func realms(_ response: SIPResponse) -> [String] { DigestChallenge.challenges(in: response.headers).map(\.realm) }

    /// The next hop must be the account's own. Who stands behind it could ask too, to guess the password from the answer: so the realm
    /// must be one that the own hosts named before. While they named none, a 407 and anything from the own domain count as theirs.
    private func isTrusted(_ delivery: Delivery, _ account: AccountState, _ response: SIPResponse) -> Bool {
        let isOwnHop = account.owns(nextHop: delivery.outgoing.nextHop)
        let isOwnAddress = delivery.current.map { account.addresses.contains($0.address) } ?? false
        guard isOwnHop || isOwnAddress else { return false }
        let request = delivery.outgoing.request
        let isOwnTarget = account.owns(request.uri.host)
        if request.method == .register { return isOwnTarget }
        if account.realms.isEmpty { return isOwnTarget || response.status == 407 }
        if account.realms.isSuperset(of: UserAgent.realms(response)) { return true }
        return isOwnTarget && response.status == 407
    }

    private mutating func nextSequence(for token: RequestToken) -> UInt32? {
        switch token.owner {
        case .session(let id): sessions[id]?.nextSequence(for: token)
        case .registration(let account): registrations[account]?.nextSequence()
        }
    }
}
