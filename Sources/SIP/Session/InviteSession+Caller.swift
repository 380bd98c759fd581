import Core

/// The caller's side (RFC 3261 §13.2) up to the answer.
extension InviteSession {
    mutating func invite(_ template: Template) {
        guard case .idle = state else { return }
        self.template = template
        sendInvite()
    }

    /// The same call again: same Call-ID and From tag, next CSeq.
    mutating func retry(_ body: [UInt8]?) {
        guard case .refused = state else { return }
        template?.body = body
        sendInvite()
    }

    private mutating func sendInvite() {
        guard let template else { return }
        sequence &+= 1
        var from = template.from
        from.tag = localTag
        var headers = SIPHeaders()
        headers.maxForwards = 70
        headers.from = from
        headers.to = NameAddress(uri: template.to.asAddressOfRecord)
        headers.callID = callID
        headers.cSeq = CSeq(sequence, .invite)
        if !template.routes.isEmpty { headers.routes = template.routes }
        if let minSE = template.minSE { headers[.minSE] = minSE }
        if template.body != nil { headers.contentType = template.contentType }
        let request = SIPRequest(method: .invite, uri: template.to.asRequestURI, headers: headers, body: template.body ?? [])
        let token = makeToken(.invite)
        state = .inviting(token)
        emit(
            .send(
                OutgoingRequest(
                    token: token, request: request, nextHop: template.nextHop, account: account, hasContact: true,
                    isAnonymous: template.isAnonymous)))
    }

    mutating func receive(_ response: SIPResponse, to request: SIPRequest, _ token: RequestToken, _ flow: SIPFlow, at now: Instant) {
        if response.isSuccess, request.method == .invite { acceptedNumbers[token] = request.headers.cSeq?.number }
        switch requests[token] {
        case .invite:
            switch response.status {
            case ..<200:
                if response.status > 100 { self.flow = self.flow ?? flow }
                receiveProvisional(response, to: request, token)
            case 200..<300: receiveSuccess(response, to: request, flow)
            default: receiveFailure(response, token)
            }
        case .modification:
            if response.isSuccess { self.flow = flow }
            receiveModification(response, to: request, token, at: now)
        case .bye(let tag):
            guard response.isFinal else { return }
            requests[token] = nil
            dialogs[tag] = nil
        case .refresh: receiveRefresh(response, token, flow)
        case .info(_, let package): receiveInfoResponse(response, token, package: package)
        case nil: return
        }
    }

    private mutating func receiveProvisional(_ response: SIPResponse, to request: SIPRequest, _ token: RequestToken) {
        guard case .inviting(token) = state, response.status > 100 else { return }
        let tag = response.headers.to?.tag ?? ""
        noteCapabilities(response.headers)
        if !tag.isEmpty {
            if dialogs[tag] == nil, dialogs.count < InviteSession.maximumForks {
                dialogs[tag] = Dialog(request: request, response: response)
            } else if response.headers.contains(.contact) {
                dialogs[tag]?.refreshTarget(from: response.headers)
            }
        }
        tell(.provisional(id, status: response.status, reason: response.reason, sdp: response.sessionDescription, dialog: tag))
        sendNextInfo()
    }

    private mutating func receiveSuccess(_ response: SIPResponse, to request: SIPRequest, _ flow: SIPFlow) {
        let tag = response.headers.to?.tag ?? ""
        let key = AcknowledgementKey(tag: tag, number: request.headers.cSeq?.number ?? 0)
        if let token = acknowledgements[key] { return emit(.repeatAcknowledgement(token)) }
        if case .awaitingAnswer(tag, _) = state { return }
        guard case .inviting = state else { return endFork(response, to: request, tag, flow) }
        guard var dialog = dialogs[tag] ?? Dialog(request: request, response: response) else { return }
        dialog.confirm(with: response)
        dialog.raiseSequence(to: max(sequence, request.headers.cSeq?.number ?? 0))
        // The other early dialogs end with the first 2xx (§13.2.2.4); a late 2xx of theirs is taken by `endFork`.
        dialogs = [tag: dialog]
        self.tag = tag
        self.flow = flow
        noteCapabilities(response.headers)
        if request.body.isEmpty, response.sessionDescription != nil {
            state = .awaitingAnswer(tag: tag, invite: request)
        } else {
            state = .established
            acknowledge(request, in: dialog, body: nil)
        }
        tell(
            .answered(
                id, status: response.status, reason: response.reason, sdp: response.sessionDescription, dialog: tag,
                remoteTarget: dialog.remoteTarget, flow: flow))
        sendNextInfo()
    }

    /// A 2xx that nobody wants: of another fork, or after CANCEL. It is acknowledged and ended by BYE.
    private mutating func endFork(_ response: SIPResponse, to request: SIPRequest, _ tag: String, _ flow: SIPFlow) {
        guard acknowledgements.count < InviteSession.maximumForks, var dialog = Dialog(request: request, response: response) else { return }
        dialog.confirm()
        self.flow = self.flow ?? flow
        acknowledge(request, in: dialog, body: nil)
        if case .cancelling = state { state = .ended }
        dialogs[tag] = dialog
        sendBye(tag, reason: nil)
    }

    /// The ACK of a 2xx. It is kept by the user agent and goes out again with each repeated 2xx.
    mutating func acknowledge(_ invite: SIPRequest, in dialog: Dialog, body: [UInt8]?) {
        var request = dialog.makeAcknowledgement(of: invite)
        if let body {
            request.headers.contentType = InviteSession.sdp
            request.body = body
        }
        let token = makeToken(.invite)
        requests[token] = nil
        acknowledgements[AcknowledgementKey(tag: dialog.id.remoteTag, number: invite.headers.cSeq?.number ?? 0)] = token
        send(request, in: dialog, token)
    }

    /// No repeated 2xx of this INVITE can come any more: its ACKs are forgotten.
    mutating func inviteTerminated(_ token: RequestToken) {
        requests[token] = nil
        guard let number = acceptedNumbers.removeValue(forKey: token) else { return }
        for (key, acknowledgement) in acknowledgements where key.number == number {
            acknowledgements[key] = nil
            emit(.forget(acknowledgement))
        }
    }

    /// The answer to an offer that came in a 2xx.
    mutating func acknowledgeOffer(_ body: [UInt8]?) {
        if case .awaitingAnswer(let tag, let invite) = state, let dialog = dialogs[tag] {
            state = .established
            acknowledge(invite, in: dialog, body: body)
            sendNextInfo()
        } else if case .answering(let invite) = modification, let dialog = dialogs[tag] {
            modification = .none
            acknowledge(invite, in: dialog, body: body)
        }
    }

    private mutating func receiveFailure(_ response: SIPResponse, _ token: RequestToken) {
        requests[token] = nil
        switch state {
        case .inviting(token): break
        case .cancelling(token):
            dialogs = [:]
            state = .ended
            return
        default: return
        }
        dialogs = [:]
        if response.status == 422, template?.minSE == nil, let minSE = response.headers[.minSE] {
            template?.minSE = minSE
            return sendInvite()
        }
        if response.status == 488 || response.status == 606 {
            state = .refused(status: response.status, reason: response.reason)
            return tell(.rejected(id, status: response.status, reason: response.reason, headers: response.headers))
        }
        state = .ended
        let isChallenge = response.status == 401 || response.status == 407
        let contacts = (300..<400).contains(response.status) ? response.headers.contacts.map(\.uri) : []
        end(
            SessionEnd(
                by: .remote, status: response.status, reason: response.reason, cause: isChallenge ? .unauthorized : .rejected,
                redirectedTo: contacts))
    }

    mutating func requestFailed(_ token: RequestToken, _ failure: RequestFailure, at now: Instant) {
        guard let purpose = requests.removeValue(forKey: token) else { return }
        switch (purpose, state) {
        case (.invite, .inviting(token)):
            dialogs = [:]
            state = .ended
            end(SessionEnd(by: .remote, reason: failure.text, cause: failure.cause))
        case (.invite, .cancelling(token)):
            dialogs = [:]
            state = .ended
        case (.modification, _): modificationFailed(token, failure)
        case (.bye(let tag), _): dialogs[tag] = nil
        case (.refresh, _): refreshFailed(failure, at: now)
        case (.info(_, let package), _): infoFailed(token, failure, package: package)
        case (.invite, _): return
        }
    }
}

extension SIPResponse {
    /// The body when it is SDP.
    var sessionDescription: [UInt8]? {
        guard !body.isEmpty, headers.mediaType == nil || headers.mediaType == InviteSession.sdp else { return nil }
        return body
    }
}

extension SIPRequest {
    /// The body when it is SDP.
    var sessionDescription: [UInt8]? {
        guard !body.isEmpty, headers.mediaType == nil || headers.mediaType == InviteSession.sdp else { return nil }
        return body
    }
}
