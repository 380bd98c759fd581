import Core
import Engine
import Interface
import Simulator
import Testing

/// How calls end whose media does not work.
@Suite struct MediaFailureTests {
    private func isMedia(_ datagram: Datagram) -> Bool { datagram.kind != .sip }

    @Test func iceFails() {
        let pair = Pair()
        pair.drop { $0.kind == .stun }
        pair.dial()
        pair.simulation.run(for: .seconds(45))
        #expect(pair.alice.result?.outcome == .iceFailed)
        #expect(pair.alice.result?.exitCode == 20 && pair.bob.result?.exitCode == 20)
        #expect(pair.simulation.sent[.dtls] == nil)
        pair.finish()
    }

    @Test func dtlsNeverAnswers() {
        let pair = Pair()
        pair.drop { $0.kind == .dtls }
        pair.dial()
        pair.simulation.run(for: .seconds(60))
        #expect(pair.alice.result?.outcome == .dtlsFailed || pair.bob.result?.outcome == .dtlsFailed)
        #expect(pair.alice.hasEnded && pair.bob.hasEnded)
        #expect(pair.simulation.sent[.rtp] == nil)
        pair.finish()
    }

    /// Exit 21 on the caller's side when only it sees nothing of the handshake.
    @Test func dtlsFailsForTheCaller() {
        let pair = Pair(alice: { $0.dtlsTimeout = .seconds(10) })
        pair.drop { [bob = pair.bob.address] in $0.kind == .dtls && $0.source.ip == bob }
        pair.dial()
        pair.simulation.run(for: .seconds(20))
        #expect(pair.alice.result?.outcome == .dtlsFailed)
        #expect(pair.alice.result?.exitCode == 21)
        pair.finish()
    }

    @Test func consentIsLost() {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(3))
        pair.drop(isMedia)
        let at = pair.simulation.now
        #expect(pair.simulation.run(limit: .seconds(60)) { pair.alice.hasEnded && pair.bob.hasEnded })
        #expect(pair.simulation.now - at > .seconds(20))
        let outcomes = [pair.alice.result?.outcome, pair.bob.result?.outcome]
        // Who notices first says BYE; the other may learn it by that.
        #expect(outcomes.contains(.mediaLost))
        pair.finish()
    }

    @Test func consentIsLostAndSignallingToo() {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(3))
        pair.drop { _ in true }
        #expect(pair.simulation.run(limit: .seconds(120)) { pair.alice.hasEnded && pair.bob.hasEnded })
        #expect(pair.alice.result?.exitCode == 24 && pair.bob.result?.exitCode == 24)
        pair.finish()
    }

    /// A gap shorter than consent's 30 s is survived.
    @Test func aGapIsSurvived() {
        let pair = Pair()
        #expect(pair.connect())
        var isGone = true
        pair.drop { _ in isGone }
        pair.simulation.run(for: .seconds(15))
        isGone = false
        pair.simulation.run(for: .seconds(5))
        #expect(pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    @Test func oneWay() {
        let pair = Pair()
        pair.drop { [bob = pair.bob.address] in $0.kind == .rtp && $0.source.ip == bob }
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.bob.hasMedia })
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.states == [.calling, .ringing, .answered])
        pair.alice.command(.hangUp(pair.alice.call))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.result?.outcome == .oneWay && pair.alice.result?.exitCode == 23)
        #expect(pair.bob.result?.outcome == .answered)
        pair.finish()
    }

    /// Too short for anything to be at fault, but for nothing at all.
    @Test(arguments: [true, false]) func aShortCall(isSilent: Bool) {
        let pair = Pair()
        pair.drop { [bob = pair.bob.address] in isSilent && $0.kind == .rtp && $0.source.ip == bob }
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.bob.hasMedia && (isSilent || pair.alice.hasMedia) })
        pair.bob.command(.hangUp(pair.bob.call))
        pair.simulation.run(for: .milliseconds(500))
        #expect(pair.alice.result?.outcome == (isSilent ? .oneWay : .answered))
        #expect(pair.bob.result?.outcome == .answered)
        pair.finish()
    }

    @Test func quitEndsEverythingSoon() {
        let pair = Pair()
        #expect(pair.connect())
        pair.dial()
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.snapshot.calls.count == 2)
        let at = pair.simulation.now
        pair.alice.command(.quit)
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.isFinished && (pair.alice.finishedAt ?? .distantFuture) - at <= .seconds(2))
        #expect(pair.bob.snapshot.calls.isEmpty)
        #expect(pair.alice.results.map(\.outcome) == [.answered, .answered])
        #expect(pair.faults.isEmpty)
    }

    @Test(arguments: [(Int32(2), Int32(130)), (15, 143)]) func signalsEndTheCall(signal: Int32, code: Int32) {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        pair.alice.tell(.interrupted(signal: signal))
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.isFinished)
        #expect(pair.alice.result?.exitCode == code)
        #expect(pair.bob.result?.outcome == .answered)
    }

    /// Nobody answers BYE: the end comes after two seconds all the same.
    @Test func quitDoesNotWaitForever() {
        let pair = Pair()
        #expect(pair.connect())
        pair.drop { _ in true }
        let at = pair.simulation.now
        pair.alice.command(.quit)
        pair.simulation.run(for: .seconds(5))
        #expect(pair.alice.isFinished && (pair.alice.finishedAt ?? .distantFuture) - at <= .seconds(2))
        #expect(pair.faults.isEmpty)
    }
}
