import Core

/// Changing an established session: re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311) from either side, and their glare.
extension InviteSession {
    mutating func reoffer(_ body: [UInt8]?, attempt: Int, at now: Instant) {
        guard case .established = state, dialogs[tag] != nil else { return refuseReoffer(491) }
        switch modification {
        case .none where postponed == nil: break
        // Theirs comes first; ours follows it.
        case .requested where postponed == nil: return postpone(body, attempt: attempt, at: now)
        case .none, .requested, .offered, .answering: return refuseReoffer(491)
        }
        // Our 2xx still waits for its ACK: the peer's INVITE is not over (§14.1).
        guard unacknowledged.isEmpty else { return postpone(body, attempt: attempt, at: now) }
        guard var request = dialogs[tag]?.makeRequest(.invite), let dialog = dialogs[tag] else { return }
        if let body {
            request.headers.contentType = InviteSession.sdp
            request.body = body
        }
        let token = makeToken(.modification)
        modification = .offered(token, body: body, attempt: attempt)
        send(request, in: dialog, token)
    }

    private mutating func refuseReoffer(_ status: Int) { if !isOver { tell(.reofferFailed(id, status: status)) } }

    /// §14.1: who made the Call-ID waits 2.1 to 4 s, the other up to 2 s, in steps of 10 ms.
    private mutating func postpone(_ body: [UInt8]?, attempt: Int, at now: Instant) {
        guard attempt < InviteSession.maximumGlares else { return refuseReoffer(491) }
        let steps = isCaller ? 210 + Int(random.uniform() * 191) : Int(random.uniform() * 201)
        postponed = (body, attempt + 1)
        timers.set(.backOff, at: now + .milliseconds(10 * steps))
    }

    mutating func resumePostponed(at now: Instant) {
        guard let waiting = postponed else { return }
        postponed = nil
        reoffer(waiting.body, attempt: waiting.attempt, at: now)
    }

    mutating func receiveModification(_ response: SIPResponse, to request: SIPRequest, _ token: RequestToken, at now: Instant) {
        guard response.isFinal else { return }
        if response.isSuccess { return receiveModificationSuccess(response, to: request, token) }
        requests[token] = nil
        guard case .offered(token, let body, let attempt) = modification else { return }
        modification = .none
        guard case .established = state else { return }
        switch response.status {
        case 491: postpone(body, attempt: attempt, at: now)
        case 481: loseDialog(SessionEnd(by: .remote, status: 481, reason: response.reason, cause: .rejected), sendsBye: false)
        case 408: loseDialog(SessionEnd(by: .remote, status: 408, reason: response.reason, cause: .timeout), sendsBye: true)
        default: tell(.reofferFailed(id, status: response.status))
        }
    }

    private mutating func receiveModificationSuccess(_ response: SIPResponse, to request: SIPRequest, _ token: RequestToken) {
        let key = AcknowledgementKey(tag: tag, number: request.headers.cSeq?.number ?? 0)
        if let token = acknowledgements[key] { return emit(.repeatAcknowledgement(token)) }
        guard case .offered(token, let body, _) = modification else {
            // The session ended meanwhile: the 2xx is still acknowledged. An unanswered offer waits for the phone.
            if case .answering = modification { return }
            if let dialog = dialogs[tag] { acknowledge(request, in: dialog, body: nil) }
            return
        }
        dialogs[tag]?.refreshTarget(from: response.headers)
        noteCapabilities(response.headers)
        guard let dialog = dialogs[tag] else { return }
        if body == nil, response.sessionDescription != nil {
            modification = .answering(invite: request)
        } else {
            modification = .none
            acknowledge(request, in: dialog, body: nil)
        }
        if case .established = state { tell(.reofferAnswered(id, sdp: response.sessionDescription)) }
    }

    mutating func modificationFailed(_ token: RequestToken, _ failure: RequestFailure) {
        guard case .offered(token, _, _) = modification else { return }
        modification = .none
        guard case .established = state else { return }
        // A flow that is lost comes back (RFC 5626): only silence ends the dialog (RFC 3261 §12.2.1.2).
        if case .timeout = failure {
            loseDialog(SessionEnd(by: .remote, reason: failure.text, cause: failure.cause), sendsBye: true)
        } else {
            tell(.reofferFailed(id, status: 503))
        }
    }

    /// A request inside the dialog got 408, 481 or nothing: the dialog is over (§12.2.1.2).
    mutating func loseDialog(_ end: SessionEnd, sendsBye: Bool) {
        state = .ended
        abandonModification()
        if sendsBye { sendBye(tag, reason: nil) } else { dialogs[tag] = nil }
        self.end(end)
    }

    // MARK: The peer's side

    mutating func receiveReinvite(_ request: SIPRequest, _ key: TransactionKey) {
        switch (state, modification) {
        case (.established, .none), (.answered, .none):
            if case .answered = state, unacknowledged.values.contains(where: \.expectsAnswer) {
                return emit(.respond(key, makeResponse(to: request, 491)))
            }
            modification = .requested(key, request)
            tell(.reoffered(id, sdp: request.sessionDescription))
        case (.established, .requested), (.answered, .requested), (.ringing, _): refuseForNow(request, key)
        case (.established, _), (.answered, _), (.awaitingAnswer, _): emit(.respond(key, makeResponse(to: request, 491)))
        default: emit(.respond(key, makeResponse(to: request, 481)))
        }
    }

    mutating func receiveUpdate(_ request: SIPRequest, _ key: TransactionKey) {
        guard let offer = request.sessionDescription else {
            dialogs[request.headers.from?.tag ?? ""]?.refreshTarget(from: request.headers)
            return emit(.respond(key, makeResponse(to: request, 200)))
        }
        switch (state, modification) {
        case (.established, .none), (.answered, .none):
            // An offer of ours waits for its answer: theirs has to wait (§5.2).
            if unacknowledged.values.contains(where: \.expectsAnswer) { return emit(.respond(key, makeResponse(to: request, 491))) }
            modification = .requested(key, request)
            tell(.reoffered(id, sdp: offer))
        case (.established, .requested), (.answered, .requested), (.ringing, _): refuseForNow(request, key)
        default: emit(.respond(key, makeResponse(to: request, 491)))
        }
    }

    /// 500 with Retry-After of 0 to 10 s (§14.2, RFC 3311 §5.2).
    private mutating func refuseForNow(_ request: SIPRequest, _ key: TransactionKey) {
        var response = makeResponse(to: request, 500)
        response.headers.retryAfter = UInt32(random.uniform() * 10)
        emit(.respond(key, response))
    }

    mutating func answerReoffer(_ body: [UInt8]?, _ status: Int, at now: Instant) {
        guard case .requested(let key, let request) = modification else { return }
        modification = .none
        guard (200..<300).contains(status) else {
            return emit(.respond(key, makeResponse(to: request, (300..<700).contains(status) ? status : 488)))
        }
        dialogs[tag]?.refreshTarget(from: request.headers)
        if request.method == .invite {
            sendSuccess(to: request, key, body: body, at: now)
        } else {
            emit(.respond(key, makeResponse(to: request, 200, body: body)))
        }
    }

    /// The session ends: what the peer asked for and nobody answered gets 487.
    mutating func abandonModification() {
        if case .requested(let key, let request) = modification { emit(.respond(key, makeResponse(to: request, 487))) }
        modification = .none
        postponed = nil
        timers.cancel(.backOff)
    }
}
