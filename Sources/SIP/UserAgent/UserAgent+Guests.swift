import Core

/// Browsers whose page we served ourselves (RFC 7118, the server's side): they call us and nobody else.
///
/// A guest's host is of `.invalid`, and no one can be reached there (§5.2): all that goes to a guest goes by the connection that it opened, and the
/// end of the connection is the end of the call. Nothing that a guest writes into Contact, Record-Route or Via leads anywhere else.
extension UserAgent {
    static let guestMethods: Set<SIPMethod> = [.invite, .ack, .bye, .cancel, .info, .update, .options]

    /// Only guests connect to us by WebSocket.
    static func isGuest(_ flow: SIPFlow) -> Bool { flow.transport.isWebSocket && flow.connection?.isOutgoing == false }

    /// 403 to a guest's request that is not for this phone.
    mutating func guestRefusal(of request: SIPRequest, _ flow: SIPFlow) -> SIPResponse? {
        guard UserAgent.isGuest(flow), let id = flow.connection else { return nil }
        guard let uri = connections[id]?.guestURI, UserAgent.guestMethods.contains(request.method), isOurs(request, uri, flow) else {
            strays.refusedGuests &+= 1
            return SIPResponse(to: request, status: 403, toTag: random.token(8))
        }
        return nil
    }

    /// Inside a dialog the Request-URI is our Contact. Outside it, To names us as well.
    private func isOurs(_ request: SIPRequest, _ uri: SIPURI, _ flow: SIPFlow) -> Bool {
        let isUs = { (other: SIPURI) in other.isSIP && other.host == uri.host && other.rawUser == uri.rawUser }
        guard let to = request.headers.to else { return false }
        if to.tag == nil { return isUs(request.uri) && isUs(to.uri) }
        return isUs(request.uri) || request.uri.isSIP && request.uri.host == .ip(advertised(flow).ip)
    }

    /// By the guest's own connection, or not at all.
    mutating func sendToGuest(_ token: RequestToken, _ flow: SIPFlow, at now: Instant) {
        guard let id = flow.connection, connections[id] != nil else { return finish(token, .unreachable("connection closed"), at: now) }
        launch(token, flow, at: now)
    }

    /// The page was closed: nothing can be said to it any more.
    mutating func endGuests(of id: ConnectionID, at now: Instant) {
        for session in sessions.keys.sorted(by: { $0.raw < $1.raw }) where sessions[session]?.flow?.connection == id {
            sessions[session]?.handle(.peerGone, at: now)
            drainSession(session, at: now)
        }
    }
}
