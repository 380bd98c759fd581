import Core
import Interface
import SIP

/// State changes told, and how calls end.
extension Phone {
    /// Tells the call's state when it changed.
    mutating func report(_ call: Call, at now: Instant) {
        guard calls[call.id] != nil else { return }
        // Nothing has left yet: an account registers first, sockets are opened.
        switch call.phase {
        case .registering, .preparing: return
        default: break
        }
        let state = call.state
        let held = state == .held ? call.heldBy : nil
        guard state != .ended, state != call.reported || held != call.reportedHold else { return }
        // `media` never comes before `answered`, even when both happen at once.
        if state == .media || state == .held, call.reported != .answered, call.reported != .media, call.reported != .held {
            emit(.callState(call.id, .answered, heldBy: nil, reason: nil), at: now)
        }
        call.reported = state
        call.reportedHold = held
        emit(.callState(call.id, state, heldBy: held, reason: nil), at: now)
    }

    mutating func ended(_ call: Call, _ end: SessionEnd, at now: Instant) {
        if let status = end.status, !(call.timing.answered != nil && status >= 300) { call.status = status }
        // A reason phrase comes with a status. Without one it is our own words: told when the call ends, but not as the peer's.
        if !end.reason.isEmpty, call.timing.answered == nil {
            if end.status != nil {
                call.reason = Sanitiser.text(end.reason)
            } else {
                call.verdictReason = call.verdictReason ?? Sanitiser.text(end.reason)
            }
        }
        judgeCertificate(call, at: now)
        if call.verdict == nil { call.verdict = outcome(call, end, at: now) }
        if call.direction == .outgoing, call.timing.answered == nil, call.id == focused {
            switch call.verdict {
            case .busy: endTone = .busy
            case .noAnswer where end.by == .local: endTone = nil
            default: endTone = .failure
            }
            timers.set(.tone, at: now + .seconds(2))
        }
        conclude(call, endedBy: Phone.side(end).rawValue, end: end, at: now)
    }

    /// Where nobody answered, or no connection could be had, it was us who gave up.
    private static func side(_ end: SessionEnd) -> SessionEnd.Side {
        switch end.cause {
        case .timeout, .unreachable, .tls: end.status == nil ? .local : end.by
        case .bye, .cancelled, .rejected, .unauthorized, .noAck: end.by
        }
    }

    /// A peer that saw a wrong certificate hangs up, often before our own handshake is done: what it showed to us counts all the same.
    mutating func judgeCertificate(_ call: Call, at now: Instant) {
        guard call.verdict == nil, let failure = call.media.certificateFailure else { return }
        call.verdict = .fingerprintMismatch
        call.verdictReason = Phone.sentence(failure)
        tell(.error, Outcome.fingerprintMismatch.word, Phone.sentence(failure), call: call.id, at: now)
    }

    private func outcome(_ call: Call, _ end: SessionEnd, at now: Instant) -> Outcome {
        switch end.cause {
        case .bye: return call.answeredOutcome(at: now)
        case .noAck: return .sipFailure
        case .cancelled: return .noAnswer
        case .timeout, .unreachable: return call.timing.answered == nil ? .unreachable : .mediaLost
        case .tls: return .tlsFailed
        case .unauthorized: return .unauthorized
        case .rejected:
            return end.status.map { OutcomeMapping.outcome(status: $0, credentialsSent: end.credentialsSent) } ?? .sipFailure
        }
    }

    /// The call is over: its result, its sockets closed, its entry in the history.
    mutating func conclude(_ call: Call, endedBy: String, end: SessionEnd? = nil, at now: Instant) {
        guard calls.removeValue(forKey: call.id) != nil else { return }
        var result = CallResult(call: call.id, outcome: finalOutcome(call, at: now), remoteUri: call.remoteUri, endedBy: endedBy)
        // States are those just before the end.
        call.closeMedia(at: now)
        result.transports = call.lastFigures?.transports ?? []
        result.streams = call.lastFigures?.streams ?? []
        result.security = call.security
        result.securityOffered = call.securityOffered
        result.status = call.status
        result.reason = call.reason
        result.redirectedTo = end?.redirectedTo.map { Sanitiser.text($0.description) } ?? []
        result.setup = call.timing.setup

        while let output = call.media.poll() {
            switch output {
            case .transmit(let transmit): emit(.sendMedia(call.socketID, transmit))
            case .stream(let request): handle(request, call)
            default: break
            }
        }
        closeStreams(of: call.id)
        for timer in [
            Timer.ring(call.id), .answer(call.id), .limit(call.id), .gather(call.id), .path(call.id), .handshake(call.id), .reoffer(call.id),
        ] {
            timers.cancel(timer)
        }
        sessions.removeValue(forKey: call.session)
        sockets.removeValue(forKey: call.socketID)
        emit(.audio(.detach(call.id)))
        emit(.closeMedia(call.socketID))
        if focused == call.id { setFocus(calls.keys.min()) }
        remember(call, result, at: now)

        links?.handle(.callEnded(call.id), at: now)

        let reason = call.verdictReason ?? call.reason
        emit(.callState(call.id, .ended, heldBy: nil, reason: call.timing.answered == nil ? reason : call.verdictReason ?? end?.reason), at: now)
        emit(.result(result), at: now)
        call.phase = .ending
        endPartner(of: call, at: now)
    }

    private func finalOutcome(_ call: Call, at now: Instant) -> Outcome {
        if let signal = interruptedBy { return signal == 2 ? .interruptedBySIGINT : .interruptedBySIGTERM }
        return call.verdict ?? (call.timing.answered == nil ? .noAnswer : call.answeredOutcome(at: now))
    }

    private mutating func remember(_ call: Call, _ result: CallResult, at now: Instant) {
        let seconds = call.timing.answered.map { Int((now - $0).inSeconds) }
        let entry = HistoryEntry(
            direction: call.direction, remoteUri: call.remoteUri, displayName: call.displayName, startedAt: call.timing.startedAt,
            durationSeconds: seconds, outcome: result.outcome)
        history.insert(entry, at: 0)
        emit(.remember(entry))
        if history.count > configuration.historyLimit { history.removeLast(history.count - configuration.historyLimit) }
    }
}
