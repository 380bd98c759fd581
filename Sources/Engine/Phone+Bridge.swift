import Core
import Interface
import RTP
import SDP
import SIP

/// Calls that are joined: audio and video of each go to the other, and a leg that ends ends the other.
extension Phone {
    mutating func join(_ one: CallID, _ other: CallID, at now: Instant) {
        guard one != other, let first = calls[one], let second = calls[other] else {
            tell(.error, "no-such-call", "there are no two calls \(one) and \(other)", call: nil, at: now)
            return
        }
        guard first.partner == nil, second.partner == nil else {
            tell(.warning, "already-joined", "call \(first.partner == nil ? other : one) is joined already", call: one, at: now)
            return
        }
        link(first, second)
        updateBridge(first, at: now)
    }

    /// They belong together from now on; they are joined once both are answered.
    mutating func link(_ one: Call, _ other: Call) {
        one.partner = other.id
        other.partner = one.id
    }

    mutating func part(_ call: Call, at now: Instant) {
        guard let other = call.partner.flatMap({ calls[$0] }) else { return }
        for leg in [call, other] {
            let wasPassing = leg.media.audioBridge == .passing
            leg.partner = nil
            leg.bridgeMode = nil
            leg.sendsOtherCodec = false
            leg.media.setAudioBridge(.none, at: now)
            leg.media.setPassesVideo(false, at: now)
            if wasPassing, let port = leg.media.port { emit(.audio(.attach(leg.id, port))) }
            emit(.audio(.join(leg.id, nil)))
        }
    }

    /// Joins two calls that are both answered, or changes how: the same codec passes through, others are transcoded.
    mutating func updateBridge(_ call: Call, at now: Instant) {
        guard let other = call.partner.flatMap({ calls[$0] }), call.isAnswered, other.isAnswered, let ours = call.media.codecInUse,
            let theirs = other.media.codecInUse
        else { return }
        let canPass = ours.isSame(as: theirs) && !call.sendsOtherCodec && !other.sendsOtherCodec
        let mode: BridgeMode = canPass ? .passedThrough : .transcoded
        guard mode != call.bridgeMode else { return }
        let former = call.bridgeMode
        for leg in [call, other] {
            leg.bridgeMode = mode
            leg.media.setAudioBridge(mode == .passedThrough ? .passing : .transcoding, at: now)
            if former == nil { leg.media.setPassesVideo(true, at: now) }
        }
        for leg in [call, other] {
            switch mode {
            // The audio thread has nothing to do with it.
            case .passedThrough: emit(.audio(.detach(leg.id)))
            case .transcoded: if former == .passedThrough, let port = leg.media.port { emit(.audio(.attach(leg.id, port))) }
            }
        }
        if mode == .transcoded {
            emit(.audio(.join(call.id, other.id)))
            emit(.audio(.join(other.id, call.id)))
        }
        let how = mode == .passedThrough ? "\(ours.name) passed through" : "\(ours.name) and \(theirs.name) transcoded"
        let video = call.media.video != nil && other.media.video != nil ? ", video passed through" : ""
        tell(.message, "bridged", "joined with call \(other.id): \(how)\(video)", call: call.id, at: now)
    }

    // MARK: packets

    mutating func passOn(_ output: MediaSession.Output, from call: Call, at now: Instant) {
        guard let other = call.partner.flatMap({ calls[$0] }), call.bridgeMode != nil else { return }
        switch output {
        case .audioPacket(let packet):
            // A peer may send any codec that was agreed on (RFC 3264 §7), and the other may not have this one.
            if let media = other.media.negotiated, !media.has(packet.codec) {
                call.sendsOtherCodec = true
                updateBridge(call, at: now)
            } else {
                other.media.relay(packet, at: now)
            }
        case .audioSkipped(let sequence, let ssrc): other.media.rtp.relaySwallows(sequence, ssrc: ssrc)
        case .videoPacket(let packet):
            if other.media.forward(packet, from: UInt64(clamping: call.id.number), at: now) { call.media.requestKeyFrame(at: now) }
        case .keyFrameRequested: other.media.requestKeyFrame(at: now)
        default: break
        }
    }

    /// A digit of one leg is said to the other.
    mutating func passOn(digit: Character, durationMs: Int, from call: Call, at now: Instant) {
        guard call.bridgeMode != nil, let other = call.partner.flatMap({ calls[$0] }), other.isAnswered else { return }
        guard other.media.digits.canSend else {
            tell(.warning, "no-dtmf", "the peer takes no telephone-events: digit \(digit) is lost", call: other.id, at: now)
            return
        }
        try? other.media.digits.enqueue(String(digit))
    }

    // MARK: placing

    /// The first call; the second follows when it is answered.
    mutating func bridge(_ first: String, _ second: String, at now: Instant) { dial(first, at: now) { $0.bridgesTo = second } }

    /// An answered call goes on to the one that it is to be joined with.
    mutating func continueBridge(_ call: Call, at now: Instant) {
        if let target = call.bridgesTo {
            call.bridgesTo = nil
            bridge(call, to: target, at: now)
        } else if let first = call.partner.flatMap({ calls[$0] }), first.isAlerting {
            // The caller is answered with what the one that it is put through to has agreed on.
            if call.media.video == nil { first.media.describer.videoDirection = nil }
            if let offer = first.evaluation?.offer, case .success(let evaluation) = first.media.describer.evaluate(offer: offer) {
                first.evaluation = evaluation
            }
            answer(first, at: now)
        }
        updateBridge(call, at: now)
    }

    /// Calls `target` for somebody who is joined with it.
    mutating func bridge(_ call: Call, to target: String, at now: Instant) {
        let id = call.id
        let wantsVideo = call.media.video != nil || call.evaluation?.offersVideo == true
        let before = Set(calls.keys)
        dial(target, at: now) { other in
            other.partner = id
            call.partner = other.id
            if !wantsVideo { other.media.describer.videoDirection = nil }
        }
        // Nothing was placed, and nothing waits for the echo endpoint: there is nobody to be joined with.
        if call.partner == nil, echoWaiters.isEmpty, Set(calls.keys) == before { hangUp(call, because: "the other call cannot be placed", at: now) }
    }

    /// A leg has ended: so does the other.
    mutating func endPartner(of call: Call, at now: Instant) {
        guard let other = call.partner.flatMap({ calls[$0] }) else { return }
        other.partner = nil
        other.bridgeMode = nil
        if other.isAlerting, call.direction == .outgoing {
            // The caller is told why it was not put through.
            other.verdict = other.verdict ?? .declined
            other.phase = .ending
            userAgent.handle(.reject(other.session, status: Phone.statusForCaller(call), reason: nil), at: now)
        } else {
            hangUp(other, at: now)
        }
    }

    /// What the caller is told of the call that could not be made for it.
    private static func statusForCaller(_ call: Call) -> Int {
        switch call.verdict {
        case .busy: 486
        case .declined: 603
        case .notFound: 404
        case .noAnswer: 480
        case .notAcceptable: 488
        default: 503
        }
    }
}
