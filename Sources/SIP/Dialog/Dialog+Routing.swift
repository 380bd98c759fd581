/// How requests inside a dialog are addressed (RFC 3261 §12.2.1.1).
extension Dialog {
    /// A request with the next sequence number, without Via and Contact.
    mutating func makeRequest(_ method: SIPMethod) -> SIPRequest {
        addressed(method, sequence: nextSequence())
    }

    /// The ACK of a 2xx (§13.2.2.4): the INVITE's number and its credentials, its own branch.
    func makeAcknowledgement(of invite: SIPRequest) -> SIPRequest {
        var request = addressed(.ack, sequence: invite.headers.cSeq?.number ?? localSequence)
        request.headers.copy(.authorization, from: invite.headers)
        request.headers.copy(.proxyAuthorization, from: invite.headers)
        return request
    }

    private func addressed(_ method: SIPMethod, sequence: UInt32) -> SIPRequest {
        var headers = SIPHeaders()
        headers.maxForwards = 70
        headers.from = local
        headers.to = remote
        headers.callID = id.callID
        headers.cSeq = CSeq(number: sequence, method: method)
        for route in routes { headers.add(.route, route) }
        return SIPRequest(method: method, uri: requestURI, headers: headers, body: [])
    }

    /// A first route without `lr` is a strict router: it becomes the Request-URI.
    var startsWithStrictRouter: Bool {
        guard let first = routeSet.first else { return false }
        return !first.uri.isLooseRouter
    }

    var requestURI: SIPURI {
        guard startsWithStrictRouter, let first = routeSet.first else { return remoteTarget.asRequestURI }
        return first.uri.asRequestURI
    }

    /// The Route header's values.
    var routes: [NameAddress] {
        guard startsWithStrictRouter else { return routeSet }
        return routeSet.dropFirst() + [NameAddress(uri: remoteTarget)]
    }

    /// The URI that is resolved to find the next hop: the first route, else the target (RFC 3261 §8.1.2).
    var nextHop: SIPURI { routeSet.first?.uri ?? remoteTarget }
}
