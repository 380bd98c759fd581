import Core

/// Requests inside the dialog, and the end of the session by either side (RFC 3261 §12.2.2, §15).
extension InviteSession {
    mutating func receive(_ request: SIPRequest, _ key: TransactionKey, _ flow: SIPFlow, at now: Instant) {
        let remoteTag = request.headers.from?.tag ?? ""
        guard dialogs[remoteTag] != nil else { return emit(.respond(key, makeResponse(to: request, 481))) }
        guard dialogs[remoteTag]?.accept(request) == true else { return emit(.respond(key, makeResponse(to: request, 500))) }
        if remoteTag == tag {
            self.flow = flow
            isTagKnown = true
        }
        if request.method == .invite || request.method == .update { noteCapabilities(request.headers) }
        switch request.method {
        case .bye: receiveBye(request, key)
        case .invite: receiveReinvite(request, key)
        case .update: receiveUpdate(request, key)
        case .info: receiveInfo(request, key)
        case .options: emit(.respond(key, makeResponse(to: request, 200)))
        default: emit(.respond(key, makeResponse(to: request, 405)))
        }
        sendNextInfo()
    }

    private mutating func receiveBye(_ request: SIPRequest, _ key: TransactionKey) {
        switch state {
        case .established, .answered, .awaitingAnswer:
            endByPeer(request, key, cause: .bye, status: 200)
        case .ringing(let inviteKey, let invite, _):
            emit(.respond(inviteKey, makeResponse(to: invite, 487)))
            endByPeer(request, key, cause: .cancelled, status: 487)
        case .hangingUp:
            removeAllUnacknowledged()
            dialogs = [:]
            state = .ended
            emit(.respond(key, makeResponse(to: request, 200)))
        case .ended: emit(.respond(key, makeResponse(to: request, 200)))  // their BYE met ours
        case .inviting(let token): endEarly(request, key, token)
        case .idle, .cancelling, .refused: emit(.respond(key, makeResponse(to: request, 481)))
        }
    }

    /// A BYE before any 2xx came: the callee answered, its 2xx were all lost and it gave up. When no other fork is left, so do we.
    private mutating func endEarly(_ request: SIPRequest, _ key: TransactionKey, _ token: RequestToken) {
        emit(.respond(key, makeResponse(to: request, 200)))
        dialogs[request.headers.from?.tag ?? ""] = nil
        guard dialogs.isEmpty else { return }
        state = .cancelling(token)
        end(SessionEnd(by: .remote, reason: ReasonHeader.text(request.headers) ?? "", cause: .bye))
        emit(.cancel(token, reason: nil))
    }

    private mutating func endByPeer(_ request: SIPRequest, _ key: TransactionKey, cause: SessionEnd.Cause, status: Int) {
        emit(.respond(key, makeResponse(to: request, 200)))
        if case .awaitingAnswer(let tag, let invite) = state, let dialog = dialogs[tag] { acknowledge(invite, in: dialog, body: nil) }
        abandonModification()
        removeAllUnacknowledged()
        dialogs = [:]
        state = .ended
        end(SessionEnd(by: .remote, status: status, reason: ReasonHeader.text(request.headers) ?? "", cause: cause))
    }

    mutating func sendBye(_ tag: String, reason: String?) {
        guard var request = dialogs[tag]?.makeRequest(.bye), let dialog = dialogs[tag] else { return }
        if let value = ReasonHeader.value(text: reason) { request.headers[.reason] = value }
        send(request, in: dialog, makeToken(.bye(tag: tag)))
    }

    mutating func hangUp(_ reason: String?, at now: Instant) {
        let bye = SessionEnd(by: .local, status: 200, reason: reason ?? "", cause: .bye)
        switch state {
        case .idle:
            state = .ended
            end(SessionEnd(by: .local, reason: reason ?? "", cause: .cancelled))
        case .inviting(let token):
            state = .cancelling(token)
            end(SessionEnd(by: .local, reason: reason ?? "", cause: .cancelled))
            emit(.cancel(token, reason: reason))
        case .refused(let status, let phrase):
            state = .ended
            end(SessionEnd(by: .remote, status: status, reason: phrase, cause: .rejected))
        case .awaitingAnswer(let tag, let invite):
            if let dialog = dialogs[tag] { acknowledge(invite, in: dialog, body: nil) }
            state = .ended
            sendBye(tag, reason: reason)
            end(bye)
        case .ringing: reject(603, nil)
        case .answered:
            abandonModification()
            state = .hangingUp(reason: reason)
            end(bye)
        case .established:
            if case .answering(let invite) = modification, let dialog = dialogs[tag] { acknowledge(invite, in: dialog, body: nil) }
            abandonModification()
            removeAllUnacknowledged()
            state = .ended
            sendBye(tag, reason: reason)
            end(bye)
        case .cancelling, .hangingUp, .ended: return
        }
    }
}
