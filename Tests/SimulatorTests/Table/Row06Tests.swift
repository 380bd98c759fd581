import Core
import Engine
import Interface
import Simulator
import Testing

/// Row 6: the handshake that comes early, late, or is lost is never lost for good; no media goes before it is done.
@Suite struct Row06Tests {
    /// The callee's ClientHello is there half a second before its answer: it is kept, and the handshake ends right after the answer.
    @Test func row06_helloBeforeTheAnswer() {
        let pair = Pair()
        let watch = MediaWatch(pair)
        var helloAt: Instant?
        var answerAt: Instant?
        pair.simulation.filters.append { [simulation = pair.simulation] datagram in
            if datagram.handshakeType == 1 { helloAt = helloAt ?? simulation.now }
            guard datagram.kind == .sip, let text = SIPText(datagram.payload), text.status == 200, text.cseqMethod == "INVITE" else {
                return [datagram]
            }
            if answerAt == nil {
                answerAt = simulation.now + .milliseconds(500)
                simulation.inject(datagram, after: .milliseconds(500))
            }
            return []
        }
        #expect(pair.connect())
        guard let helloAt, let answerAt else {
            Issue.record("no hello or answer")
            return
        }
        #expect(helloAt < answerAt - .milliseconds(200))
        #expect(pair.simulation.now - answerAt < .milliseconds(250))
        #expect(watch.early.isEmpty, "\(watch.early)")
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// The answer is 30 s under way, the callee's DTLS is not: longer than the library repeats a flight by itself.
    @Test(arguments: [true, false], [true, false]) func row06_theAnswerTakes30Seconds(offererIsClient: Bool, hasMux: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        if !hasMux { pair.withoutMux() }
        let watch = MediaWatch(pair)
        var answerAt: Instant?
        pair.simulation.filters.append { [simulation = pair.simulation] datagram in
            guard datagram.kind == .sip, let text = SIPText(datagram.payload), text.status == 200, text.cseqMethod == "INVITE" else {
                return [datagram]
            }
            if answerAt == nil {
                answerAt = simulation.now + .seconds(30)
                simulation.inject(datagram, after: .seconds(30))
            }
            return []
        }
        #expect(pair.connect(limit: .seconds(40)))
        guard let answerAt else {
            Issue.record("no answer")
            return
        }
        #expect(pair.simulation.now > answerAt && pair.simulation.now - answerAt < .milliseconds(1500))
        #expect(watch.early.isEmpty, "\(watch.early)")
        pair.simulation.run(for: .seconds(1))
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// A person takes 30 s to answer.
    @Test(arguments: [true, false]) func row06_thePersonTakes30Seconds(offererIsClient: Bool) {
        let pair = Pair(bob: { $0.answerAfter = .seconds(30) })
        if offererIsClient { pair.makeOffererClient() }
        let watch = MediaWatch(pair)
        #expect(pair.connect(limit: .seconds(40)))
        pair.simulation.run(for: .seconds(1))
        #expect(watch.early.isEmpty, "\(watch.early)")
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }

    /// The first datagrams of the handshake are lost, of the client, of the server, or of both.
    @Test(arguments: [(3, 0), (0, 3), (4, 4), (8, 0), (0, 8)], [true, false]) func row06_firstFlightsAreLost(
        lost: (fromCaller: Int, fromCallee: Int), offererIsClient: Bool
    ) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        var left = [pair.alice.address: lost.fromCaller, pair.bob.address: lost.fromCallee]
        pair.drop { datagram in
            guard datagram.kind == .dtls, let count = left[datagram.source.ip], count > 0 else { return false }
            left[datagram.source.ip] = count - 1
            return true
        }
        let watch = MediaWatch(pair)
        #expect(pair.connect(limit: .seconds(20)))
        #expect(left.values.allSatisfy { $0 == 0 })
        pair.simulation.run(for: .seconds(1))
        #expect(watch.early.isEmpty, "\(watch.early)")
        #expect(watch.firstMedia.count == 2)
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }

    /// Everything of DTLS is lost for longer than the library repeats it (9.55 s), then nothing more.
    @Test(arguments: [true, false]) func row06_nothingPassesFor15Seconds(offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        let opened = pair.simulation.now + .seconds(15)
        pair.drop { [simulation = pair.simulation] in $0.kind == .dtls && simulation.now < opened }
        let watch = MediaWatch(pair)
        #expect(pair.connect(limit: .seconds(20)))
        #expect(pair.simulation.now - opened < .milliseconds(1500))
        #expect(watch.early.isEmpty, "\(watch.early)")
        pair.finish()
    }

    /// As Asterisk does: every DTLS datagram before the peer's own first valid pair is dropped there.
    @Test(arguments: [true, false], [true, false]) func row06_earlyHellosAreDropped(hasMux: Bool, offererIsClient: Bool) {
        let pair = Pair()
        let opened = pair.simulation.now + .milliseconds(1500)
        if !hasMux { pair.withoutMux() }
        if offererIsClient { pair.makeOffererClient() }
        pair.drop { [simulation = pair.simulation] in $0.kind == .dtls && simulation.now < opened }
        let watch = MediaWatch(pair)
        #expect(pair.connect())
        #expect(pair.simulation.now - opened < .milliseconds(1100))
        #expect(watch.early.isEmpty, "\(watch.early)")
        pair.finish()
    }
}
