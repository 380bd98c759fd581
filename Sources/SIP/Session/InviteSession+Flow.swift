import Core

/// What an established session does when its connection is gone: it lives, and tells the peer where it is now.
///
/// The peer, or the proxy before it, would send into the dead connection: an UPDATE without an offer (RFC 3311 §5.1) is a target
/// refresh and brings our new Contact. To a peer that takes no UPDATE a re-INVITE does the same, for which the phone gives its description.
extension InviteSession {
    /// - Parameters: isRegistering: the account comes back by itself first; the refresh follows it by the same connection.
    mutating func flowLost(_ connection: ConnectionID, isRegistering: Bool) {
        guard case .established = state, flow?.connection == connection else { return }
        isRefreshDue = true
        if !isRegistering { refreshFlow() }
    }

    /// Told as if the peer had hung up.
    mutating func peerGone() {
        switch state {
        case .ringing(let key, let invite, _):
            emit(.respond(key, makeResponse(to: invite, 487)))
            state = .ended
            end(SessionEnd(by: .remote, status: 487, reason: "connection closed", cause: .cancelled))
        case .answered, .established:
            abandonModification()
            removeAllUnacknowledged()
            dialogs = [:]
            state = .ended
            end(SessionEnd(by: .remote, reason: "connection closed", cause: .bye))
        case .hangingUp:
            removeAllUnacknowledged()
            dialogs = [:]
            state = .ended
        // A guest is never called.
        case .idle, .inviting, .cancelling, .refused, .awaitingAnswer, .ended: return
        }
    }

    mutating func refreshFlow() {
        guard isRefreshDue, case .established = state else { return }
        guard peerAllows.contains(.update) else {
            isRefreshDue = false
            timers.cancel(.flow)
            return tell(.refreshNeeded(id))
        }
        guard let request = dialogs[tag]?.makeRequest(.update), let dialog = dialogs[tag] else { return }
        isRefreshDue = false
        timers.cancel(.flow)
        send(request, in: dialog, makeToken(.refresh))
    }

    mutating func receiveRefresh(_ response: SIPResponse, _ token: RequestToken, _ flow: SIPFlow) {
        guard response.isFinal else { return }
        requests[token] = nil
        guard case .established = state else { return }
        if response.isSuccess {
            self.flow = flow
            flowFailures = 0
            dialogs[tag]?.refreshTarget(from: response.headers)
        } else if response.status == 481 {
            loseDialog(SessionEnd(by: .remote, status: 481, reason: response.reason, cause: .rejected), sendsBye: false)
        }
    }

    /// Tried again with the waits of RFC 5626 §4.5. Silence alone does not end the call: media tells better whether the peer lives.
    mutating func refreshFailed(_ failure: RequestFailure, at now: Instant) {
        guard case .established = state, failure != .timeout else { return }
        isRefreshDue = true
        flowFailures = min(flowFailures + 1, 6)
        let bound = min(Double(30 << flowFailures), 1800)
        timers.set(.flow, at: now + .milliseconds(Int(bound * (0.5 + random.uniform() / 2) * 1000)))
    }
}
