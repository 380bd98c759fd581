import Core
import Engine
import Interface
import Simulator
import Testing

/// Races and losses of single SIP messages.
@Suite struct SignallingRaceTests {
    /// CANCEL leaves while the 200 is under way: the 200 is acknowledged and ended by BYE.
    @Test func cancelAgainst200() {
        let pair = Pair(bob: { $0.answerAfter = .milliseconds(500) })
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.bob.states.contains(.answered) })
        #expect(!pair.alice.states.contains(.answered))
        pair.alice.command(.hangUp(pair.alice.call))
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.result?.outcome == .noAnswer)
        #expect(pair.bob.hasEnded)
        #expect(pair.bob.heard().peak == 0)
        pair.finish()
    }

    /// The 200 leaves while the CANCEL is under way.
    @Test func ringingCallIsCancelled() {
        let pair = Pair(bob: { $0.autoAnswer = false })
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.alice.states.contains(.ringing) })
        pair.alice.command(.hangUp(pair.alice.call))
        pair.simulation.run(for: .milliseconds(5))
        pair.bob.command(.answer(pair.bob.call))
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.hasEnded && pair.bob.hasEnded)
        #expect(pair.alice.result?.outcome == .noAnswer)
        pair.finish()
    }

    /// The first ACKs are lost: the 200 is repeated, each repeat acknowledged, and the call lives.
    @Test func lostACK() {
        let pair = Pair()
        var lost = 0
        var accepted = 0
        pair.simulation.filters.append { datagram in
            guard let text = SIPText(datagram.payload), datagram.kind == .sip else { return [datagram] }
            if text.status == 200, text.cseqMethod == "INVITE" { accepted += 1 }
            guard text.method == "ACK", lost < 3 else { return [datagram] }
            lost += 1
            return []
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(8))
        #expect(lost == 3 && accepted == 4)
        #expect(pair.alice.states == [.calling, .ringing, .answered, .media])
        pair.finish()
        #expect(pair.bob.result?.outcome == .answered)
    }

    /// No ACK ever comes: after 64·T1 the callee says BYE and calls it a failure of SIP.
    @Test func noACK() {
        let pair = Pair()
        pair.drop { $0.kind == .sip && SIPText($0.payload)?.method == "ACK" }
        pair.connect()
        pair.simulation.run(for: .seconds(40))
        #expect(pair.bob.result?.outcome == .sipFailure)
        #expect(pair.alice.hasEnded)
        pair.finish()
    }

    /// The first 200s are lost, and later ones come twice: one answer, one media session.
    @Test func retransmitted200() {
        let pair = Pair()
        var seen = 0
        pair.simulation.filters.append { datagram in
            guard let text = SIPText(datagram.payload), datagram.kind == .sip, text.status == 200, text.cseqMethod == "INVITE" else {
                return [datagram]
            }
            seen += 1
            return seen <= 2 ? [] : [datagram, datagram, datagram]
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(5))
        #expect(pair.alice.states.filter { $0 == .answered }.count == 1)
        #expect(pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    @Test func answerAfterThirtySeconds() {
        let pair = Pair(both: { $0.ringTimeout = .seconds(60) }, bob: { $0.autoAnswer = false })
        pair.dial()
        pair.simulation.run(for: .seconds(30))
        #expect(pair.alice.states == [.calling, .ringing])
        pair.bob.command(.answer(pair.bob.call))
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.alice.hasMedia && pair.bob.hasMedia })
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
        #expect(pair.alice.result?.exitCode == 0 && pair.bob.result?.exitCode == 0)
    }

    @Test func ringTimeoutOfTheCaller() {
        let pair = Pair(alice: { $0.ringTimeout = .seconds(10) }, bob: { $0.autoAnswer = false })
        pair.dial()
        pair.simulation.run(for: .seconds(12))
        #expect(pair.alice.result?.outcome == .noAnswer && pair.bob.result?.outcome == .noAnswer)
        #expect(pair.bob.result?.endedBy == "remote")
        pair.finish()
    }

    @Test func ringTimeoutOfTheCallee() {
        let pair = Pair(bob: {
            $0.autoAnswer = false
            $0.ringTimeout = .seconds(10)
        })
        pair.dial()
        pair.simulation.run(for: .seconds(12))
        #expect(pair.alice.result?.status == 480)
        #expect(pair.alice.result?.outcome == .noAnswer && pair.bob.result?.outcome == .noAnswer)
        pair.finish()
    }

    @Test func tooManyCallsAreBusy() {
        let pair = Pair(bob: { $0.maximumCalls = 2 })
        for _ in 0..<3 { pair.dial() }
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.results.map(\.outcome) == [.busy] && pair.alice.results.first?.status == 486)
        #expect(pair.bob.snapshot.calls.map(\.state) == [.media, .media])
        pair.finish()
    }

    @Test func declinedAndUnknown() {
        let pair = Pair(bob: { $0.autoAnswer = false })
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.alice.states.contains(.ringing) })
        pair.bob.command(.decline(pair.bob.call))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.result?.outcome == .declined && pair.bob.result?.outcome == .declined)
        pair.alice.command(.dial(uri: "sip:nobody@nowhere.example"))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.result(of: CallID(2))?.outcome == .unreachable)
        pair.finish()
    }

    /// Nobody answers at all: 64·T1, then unreachable.
    @Test func silenceIsUnreachable() {
        let pair = Pair()
        pair.drop { $0.kind == .sip }
        pair.dial()
        pair.simulation.run(for: .seconds(40))
        #expect(pair.alice.result?.outcome == .unreachable)
        // Nobody said a reason phrase or ended it; why it ended is told all the same.
        #expect(pair.alice.result?.status == nil && pair.alice.result?.reason == nil && pair.alice.result?.endedBy == "local")
        let why = pair.alice.events.compactMap { if case .callState(_, .ended, _, let reason) = $0.event { reason } else { nil } }
        #expect(why == ["no response"])
        pair.finish()
    }

    @Test func bothHangUpAtOnce() {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        pair.alice.command(.hangUp(pair.alice.call))
        pair.bob.command(.hangUp(pair.bob.call))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
        pair.finish()
    }

    @Test func signallingOverTCP() {
        let pair = Pair(options: { $0.listensTCP = true })
        pair.alice.command(.dial(uri: pair.bob.uri + ";transport=tcp"))
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.alice.hasMedia && pair.bob.hasMedia })
        #expect(pair.simulation.sent[.sip] == nil && pair.simulation.streamBytes > 1000)
        pair.simulation.run(for: .seconds(2))
        pair.bob.command(.hangUp(pair.bob.call))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.result?.outcome == .answered)
        pair.simulation.run(for: .seconds(1000))
        #expect(pair.faults.isEmpty)
        #expect(pair.alice.isQuiet, "\(pair.alice.phone.aliveCounts)")
        #expect(pair.bob.isQuiet, "\(pair.bob.phone.aliveCounts)")
    }

    @Test func tcpIsRefused() {
        let pair = Pair()
        pair.alice.command(.dial(uri: pair.bob.uri + ";transport=tcp"))
        pair.simulation.run(for: .seconds(40))
        #expect(pair.alice.result?.outcome == .unreachable)
        pair.finish()
    }
}

extension CallResult {
    var exitCode: Int32 { outcome.exitCode }
}
