import Core

/// INFO packages (RFC 6086), which carry the candidates of trickle ICE (RFC 8840); and digits in INFO without a package.
extension InviteSession {
    static let maximumQueuedInfo = 64
    private static let maximumTags = 64

    /// One INFO that waits for its turn: they go out one at a time, so that they arrive in order.
    struct QueuedInfo: Sendable {
        var package: String
        var contentType: String
        var body: [UInt8]
    }

    /// What the peer says in INVITE and UPDATE and their responses. Its Supported in other requests is often a shorter list; Recv-Info
    /// counts in the ACK too.
    mutating func noteCapabilities(_ headers: SIPHeaders, isAcknowledgement: Bool = false) {
        if headers.contains(.supported), !isAcknowledgement { peerSupported = Set(headers.supported.prefix(InviteSession.maximumTags)) }
        if headers.contains(.allow) { peerAllows = Set(headers.allow.prefix(InviteSession.maximumTags)) }
        if let packages = headers.recvInfo { peerPackages = Set(packages.prefix(InviteSession.maximumTags)) }
    }

    // MARK: Ours

    mutating func sendInfo(_ info: QueuedInfo) {
        guard !isOver, infoQueue.count < InviteSession.maximumQueuedInfo else { return refuseInfo(info.package, 503) }
        infoQueue.append(info)
        sendNextInfo()
    }

    /// The dialog for INFO: the session's own, or the caller's only early one. The callee's early dialog will do once the peer showed
    /// that it knows our tag (RFC 8840 §4.3); with several forks nobody knows yet which of them is meant.
    private var infoTag: String? {
        switch state {
        case .established: tag
        case .inviting: dialogs.count == 1 ? dialogs.keys.first : nil
        case .ringing, .answered: isTagKnown ? tag : nil
        case .idle, .cancelling, .refused, .awaitingAnswer, .hangingUp, .ended: nil
        }
    }

    mutating func sendNextInfo() {
        guard infoRequest == nil, let tag = infoTag else { return }
        while let next = infoQueue.first {
            infoQueue.removeFirst()
            // Nobody sends a package that the peer does not take (RFC 6086 §4.2.1).
            guard peerPackages.contains(SIPSyntax.lowercased(next.package)) else {
                refuseInfo(next.package, 469)
                continue
            }
            guard var request = dialogs[tag]?.makeRequest(.info), let dialog = dialogs[tag] else { return }
            request.headers[.infoPackage] = next.package
            request.headers[.contentDisposition] = "Info-Package"
            request.headers.contentType = next.contentType
            request.body = next.body
            let token = makeToken(.info(tag: tag, package: next.package))
            infoRequest = token
            return send(request, in: dialog, token)
        }
    }

    mutating func receiveInfoResponse(_ response: SIPResponse, _ token: RequestToken, package: String) {
        guard response.isFinal else { return }
        requests[token] = nil
        guard infoRequest == token else { return }
        infoRequest = nil
        if response.status == 469 {
            // The peer takes it no more: what waits would fare the same.
            peerPackages = Set((response.headers.recvInfo ?? []).prefix(InviteSession.maximumTags))
        }
        if !response.isSuccess { refuseInfo(package, response.status) }
        sendNextInfo()
    }

    mutating func infoFailed(_ token: RequestToken, _ failure: RequestFailure, package: String) {
        guard infoRequest == token else { return }
        infoRequest = nil
        if case .timeout = failure { refuseInfo(package, 408) } else { refuseInfo(package, 503) }
        sendNextInfo()
    }

    private mutating func refuseInfo(_ package: String, _ status: Int) { if !isOver { tell(.infoFailed(id, package: package, status: status)) } }

    // MARK: Theirs

    /// Without a package: digits (application/dtmf-relay, application/dtmf), which some gateways send instead of RFC 4733.
    mutating func receiveInfo(_ request: SIPRequest, _ key: TransactionKey) {
        if let line = request.headers[.infoPackage] {
            let package = SIPSyntax.lowercased(
                String(decoding: line.utf8.prefix { $0 != SIPSyntax.semicolon && !SIPSyntax.isWhite($0) }, as: UTF8.self))
            guard packages.contains(package) else {
                var response = makeResponse(to: request, 469)
                response.headers[.recvInfo] = packages.joined(separator: ", ")
                return emit(.respond(key, response))
            }
            emit(.respond(key, makeResponse(to: request, 200)))
            guard !isOver else { return }
            return tell(.info(id, package: package, contentType: request.headers.contentType ?? "", body: request.body))
        }
        guard !request.body.isEmpty else { return emit(.respond(key, makeResponse(to: request, 200))) }
        switch request.headers.mediaType {
        case "application/dtmf-relay", "application/dtmf":
            guard let tone = DTMFRelay(request.body) else { return emit(.respond(key, makeResponse(to: request, 400))) }
            emit(.respond(key, makeResponse(to: request, 200)))
            if !isOver { tell(.dtmfInfo(id, digit: tone.digit, durationMs: tone.durationMs)) }
        default:
            var response = makeResponse(to: request, 415)
            response.headers[.accept] = "application/dtmf-relay, application/dtmf"
            emit(.respond(key, response))
        }
    }
}
