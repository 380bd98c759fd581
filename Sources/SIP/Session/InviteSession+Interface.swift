import Core

extension InviteSession {
    /// What a caller's INVITE is made of; `.retry` makes the next one of it.
    struct Template: Sendable {
        var to: SIPURI
        /// Without our tag.
        var from: NameAddress
        var isAnonymous: Bool
        /// The account's outbound proxy and its service route (RFC 3608).
        var routes: [NameAddress]
        /// What is resolved: the proxy, the first route or the target.
        var nextHop: SIPURI
        var body: [UInt8]?
        var contentType: String
        /// From a 422 (RFC 4028 §6).
        var minSE: String?
    }

    enum Input: Sendable {
        case invite(Template)
        /// The initial INVITE from outside.
        case incoming(SIPRequest, TransactionKey, SIPFlow)
        /// A request inside a dialog, other than ACK and CANCEL.
        case request(SIPRequest, TransactionKey, SIPFlow)
        case acknowledgement(SIPRequest)
        /// CANCEL of the INVITE with this key.
        case cancel(TransactionKey, SIPRequest)
        /// `request`: as it was sent; `hasCredentials`: it carried some.
        case response(RequestToken, SIPResponse, request: SIPRequest, flow: SIPFlow, hasCredentials: Bool)
        case failed(RequestToken, RequestFailure)
        /// The client transaction of an INVITE is over: no more 2xx can come.
        case terminated(RequestToken)

        case retry(body: [UInt8]?)
        case provisional(status: Int, body: [UInt8]?)
        case accept(body: [UInt8]?)
        case reject(status: Int, reason: String?)
        case acknowledge(body: [UInt8]?)
        case reoffer(body: [UInt8]?)
        case answerReoffer(body: [UInt8]?, status: Int)
        case hangUp(reason: String?)
        case sendInfo(QueuedInfo)
        /// This connection is gone; the account's registration comes back by itself, or not.
        case flowLost(ConnectionID, isRegistering: Bool)
        /// The account is registered again.
        case flowRestored
        /// The one connection by which the peer can be reached is gone.
        case peerGone
    }

    enum Output: Sendable {
        case send(OutgoingRequest)
        /// Cancel the INVITE: at once, after its first provisional response, or before it left.
        case cancel(RequestToken, reason: String?)
        /// Send this ACK again.
        case repeatAcknowledgement(RequestToken)
        /// This ACK is needed no more.
        case forget(RequestToken)
        case respond(TransactionKey, SIPResponse)
        case event(UserAgentEvent)
    }

    mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .invite(let template): invite(template)
        case .incoming(let request, let key, let flow): receiveInvite(request, key, flow, at: now)
        case .request(let request, let key, let flow): receive(request, key, flow, at: now)
        case .acknowledgement(let request): receiveAcknowledgement(request, at: now)
        case .cancel(let key, let request): receiveCancel(key, request)
        case .response(let token, let response, let request, let flow, let hasCredentials):
            if hasCredentials { credentialsSent = true }
            receive(response, to: request, token, flow, at: now)
        case .failed(let token, let failure): requestFailed(token, failure, at: now)
        case .terminated(let token): inviteTerminated(token)
        case .retry(let body): retry(body)
        case .provisional(let status, let body): respondProvisionally(status, body, at: now)
        case .accept(let body): accept(body, at: now)
        case .reject(let status, let reason): reject(status, reason)
        case .acknowledge(let body): acknowledgeOffer(body)
        case .reoffer(let body): reoffer(body, attempt: 0, at: now)
        case .answerReoffer(let body, let status): answerReoffer(body, status, at: now)
        case .hangUp(let reason): hangUp(reason, at: now)
        case .sendInfo(let info): sendInfo(info)
        case .flowLost(let connection, let isRegistering): flowLost(connection, isRegistering: isRegistering)
        case .flowRestored: refreshFlow()
        case .peerGone: peerGone()
        }
    }

    mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch timer {
            case .ring: reject(480, nil)
            case .refresh: refreshProvisional(at: now)
            case .retransmit(let number): retransmitSuccess(number, at: now)
            case .acknowledgement(let number): acknowledgementMissing(number)
            case .backOff: resumePostponed(at: now)
            case .flow: refreshFlow()
            }
        }
    }

    /// The sequence number for another try of a request after a challenge.
    mutating func nextSequence(for token: RequestToken) -> UInt32 {
        switch requests[token] {
        case .modification, .refresh:
            if dialogs[tag] != nil { return dialogs[tag]?.nextSequence() ?? 1 }
        case .bye(let tag):
            if dialogs[tag] != nil { return dialogs[tag]?.nextSequence() ?? 1 }
        case .info(let tag, _):
            if dialogs[tag] != nil { return dialogs[tag]?.nextSequence() ?? 1 }
        case .invite, nil: break
        }
        sequence &+= 1
        return sequence
    }

    /// Sends a request inside the dialog with this tag.
    mutating func send(_ request: SIPRequest, in dialog: Dialog, _ token: RequestToken) {
        let hasContact = request.method == .invite || request.method == .update
        emit(
            .send(
                OutgoingRequest(
                    token: token, request: request, nextHop: dialog.nextHop, account: account, hasContact: hasContact, fallback: flow)))
    }
}
