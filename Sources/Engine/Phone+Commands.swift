import Core
import ICE
import Interface
import RTP
import SDP
import SIP

/// What a person asks for.
extension Phone {
    mutating func perform(_ command: Command, at now: Instant) {
        switch command {
        case .dial(let uri): dial(uri, at: now)
        case .answer(let id): with(id, at: now) { $0.answer($1, at: now) }
        case .decline(let id): with(id, at: now) { $0.decline($1, at: now) }
        case .silence(let id): with(id, at: now) { $1.isSilenced = true }
        case .hangUp(let id): with(id, at: now) { $0.hangUp($1, at: now) }
        case .setMuted(let id, let isMuted):
            with(id, at: now) {
                $1.isMuted = isMuted
                $1.media.setMuted(isMuted, at: now)
            }
        case .setHeld(let id, let isHeld): with(id, at: now) { $0.setHeld($1, isHeld, at: now) }
        case .sendDTMF(let id, let digits): with(id, at: now) { $0.sendDigits($1, digits, at: now) }
        case .focus(let id): with(id, at: now) { phone, _ in phone.setFocus(id) }
        case .join(let one, let other): join(one, other, at: now)
        case .part(let id): with(id, at: now) { $0.part($1, at: now) }
        case .bridge(let first, let second): bridge(first, second, at: now)
        case .viewVideo(let id, let isWatched):
            with(id, at: now) {
                $1.media.isWatched = isWatched
                if isWatched { $1.media.requestKeyFrame(at: now) }
            }
        case .requestKeyFrame(let id): calls[id]?.media.requestKeyFrame(at: now)
        case .selectAudioInput(let specification): emit(.audio(.selectInput(specification)))
        case .selectAudioOutput(let specification): emit(.audio(.selectOutput(specification)))
        case .register(let account): userAgent.handle(.register(account.name), at: now)
        case .unregister(let account): userAgent.handle(.unregister(account.name), at: now)
        case .quit: quit(at: now)
        }
    }

    private mutating func with(_ id: CallID, at now: Instant, _ body: (inout Phone, Call) -> Void) {
        guard let call = calls[id] else {
            tell(.error, "no-such-call", "there is no call \(id)", call: nil, at: now)
            return
        }
        body(&self, call)
    }

    // MARK: dialling

    /// `echo`, a SIP URI, or `user@host` without the scheme.
    public static func target(_ text: String) -> SIPURI? {
        let isBlank = { (c: Character) in c == " " || c == "\t" }
        var trimmed = text.drop(while: isBlank)
        while let last = trimmed.last, isBlank(last) { trimmed.removeLast() }
        guard !trimmed.isEmpty, !trimmed.contains(where: isBlank) else { return nil }
        let lower = trimmed.lowercased()
        let withScheme = lower.hasPrefix("sip:") || lower.hasPrefix("sips:") || lower.hasPrefix("tel:") ? String(trimmed) : "sip:" + trimmed
        guard let uri = SIPURI(withScheme), uri.scheme == "sip" || uri.scheme == "sips" else { return nil }
        return uri
    }

    /// - Parameter prepare: what the call is told before anything leaves.
    mutating func dial(_ text: String, at now: Instant, prepare: ((Call) -> Void)? = nil) {
        guard life == .running else { return }
        let isPlain = prepare == nil
        let prepare = prepare ?? { _ in }
        if text == "echo" {
            if let echo {
                place(to: echo, shown: "echo", at: now, prepare: prepare)
            } else {
                if echoWaiters.isEmpty { emit(.startEcho) }
                // Whoever asks again while it starts has asked once.
                if isPlain, !echoWaiters.isEmpty { return }
                if echoWaiters.count < configuration.maximumCalls { echoWaiters.append(prepare) }
            }
            return
        }
        guard let uri = Phone.target(text) else {
            tell(.error, "bad-uri", "not a SIP address: \(Sanitiser.text(text))", call: nil, at: now)
            return
        }
        guard calls.count < configuration.maximumCalls else {
            tell(.error, "too-many-calls", "\(calls.count) calls are up already", call: nil, at: now)
            return
        }
        place(to: uri, shown: uri.description, at: now, prepare: prepare)
    }

    mutating func echoListening(_ uri: SIPURI, at now: Instant) {
        echo = uri
        userAgent.directTarget = uri
        let waiters = echoWaiters
        echoWaiters = []
        for prepare in waiters { place(to: uri, shown: "echo", at: now, prepare: prepare) }
    }

    mutating func echoFailed(_ why: String, at now: Instant) {
        guard let nowhere = Phone.target("echo@localhost") else { return }
        let waiters = echoWaiters
        echoWaiters = []
        for prepare in waiters {
            let call = makeOutgoing(to: nowhere, shown: "echo", at: now)
            prepare(call)
            tell(.error, "echo-failed", "the echo endpoint cannot start: \(Sanitiser.text(why))", call: call.id, at: now)
            call.verdict = .unreachable
            conclude(call, endedBy: "local", at: now)
        }
    }

    /// A call that is known but has sent nothing yet.
    private mutating func makeOutgoing(to target: SIPURI, shown: String, at now: Instant) -> Call {
        let call = Call(
            id: makeCallID(), direction: .outgoing, session: userAgent.makeSessionID(), socketID: makeSocketID(),
            media: MediaSession(environment: environment),
            phase: .preparing, timing: CallTiming(start: now, startedAt: wallClock.time(at: now)), remoteUri: Sanitiser.text(shown))
        call.target = target
        call.media.patience = configuration.ringTimeout
        call.media.describer.videoDirection = configuration.videoDirection(offering: true)
        call.account = shown == "echo" ? nil : configuration.accounts.first?.id
        let steps = configuration.securitySteps
        call.mode = steps.first ?? .none
        call.securityOffered = call.mode
        call.stepsLeft = Array(steps.dropFirst())
        add(call)
        return call
    }

    private mutating func place(to target: SIPURI, shown: String, at now: Instant, prepare: (Call) -> Void) {
        guard life == .running else { return }
        let call = makeOutgoing(to: target, shown: shown, at: now)
        prepare(call)
        setFocus(call.id)
        if let account = call.account, let state = accounts.first(where: { $0.id.name == account })?.state,
            !configuration.unregisteredAccounts.contains(account),
            state != .registered
        {
            call.phase = .registering
            if state == .failed || state == .unregistered { userAgent.handle(.register(account), at: now) }
            return
        }
        openMedia(for: call, at: now)
    }

    mutating func add(_ call: Call) {
        calls[call.id] = call
        sessions[call.session] = call.id
        sockets[call.socketID] = call.id
    }

    mutating func openMedia(for call: Call, at now: Instant) {
        call.phase = .preparing
        guard let target = call.target else { return }
        let account = configuration.accounts.first { $0.id == call.account }
        let hop = target == echo ? target : account?.proxy ?? configuration.proxy ?? target
        call.media.describer.quirks = account.flatMap { configuration.quirks[$0.id] } ?? AccountQuirks()
        if hop.isSecure || hop.transport.map({ $0.lowercased() != "udp" }) == true { call.media.describer.offerLimit = nil }
        let query = ResolutionQuery(
            host: hop.host, port: hop.port, transport: hop.transport.flatMap { SIPTransport(rawValue: $0.lowercased()) }, secure: hop.scheme == "sips"
        )
        emit(
            .openMedia(
                MediaRequest(id: call.socketID, toward: .query(query), components: 2, allAddresses: configuration.offersIce(call.mode))))
    }

    // MARK: calls

    mutating func answer(_ call: Call, at now: Instant) {
        guard case .alerting(let isReady) = call.phase else { return }
        call.wantsAnswer = true
        if isReady { accept(call, at: now) }
    }

    mutating func decline(_ call: Call, at now: Instant) {
        guard call.isAlerting else { return }
        call.verdict = .declined
        call.phase = .ending
        userAgent.handle(.reject(call.session, status: 603, reason: nil), at: now)
    }

    /// BYE, CANCEL or a refusal, as the state asks.
    mutating func hangUp(_ call: Call, because reason: String? = nil, at now: Instant) {
        switch call.phase {
        case .registering, .preparing:
            call.verdict = call.verdict ?? .noAnswer
            conclude(call, endedBy: "local", at: now)
        case .alerting:
            call.verdict = call.verdict ?? (life == .running ? .declined : .noAnswer)
            call.phase = .ending
            userAgent.handle(.reject(call.session, status: life == .running ? 603 : 480, reason: nil), at: now)
        case .calling, .ringing, .early:
            call.verdict = call.verdict ?? .noAnswer
            call.phase = .ending
            userAgent.handle(.hangUp(call.session, reason: reason), at: now)
        case .answered:
            judgeCertificate(call, at: now)
            if call.verdict == nil { call.verdict = call.answeredOutcome(at: now) }
            call.phase = .ending
            call.closeMedia(at: now)
            _ = drainMedia(call, at: now)
            userAgent.handle(.hangUp(call.session, reason: reason), at: now)
        case .ending: break
        }
    }

    private mutating func setHeld(_ call: Call, _ isHeld: Bool, at now: Instant) {
        guard call.isAnswered, call.isHeldLocally != isHeld, call.reoffer == nil else { return }
        let former = call.media.describer.direction
        call.media.describer.direction = isHeld ? .sendonly : .sendrecv
        guard let offer = call.media.makeOffer(call.security ?? call.mode) else {
            call.media.describer.direction = former
            tell(.warning, "no-address", "the call cannot be \(isHeld ? "held" : "taken back"): no address is left", call: call.id, at: now)
            return
        }
        call.reoffer = .hold
        userAgent.handle(.reoffer(call.session, body: offer), at: now)
    }

    mutating func sendDigits(_ call: Call, _ digits: String, at now: Instant) {
        guard call.isAnswered else { return }
        guard call.media.digits.canSend else {
            tell(.warning, "no-dtmf", "the peer takes no telephone-events", call: call.id, at: now)
            return
        }
        do {
            try call.media.digits.enqueue(digits)
        } catch {
            tell(.error, "bad-digits", "only 0-9, *, # and A-D can be sent", call: call.id, at: now)
        }
    }

    mutating func setFocus(_ id: CallID?) {
        guard focused != id else { return }
        focused = id
        emit(.audio(.focus(id)))
    }
}
