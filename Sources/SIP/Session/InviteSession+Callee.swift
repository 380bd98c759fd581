import Core

/// The callee's side (RFC 3261 §13.3) up to the ACK.
extension InviteSession {
    mutating func receiveInvite(_ request: SIPRequest, _ key: TransactionKey, _ flow: SIPFlow, at now: Instant) {
        guard case .idle = state, let dialog = Dialog(incoming: request, localTag: localTag), let from = request.headers.from,
            let to = request.headers.to
        else { return }
        self.flow = flow
        tag = dialog.id.remoteTag
        dialogs = [tag: dialog]
        state = .ringing(key, invite: request, last: nil)
        timers.set(.ring, at: now + ringLimit)
        noteCapabilities(request.headers)
        let offer = request.sessionDescription
        let call = IncomingCall(
            from: from, to: to, requestURI: request.uri, offer: offer, contentType: request.headers.mediaType ?? InviteSession.sdp, flow: flow,
            callID: callID, account: account)
        tell(.incomingCall(id, call))
    }

    /// A response inside the dialog that our tag names.
    func makeResponse(to request: SIPRequest, _ status: Int, _ reason: String? = nil, body: [UInt8]? = nil) -> SIPResponse {
        var response = SIPResponse(to: request, status: status, reason: reason, toTag: localTag)
        if request.method == .invite, (101..<300).contains(status) { response.headers.copy(.recordRoute, from: request.headers) }
        if let body {
            response.headers.contentType = InviteSession.sdp
            response.body = body
        }
        return response
    }

    mutating func respondProvisionally(_ status: Int, _ body: [UInt8]?, at now: Instant) {
        guard case .ringing(let key, let invite, _) = state, (101..<200).contains(status) else { return }
        let response = makeResponse(to: invite, status, body: body)
        state = .ringing(key, invite: invite, last: response)
        emit(.respond(key, response))
        timers.set(.refresh, at: now + .seconds(60))
    }

    /// A proxy on the way may give up after three minutes of silence (§13.3.1.1).
    mutating func refreshProvisional(at now: Instant) {
        guard case .ringing(let key, _, let last?) = state else { return }
        emit(.respond(key, last))
        timers.set(.refresh, at: now + .seconds(60))
    }

    mutating func accept(_ body: [UInt8]?, at now: Instant) {
        guard case .ringing(let key, let invite, _) = state else { return }
        timers.cancel(.ring)
        timers.cancel(.refresh)
        dialogs[tag]?.confirm()
        state = .answered
        sendSuccess(to: invite, key, body: body, at: now)
    }

    /// A 2xx to an INVITE is repeated until its ACK, over reliable transports too (§13.3.1.4).
    mutating func sendSuccess(to invite: SIPRequest, _ key: TransactionKey, body: [UInt8]?, at now: Instant) {
        let response = makeResponse(to: invite, 200, body: body)
        let number = invite.headers.cSeq?.number ?? 0
        unacknowledged[number] = Unacknowledged(
            key: key, response: response, interval: timings.t1, expectsAnswer: invite.sessionDescription == nil && body != nil)
        timers.set(.retransmit(number), at: now + timings.t1)
        timers.set(.acknowledgement(number), at: now + timings.limit)
        emit(.respond(key, response))
    }

    mutating func retransmitSuccess(_ number: UInt32, at now: Instant) {
        guard var pending = unacknowledged[number] else { return }
        emit(.respond(pending.key, pending.response))
        pending.interval = min(pending.interval * 2, timings.t2)
        unacknowledged[number] = pending
        timers.set(.retransmit(number), at: now + pending.interval)
    }

    private mutating func removeUnacknowledged(_ number: UInt32) -> Unacknowledged? {
        timers.cancel(.retransmit(number))
        timers.cancel(.acknowledgement(number))
        return unacknowledged.removeValue(forKey: number)
    }

    mutating func removeAllUnacknowledged() { for number in unacknowledged.keys { _ = removeUnacknowledged(number) } }

    mutating func receiveAcknowledgement(_ request: SIPRequest, at now: Instant) {
        guard let number = request.headers.cSeq?.number, let pending = removeUnacknowledged(number) else { return }
        let answer = request.sessionDescription
        noteCapabilities(request.headers, isAcknowledgement: true)
        defer { sendNextInfo() }
        switch state {
        case .answered:
            state = .established
            tell(.acknowledged(id, sdp: answer))
        case .hangingUp(let reason):
            state = .ended
            sendBye(tag, reason: reason)
        case .established: if pending.expectsAnswer { tell(.acknowledged(id, sdp: answer)) }
        default: return
        }
    }

    /// 64·T1 without ACK: the session ends (§13.3.1.4, §14.2).
    mutating func acknowledgementMissing(_ number: UInt32) {
        guard removeUnacknowledged(number) != nil else { return }
        switch state {
        case .answered, .established:
            state = .ended
            sendBye(tag, reason: nil)
            end(SessionEnd(by: .local, status: 200, reason: "no ACK", cause: .noAck))
        case .hangingUp(let reason):
            state = .ended
            sendBye(tag, reason: reason)
        default: return
        }
    }

    mutating func reject(_ status: Int, _ reason: String?) {
        guard case .ringing(let key, let invite, _) = state else { return }
        let response = makeResponse(to: invite, (300..<700).contains(status) ? status : 603, reason)
        emit(.respond(key, response))
        dialogs = [:]
        state = .ended
        end(SessionEnd(by: .local, status: response.status, reason: response.reason, cause: .rejected))
    }

    /// CANCEL of an INVITE or re-INVITE that has no final response yet; a later one has no effect (§9.2).
    mutating func receiveCancel(_ key: TransactionKey, _ request: SIPRequest) {
        if case .ringing(key, let invite, _) = state {
            emit(.respond(key, makeResponse(to: invite, 487)))
            dialogs = [:]
            state = .ended
            let reason = ReasonHeader.text(request.headers) ?? "Request Terminated"
            end(SessionEnd(by: .remote, status: 487, reason: reason, cause: .cancelled))
        } else if case .requested(key, let invite) = modification {
            emit(.respond(key, makeResponse(to: invite, 487)))
            modification = .none
        }
    }
}
