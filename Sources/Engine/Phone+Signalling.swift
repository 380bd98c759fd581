import Core
import Interface
import RTP
import SDP
import SIP

/// What the user agent tells.
extension Phone {
    mutating func handle(_ event: UserAgentEvent, at now: Instant) {
        switch event {
        case .incomingCall(let session, let incoming): ring(session, incoming, at: now)
        case .provisional(let session, let status, _, let sdp, let dialog):
            with(session) { $0.provisional($1, status: status, sdp: sdp, dialog: dialog, at: now) }
        case .answered(let session, let status, let reason, let sdp, let dialog, _, let flow):
            with(session) {
                $1.status = status
                $1.reason = Sanitiser.text(reason)
                $1.signallingIsSecure = flow.transport.isSecure
                $0.wasAnswered($1, sdp: sdp, dialog: dialog, at: now)
            }
        case .acknowledged(let session, let sdp): with(session) { $0.acknowledged($1, sdp: sdp, at: now) }
        case .reoffered(let session, let sdp): with(session) { $0.reoffered($1, sdp: sdp, at: now) }
        case .reofferAnswered(let session, let sdp): with(session) { $0.reofferAnswered($1, sdp: sdp, at: now) }
        case .reofferFailed(let session, let status): with(session) { $0.reofferFailed($1, status: status, at: now) }
        case .refreshNeeded(let session):
            with(session) {
                $1.wantsRefresh = true
                $0.seekPath($1, at: now)
            }
        case .rejected(let session, let status, let reason, _): with(session) { $0.rejected($1, status: status, reason: reason, at: now) }
        case .dtmfInfo(let session, let digit, let durationMs):
            with(session) { $0.received(digit, durationMs: durationMs, .incoming, $1, at: now) }
        case .info(let session, let package, let contentType, let body):
            with(session) { $0.received(info: package, contentType: contentType, body: body, $1, at: now) }
        // The candidates of the descriptions are enough, or ICE says that they are not.
        case .infoFailed: break
        case .ended(let session, let end): with(session) { $0.ended($1, end, at: now) }
        case .registration(let account, let state, let status, let expires, let cause):
            registration(AccountID(account), state, status: status, expiresSeconds: expires, cause: cause, at: now)
        }
    }

    private mutating func with(_ session: SessionID, _ body: (inout Phone, Call) -> Void) {
        guard let id = sessions[session], let call = calls[id] else { return }
        body(&self, call)
    }

    // MARK: called

    private mutating func ring(_ session: SessionID, _ incoming: IncomingCall, at now: Instant) {
        guard life == .running else {
            userAgent.handle(.reject(session, status: 480, reason: nil), at: now)
            return
        }
        if let connection = incoming.flow.connection, incoming.isGuest, links?.mayCall(connection) != true {
            userAgent.handle(.reject(session, status: 403, reason: nil), at: now)
            return
        }
        let media = MediaSession(environment: environment)
        media.describer.quirks = incoming.account.flatMap { configuration.quirks[$0] } ?? AccountQuirks()
        if incoming.flow.transport != .udp { media.describer.offerLimit = nil }
        media.describer.videoDirection = configuration.videoDirection(offering: incoming.offer == nil)
        // A guest says nothing about itself that could be believed; where it comes from is known.
        let from =
            incoming.isGuest
            ? NameAddress(displayName: "Browser", uri: SIPURI(user: "guest", host: .ip(incoming.flow.remote.ip))) : incoming.from
        let remoteUri = Sanitiser.text(from.uri.description)
        var evaluation: OfferEvaluation?
        if let offer = incoming.offer {
            switch evaluate(offer, media) {
            case .success(let usable): evaluation = usable
            case .failure(let why):
                // No call: a caller that steps down comes again with the same Call-ID.
                userAgent.handle(.reject(session, status: 488, reason: nil), at: now)
                tell(.warning, "offer-refused", "call from \(remoteUri) refused: \(why.text)", call: nil, at: now)
                return
            }
        }
        let call = Call(
            id: makeCallID(), direction: .incoming, session: session, socketID: makeSocketID(), media: media, phase: .alerting(isReady: false),
            timing: CallTiming(start: now, startedAt: wallClock.time(at: now)), remoteUri: remoteUri)
        call.displayName = from.displayName.map { Sanitiser.text($0) }.flatMap { $0.isEmpty ? nil : $0 }
        call.signallingIsSecure = incoming.flow.transport.isSecure
        call.evaluation = evaluation
        call.offersInAnswer = evaluation == nil
        call.mode = evaluation.flatMap { SecurityMode(rawValue: $0.media.security.rawValue) } ?? configuration.securitySteps.first ?? .none
        let components = evaluation?.media.rtcpMux == true ? 1 : 2
        call.securityOffered = call.mode
        add(call)
        if let connection = incoming.flow.connection { _ = links?.use(connection: connection, call: call.id) }
        media.zero = now
        if focused == nil { setFocus(call.id) }
        call.timing.ringing = now
        timers.set(.ring(call.id), at: now + configuration.ringTimeout)
        emit(
            .callIncoming(
                call.id, from: call.remoteUri, displayName: call.displayName, to: Sanitiser.text(incoming.to.uri.description), security: call.mode,
                video: evaluation?.offersVideo ?? false),
            at: now)
        let wantsIce = call.offersInAnswer ? configuration.offersIce(call.mode) : call.evaluation?.media.ice != nil
        emit(
            .openMedia(
                MediaRequest(id: call.socketID, toward: .local(incoming.flow.local.ip), components: components, allAddresses: wantsIce)))
        userAgent.handle(.provisional(session, status: 180, body: nil), at: now)
        // With a web port only those who come by its link are put through.
        if let target = configuration.bridgesIncomingTo, incoming.isGuest || links == nil {
            bridge(call, to: target, at: now)
        } else if configuration.autoAnswer {
            if configuration.answerAfter > .zero {
                timers.set(.answer(call.id), at: now + configuration.answerAfter)
            } else {
                call.wantsAnswer = true
            }
        }
    }

    /// Why a description cannot be used, as one line.
    struct Refusal: Error {
        var text: String
    }

    private func evaluate(_ sdp: [UInt8], _ media: MediaSession) -> Result<OfferEvaluation, Refusal> {
        do throws(SDPError) {
            let offer = try SessionDescription(parsing: sdp)
            return media.describer.evaluate(offer: offer).mapError { Refusal(text: Sanitiser.text($0.description)) }
        } catch {
            return .failure(Refusal(text: "the SDP cannot be read (\(error))"))
        }
    }

    /// The sockets are open and a person, or `--auto-answer`, wants it.
    mutating func accept(_ call: Call, at now: Instant) {
        guard call.isAlerting else { return }
        timers.cancel(.ring(call.id))
        timers.cancel(.answer(call.id))
        var body: [UInt8]?
        if let evaluation = call.evaluation {
            switch call.media.makeAnswer(evaluation, at: now) {
            case .success(let answer): body = answer
            case .failure(let why):
                call.verdict = .notAcceptable
                call.phase = .ending
                userAgent.handle(.reject(call.session, status: 488, reason: nil), at: now)
                tell(.warning, "offer-refused", Sanitiser.text(why.description), call: call.id, at: now)
                return
            }
            call.evaluation = nil
        } else {
            body = call.media.makeOffer(call.mode)
        }
        userAgent.handle(.accept(call.session, body: body), at: now)
        becomeAnswered(call, at: now)
    }

    mutating func becomeAnswered(_ call: Call, at now: Instant) {
        call.phase = .answered
        call.timing.answered = now
        call.timing.answeredAt = wallClock.time(at: now)
        call.status = call.status ?? 200
        call.reason = call.reason ?? "OK"
        timers.cancel(.ring(call.id))
        call.media.answered(at: now)
        setFocus(call.id)
        noteHold(call)
        if let limit = configuration.callLimit { timers.set(.limit(call.id), at: now + limit) }
        if call.direction == .outgoing {
            let path = now + configuration.iceTimeout
            if call.media.ice != nil { timers.set(.path(call.id), at: path) }
            timers.set(.handshake(call.id), at: (call.media.ice != nil ? path : now) + configuration.dtlsTimeout)
        }
        if timers.deadline(of: .statistics) == nil { timers.set(.statistics, at: now + configuration.statisticsInterval) }
        if !configuration.digitsAfterAnswer.isEmpty { sendDigits(call, configuration.digitsAfterAnswer, at: now) }
        judgeMedia(call, at: now)
        seekPath(call, at: now)
        trickle(call, at: now)
        continueBridge(call, at: now)
    }

    private mutating func acknowledged(_ call: Call, sdp: [UInt8]?, at now: Instant) {
        guard let sdp else {
            // Our 2xx carried the offer: an ACK without an answer leaves the call without media.
            if call.offersInAnswer, call.media.negotiated == nil { fail(call, .sipFailure, "the ACK has no answer to our offer", at: now) }
            return
        }
        // A description where none was asked for says nothing.
        guard call.offersInAnswer else { return }
        call.offersInAnswer = false
        applyAnswer(sdp, call, at: now)
    }

    // MARK: calling

    private mutating func provisional(_ call: Call, status: Int, sdp: [UInt8]?, dialog: String, at now: Instant) {
        if call.timing.ringing == nil { call.timing.ringing = now }
        switch call.phase {
        case .calling, .ringing, .early: break
        default: return
        }
        if let sdp {
            // The newest 18x with SDP has the media; an answer that cannot be used is only ignored before the 2xx.
            if let answer = try? SessionDescription(parsing: sdp), call.media.apply(answer: answer, at: now) == nil {
                call.phase = .early(dialog: dialog)
                call.answeredDialog = dialog
                trickle(call, at: now)
                return
            }
        }
        if case .calling = call.phase { call.phase = .ringing }
    }

    private mutating func wasAnswered(_ call: Call, sdp: [UInt8]?, dialog: String, at now: Instant) {
        guard !call.isEnding, !call.isAnswered else { return }
        if let sdp {
            guard applyAnswer(sdp, call, at: now) else { return }
        } else if call.answeredDialog != dialog {
            fail(call, .sipFailure, "the answer has no SDP", at: now)
            return
        }
        becomeAnswered(call, at: now)
    }

    @discardableResult
    private mutating func applyAnswer(_ sdp: [UInt8], _ call: Call, at now: Instant) -> Bool {
        do throws(SDPError) {
            let answer = try SessionDescription(parsing: sdp)
            if let why = call.media.apply(answer: answer, at: now) {
                fail(call, .notAcceptable, "answer refused: \(Sanitiser.text(why.description))", at: now)
                return false
            }
        } catch {
            fail(call, .notAcceptable, "the answer's SDP cannot be read (\(error))", at: now)
            return false
        }
        noteHold(call)
        updateBridge(call, at: now)
        return true
    }

    /// The call ends for a reason of ours: a line for the person, BYE or CANCEL for the peer.
    mutating func fail(_ call: Call, _ outcome: Outcome, _ message: String, at now: Instant) {
        guard call.verdict == nil else { return }
        call.verdict = outcome
        call.verdictReason = message
        tell(.error, outcome.word, message, call: call.id, at: now)
        if case .answered = call.phase {
            hangUp(call, because: message, at: now)
        } else {
            call.phase = .ending
            call.closeMedia(at: now)
            _ = drainMedia(call, at: now)
            userAgent.handle(.hangUp(call.session, reason: message), at: now)
        }
    }

    private mutating func rejected(_ call: Call, status: Int, reason: String, at now: Instant) {
        call.status = status
        call.reason = Sanitiser.text(reason)
        guard !call.stepsLeft.isEmpty, call.verdict == nil, life == .running else {
            call.verdict = call.verdict ?? .notAcceptable
            userAgent.handle(.hangUp(call.session, reason: nil), at: now)
            return
        }
        let refused = call.mode
        call.mode = call.stepsLeft.removeFirst()
        call.isDowngraded = true
        tell(
            .warning, "security-downgrade", "\(status) \(call.reason ?? ""): \(refused.rawValue) was refused, offering \(call.mode.rawValue)",
            call: call.id,
            at: now)
        call.media.prepare(ice: configuration.offersIce(call.mode), controlling: true, components: 2, at: now)
        guard let offer = call.media.makeOffer(call.mode) else { return }
        call.phase = .calling
        userAgent.handle(.retry(call.session, body: offer), at: now)
    }

    // MARK: in the call

    private mutating func reoffered(_ call: Call, sdp: [UInt8]?, at now: Instant) {
        guard let sdp else {
            let offer = call.media.makeOffer(call.security ?? call.mode)
            call.offersInAnswer = true
            userAgent.handle(.answerReoffer(call.session, body: offer, status: 200), at: now)
            return
        }
        // The peer may begin with video in mid-call.
        if call.media.describer.videoDirection == nil { call.media.describer.videoDirection = configuration.videoDirection(offering: false) }
        switch evaluate(sdp, call.media) {
        case .success(let evaluation):
            switch call.media.makeAnswer(evaluation, at: now) {
            case .success(let answer):
                userAgent.handle(.answerReoffer(call.session, body: answer, status: 200), at: now)
                noteHold(call)
                trickle(call, at: now)
                updateBridge(call, at: now)
            case .failure: userAgent.handle(.answerReoffer(call.session, body: nil, status: 488), at: now)
            }
        case .failure(let why):
            userAgent.handle(.answerReoffer(call.session, body: nil, status: 488), at: now)
            tell(.warning, "offer-refused", "a new offer was refused: \(why.text)", call: call.id, at: now)
        }
    }

    private mutating func reofferAnswered(_ call: Call, sdp: [UInt8]?, at now: Instant) {
        if let sdp { applyAnswer(sdp, call, at: now) }
        if case .hold = call.reoffer { call.isHeldLocally = !call.media.describer.direction.receives }
        call.reoffer = nil
        call.pathRefusals = 0
        noteHold(call)
        seekPath(call, at: now)
        trickle(call, at: now)
    }

    private mutating func reofferFailed(_ call: Call, status: Int, at now: Instant) {
        let purpose = call.reoffer
        call.reoffer = nil
        switch purpose {
        case .path, .target: return refused(purpose, call, status: status, at: now)
        case .hold, nil: break
        }
        call.media.describer.direction = call.isHeldLocally ? .sendonly : .sendrecv
        tell(.warning, "hold-failed", "the peer refused the change (\(status))", call: call.id, at: now)
        seekPath(call, at: now)
    }

    private func noteHold(_ call: Call) {
        guard let media = call.media.negotiated else { return }
        call.isHeldRemotely = media.isRemoteHold
    }

    mutating func received(_ digit: Character, durationMs: Int, _ direction: DTMFDirection, _ call: Call, at now: Instant) {
        let text = String(digit)
        if direction == .incoming {
            call.digitsReceived = String((call.digitsReceived + text).suffix(64))
            passOn(digit: digit, durationMs: durationMs, from: call, at: now)
        }
        if direction == .outgoing { call.digitsSent = String((call.digitsSent + text).suffix(64)) }
        emit(.callDTMF(call.id, digit: text, durationMs: durationMs, direction: direction), at: now)
    }

    // MARK: registrations

    private mutating func registration(
        _ account: AccountID, _ state: SIP.RegistrationState, status: Int?, expiresSeconds: Int?, cause: SessionEnd.Cause?, at now: Instant
    ) {
        let shown = Interface.RegistrationState(rawValue: state.rawValue) ?? .failed
        var hasJustFailed = state == .failed
        if let index = accounts.firstIndex(where: { $0.id == account }) {
            // What never was registered needs no farewell.
            if state == .unregistered, accounts[index].state == .failed || accounts[index].state == .unregistered { return }
            hasJustFailed = hasJustFailed && accounts[index].state != .failed
            accounts[index].state = shown
            accounts[index].status = status
            accounts[index].expiresSeconds = expiresSeconds
        }
        // Before the state: it tells those that wait for it why.
        if hasJustFailed, case .tls(let text) = cause {
            tell(.warning, Outcome.tlsFailed.word, "\(account) is not registered: \(Sanitiser.text(text))", call: nil, at: now)
            hasJustFailed = false
        }
        emit(.registration(account: account, state: shown, status: status, expiresSeconds: expiresSeconds), at: now)
        if hasJustFailed {
            let why = status.map { "the server answered \($0)" } ?? "no server answers"
            let advice = registrationOutcome(status: status, cause: cause) == .unauthorized ? "; check user name and password" : ""
            tell(.warning, "registration-failed", "\(account) is not registered: \(why)\(advice)", call: nil, at: now)
        }
        for call in calls.values.sorted(by: { $0.id < $1.id }) where call.account == account.name {
            guard case .registering = call.phase else { continue }
            switch state {
            case .registered: openMedia(for: call, at: now)
            case .failed:
                call.status = status
                call.verdict = registrationOutcome(status: status, cause: cause)
                conclude(call, endedBy: status == nil ? "local" : "remote", at: now)
            case .registering, .unregistered: break
            }
        }
    }

    /// The outcome of a registration that failed: 401 after a try, and every 403, means the credentials.
    func registrationOutcome(status: Int?, cause: SessionEnd.Cause?) -> Outcome {
        switch cause {
        case .timeout, .unreachable: .unreachable
        case .tls: .tlsFailed
        case .unauthorized: .unauthorized
        default: status == 403 ? .unauthorized : status.map { OutcomeMapping.outcome(status: $0, credentialsSent: true) } ?? .unreachable
        }
    }
}
