import Audio
import Core
import ICE
import Interface
import RTP
import SDP
import SIP
import Secure

/// Sockets, and what each call's media tells.
extension Phone {
    mutating func mediaOpened(_ id: MediaSocketID, _ opened: [MediaSocket], at now: Instant) {
        guard let call = sockets[id].flatMap({ calls[$0] }) else {
            emit(.closeMedia(id))
            return
        }
        call.media.open(opened)
        let hasControl = opened.contains { $0.component == 2 }
        switch call.phase {
        case .preparing:
            call.media.prepare(ice: configuration.offersIce(call.mode), controlling: true, components: hasControl ? 2 : 1, at: now)
        case .alerting:
            let wantsIce = call.offersInAnswer ? configuration.offersIce(call.mode) : call.evaluation?.media.ice != nil
            // The offerer controls, unless it is lite.
            let controlling = call.offersInAnswer || call.evaluation?.media.ice?.isLite == true
            call.media.prepare(ice: wantsIce, controlling: controlling, components: hasControl ? 2 : 1, at: now)
        default: return
        }
        // An answer to somebody who takes the rest later waits for nobody.
        if call.media.isGathered || call.isAlerting && canTrickle(call) {
            gathered(call, at: now)
        } else {
            timers.set(.gather(call.id), at: now + configuration.gatherTimeout)
        }
    }

    /// Candidates are known, or the wait for them is over.
    mutating func gathered(_ call: Call, at now: Instant) {
        timers.cancel(.gather(call.id))
        switch call.phase {
        case .preparing: invite(call, at: now)
        case .alerting(isReady: false):
            call.phase = .alerting(isReady: true)
            if call.wantsAnswer { accept(call, at: now) }
        case .answered: seekPath(call, at: now)
        default: break
        }
    }

    private mutating func invite(_ call: Call, at now: Instant) {
        guard let target = call.target, let offer = call.media.makeOffer(call.mode) else { return }
        call.phase = .calling
        call.timing.start = now
        call.media.zero = now
        timers.set(.ring(call.id), at: now + configuration.ringTimeout)
        userAgent.handle(.invite(call.session, to: target, account: call.account, body: offer, contentType: "application/sdp"), at: now)
    }

    mutating func mediaFailed(_ id: MediaSocketID, _ message: String, unresolved: Bool, at now: Instant) {
        guard let call = sockets[id].flatMap({ calls[$0] }) else { return }
        tell(.error, unresolved ? "unreachable" : "no-media-port", Sanitiser.text(message), call: call.id, at: now)
        call.verdict = unresolved ? .unreachable : .usage
        if call.isAlerting {
            call.verdict = .sipFailure
            call.phase = .ending
            userAgent.handle(.reject(call.session, status: 500, reason: nil), at: now)
        } else {
            conclude(call, endedBy: "local", at: now)
        }
    }

    mutating func mediaClosed(_ id: MediaSocketID, _ address: SocketAddress, at now: Instant) {
        guard let call = sockets[id].flatMap({ calls[$0] }) else { return }
        lose(call, at: now) { $0 == address }
        seekPath(call, at: now)
    }

    /// - Returns: whether anything came that the phone itself must look at.
    @discardableResult
    mutating func drainMedia(_ call: Call, at now: Instant) -> Bool {
        var isNoteworthy = false
        while let output = call.media.poll() {
            switch output {
            case .transmit(let transmit): emit(.sendMedia(call.socketID, transmit))
            case .stream(let request): handle(request, call)
            case .frame(let frame): emit(.frame(call.id, frame))
            case .audioPacket, .audioSkipped, .videoPacket, .keyFrameRequested: passOn(output, from: call, at: now)
            default:
                isNoteworthy = true
                handle(output, call, at: now)
            }
        }
        // What was passed on leaves by the other call.
        if let other = call.partner.flatMap({ calls[$0] }), other.media.hasOutput, drainMedia(other, at: now) { isNoteworthy = true }
        return isNoteworthy
    }

    private mutating func handle(_ output: MediaSession.Output, _ call: Call, at now: Instant) {
        switch output {
        case .transmit, .stream, .frame, .audioPacket, .audioSkipped, .videoPacket, .keyFrameRequested: break
        case .keyLog(let line): emit(.keyLog(line))
        // A call whose packets pass through has nothing for the audio thread.
        case .attach(let port): if call.bridgeMode != .passedThrough { emit(.audio(.attach(call.id, port))) }
        case .ice(let component, _):
            let name = component == 1 ? "rtp" : "rtcp"
            guard let figures = call.media.transportStatistics.first(where: { $0.component == name }) else { return }
            emit(.callIce(call.id, component: name, iceState: figures.iceState, pairs: figures.pairs), at: now)
        case .gathered:
            gathered(call, at: now)
            trickle(call, at: now)
        case .candidates: trickle(call, at: now)
        case .iceConnected: call.timing.iceConnected = call.timing.iceConnected ?? now
        // Early media is one fork's: what it comes to ends the call only when that fork answers.
        case .iceFailed, .consentLost: if call.timing.answered != nil { judgeMedia(call, at: now) }
        case .dtls(let component):
            let name = component == 1 ? "rtp" : "rtcp"
            guard let figures = call.media.transportStatistics.first(where: { $0.component == name }) else { return }
            emit(.callDtls(call.id, figures), at: now)
        case .dtlsConnected: call.timing.dtlsConnected = call.timing.dtlsConnected ?? now
        case .dtlsFailed(let failure):
            guard failure.isMismatch || call.direction == .incoming || call.timing.answered != nil else { return }
            fail(call, failure.isMismatch ? .fingerprintMismatch : .dtlsFailed, Phone.sentence(failure), at: now)
        case .serverFailed(let server, let isTurn, let message):
            let what = isTurn ? "TURN" : "STUN"
            tell(.warning, isTurn ? "turn-failed" : "stun-failed", "\(what) server \(server): \(message)", call: call.id, at: now)
        case .warning(let code, let message): tell(.warning, code, message, call: call.id, at: now)
        case .firstReceived: call.timing.firstMediaReceived = call.timing.firstMediaReceived ?? now
        case .firstSent: call.timing.firstMediaSent = call.timing.firstMediaSent ?? now
        case .digit(let digit, let durationMs, let direction): received(digit, durationMs: durationMs, direction, call, at: now)
        case .trace(let layer, let direction, let meaning, let local, let remote):
            emit(.trace(Trace(time: now, call: call.id, layer: layer, direction: direction, meaning: meaning, local: local, remote: remote)))
        }
    }

    /// Ends an answered call whose media failed, or, when the time is over, has not come up.
    mutating func judgeMedia(_ call: Call, isPathDue: Bool = false, isHandshakeDue: Bool = false, at now: Instant) {
        guard call.isAnswered else { return }
        switch call.media.shortcoming(ice: isPathDue, dtls: isHandshakeDue) {
        // A path that was there and is lost for good is another thing than none at all.
        case .noPath where call.timing.iceConnected != nil: fail(call, .mediaLost, "no path to the peer is left", at: now)
        case .noPath:
            call.media.reportSilentServers(at: now)
            drainMedia(call, at: now)
            fail(call, .iceFailed, "ICE found no working path to the peer", at: now)
        case .pathLost: fail(call, .mediaLost, "the peer no longer answers connectivity checks", at: now)
        case .noHandshake:
            judgeCertificate(call, at: now)
            if call.verdict == nil { fail(call, .dtlsFailed, Phone.sentence(.timeout(alert: nil)), at: now) } else { hangUp(call, at: now) }
        case nil: break
        }
    }

    /// Why the handshake failed, for a person.
    static func sentence(_ failure: DTLSFailure) -> String {
        switch failure {
        case .fingerprintMismatch: "the peer's certificate is not the one it signalled: somebody may be in between"
        case .untrustedCertificate(let reason): "the peer's certificate is not signed by anybody trusted: \(Sanitiser.text(reason))"
        case .ciphersRefused(let names): "the cipher list names suites that protect nothing: \(Sanitiser.text(names.joined(separator: ", ")))"
        case .noUsableFingerprint: "the peer signalled no fingerprint that counts"
        case .noCommonSRTPProfile: "no common SRTP profile"
        case .timeout(let alert): "no DTLS handshake in time" + (alert.map { " (alert \($0) came in clear)" } ?? "")
        case .alert(let number): "the peer refused the DTLS handshake (alert \(number))"
        case .handshake(let reason): "the DTLS handshake failed: \(Sanitiser.text(reason))"
        case .library(let reason): "DTLS cannot start: \(Sanitiser.text(reason))"
        }
    }

    mutating func expired(_ timer: Timer, at now: Instant) {
        switch timer {
        case .ring(let id):
            guard let call = calls[id] else { return }
            if call.isAlerting {
                call.verdict = .noAnswer
                call.phase = .ending
                userAgent.handle(.reject(call.session, status: 480, reason: nil), at: now)
            } else if !call.isAnswered {
                call.verdict = call.verdict ?? .noAnswer
                hangUp(call, at: now)
            }
        case .answer(let id): if let call = calls[id] { answer(call, at: now) }
        case .limit(let id): if let call = calls[id] { hangUp(call, at: now) }
        case .path(let id): if let call = calls[id] { judgeMedia(call, isPathDue: true, at: now) }
        case .handshake(let id): if let call = calls[id] { judgeMedia(call, isPathDue: true, isHandshakeDue: true, at: now) }
        case .gather(let id): if let call = calls[id] { gathered(call, at: now) }
        case .statistics: reportStatistics(at: now)
        case .tone: endTone = nil
        case .link: links?.handleTimeout(at: now)
        case .reoffer(let id): if let call = calls[id] { seekPath(call, at: now) }
        case .quit: finish(at: now)
        }
    }

    private mutating func reportStatistics(at now: Instant) {
        var isAnyAnswered = false
        for call in calls.values.sorted(by: { $0.id < $1.id }) where call.isAnswered {
            isAnyAnswered = true
            call.media.tellConditions()
            let streams = call.media.streamStatistics
            // What the peer reports as lost decides how much redundancy Opus carries; some of it always, for the first loss.
            if let lost = call.media.rtp.statistics.outbound.fractionLost {
                call.media.port?.setExpectedLoss(percent: max(10, Int((lost * 100).rounded(.up))))
            }
            emit(.callStats(call.id, transports: call.media.transportStatistics, streams: streams), at: now)
        }
        if isAnyAnswered { timers.set(.statistics, at: now + configuration.statisticsInterval) }
    }

    /// Ring, ring-back, busy or failure: what the person should hear now. Early media silences the ring-back.
    mutating func chooseTone() {
        var wanted = endTone
        for call in calls.values {
            switch call.phase {
            case .alerting where !call.isSilenced && !configuration.autoAnswer: wanted = .ring
            case .ringing where call.id == focused && wanted == nil: wanted = .ringback
            default: break
            }
        }
        guard wanted != tone else { return }
        tone = wanted
        emit(.audio(.tone(wanted)))
    }
}
