import Core
import Engine
import Interface
import Simulator
import Testing

/// What happens inside a call: hold, digits, new offers.
@Suite struct InCallTests {
    @Test func holdByOneSide() {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        let handshakes = pair.simulation.sent[.dtls]
        pair.alice.command(.setHeld(pair.alice.call, true))
        pair.simulation.run(for: .milliseconds(1500))
        #expect(pair.alice.snapshot.calls.first?.heldBy == .local)
        #expect(pair.bob.snapshot.calls.first?.heldBy == .remote)
        #expect(pair.alice.states.last == .held && pair.bob.states.last == .held)
        // Nobody is heard on hold.
        #expect(pair.bob.heard().latest.suffix(2400).allSatisfy { abs(Int($0)) < 50 })
        pair.alice.command(.setHeld(pair.alice.call, false))
        pair.simulation.run(for: .milliseconds(1500))
        #expect(pair.alice.snapshot.calls.first?.heldBy == nil && pair.bob.snapshot.calls.first?.heldBy == nil)
        #expect(pair.alice.states.last == .media && pair.bob.states.last == .media)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9 && pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        #expect(pair.alice.notices.isEmpty && pair.bob.notices.isEmpty)
        #expect(pair.simulation.sent[.dtls] == handshakes, "a new offer starts no handshake")
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    @Test func holdByBoth() {
        let pair = Pair()
        #expect(pair.connect())
        pair.alice.command(.setHeld(pair.alice.call, true))
        pair.simulation.run(for: .seconds(1))
        pair.bob.command(.setHeld(pair.bob.call, true))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.snapshot.calls.first?.heldBy == .both && pair.bob.snapshot.calls.first?.heldBy == .both)
        pair.alice.command(.setHeld(pair.alice.call, false))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.snapshot.calls.first?.heldBy == .remote && pair.bob.snapshot.calls.first?.heldBy == .local)
        pair.bob.command(.setHeld(pair.bob.call, false))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.snapshot.calls.first?.heldBy == nil && pair.bob.snapshot.calls.first?.heldBy == nil)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9 && pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        pair.finish()
    }

    /// Both offer at the same moment: 491, then one after the other (RFC 3261 §14.1).
    @Test func bothHoldAtOnce() {
        let pair = Pair()
        #expect(pair.connect())
        pair.alice.command(.setHeld(pair.alice.call, true))
        pair.bob.command(.setHeld(pair.bob.call, true))
        pair.simulation.run(for: .seconds(10))
        #expect(pair.alice.snapshot.calls.first?.heldBy == .both && pair.bob.snapshot.calls.first?.heldBy == .both)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// Digits that the peer cannot take are not dropped without a word.
    @Test func digitsThatThePeerCannotTake() {
        let pair = Pair(alice: { $0.digitsAfterAnswer = "12" })
        pair.edit(from: pair.alice) { text in text.lines = text.lines.filter { !$0.contains("telephone-event") } }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.notices == ["no-dtmf"] && pair.alice.digits(.outgoing).isEmpty && pair.bob.digits(.incoming).isEmpty)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// A held call that ends well is no one-way call.
    @Test func aCallThatEndsOnHold() {
        let pair = Pair()
        #expect(pair.connect())
        pair.bob.command(.setHeld(pair.bob.call, true))
        pair.simulation.run(for: .seconds(3))
        pair.alice.command(.hangUp(pair.alice.call))
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// Packets that nobody agreed on, from the peer's own address and under another SSRC, do not silence the peer.
    @Test func whatWasNeverAgreedOnIsNotHeard() {
        let pair = Pair(both: { $0.security = .none })
        var number: UInt16 = 100
        pair.simulation.filters.append { datagram in
            guard datagram.source.ip == pair.bob.address, datagram.kind == .rtp else { return [datagram] }
            var other = datagram
            other.payload[1] = 122
            other.payload[2] = UInt8(number >> 8)
            other.payload[3] = UInt8(number & 0xFF)
            other.payload[8] ^= 0x55
            number &+= 1
            return [other, datagram]
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        #expect(pair.alice.snapshot.calls.first?.transports.first?.dropped.other ?? 0 > 100)
        pair.finish()
    }

    @Test func mutedIsSilent() {
        let pair = Pair()
        #expect(pair.connect())
        pair.alice.command(.setMuted(pair.alice.call, true))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.heard().latest.suffix(4800).allSatisfy { abs(Int($0)) < 50 })
        #expect(pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        pair.alice.command(.setMuted(pair.alice.call, false))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
    }

    /// Digits arrive exactly, in both directions at once, over 20 % loss.
    @Test func digitsOverLoss() {
        let sent = ("0123456789*#ABCD", "DCBA#*11223344")
        var wrong: [String] = []
        for seed in UInt64(1)...UInt64(Seeds.count(20)) {
            let pair = Pair(seed: seed, profile: .rough(loss: .bernoulli(0.2)))
            guard pair.connect(limit: .seconds(40)) else { continue }
            pair.alice.command(.sendDTMF(pair.alice.call, digits: sent.0))
            pair.bob.command(.sendDTMF(pair.bob.call, digits: sent.1))
            pair.simulation.run(for: .seconds(8))
            if pair.bob.digits(.incoming) != sent.0 || pair.alice.digits(.incoming) != sent.1 {
                wrong.append("seed \(seed): \(pair.bob.digits(.incoming)) \(pair.alice.digits(.incoming))")
            }
            #expect(pair.alice.digits(.outgoing) == sent.0)
        }
        #expect(wrong.isEmpty)
    }

    @Test func badDigitsAreRefused() {
        let pair = Pair()
        #expect(pair.connect())
        pair.alice.command(.sendDTMF(pair.alice.call, digits: "12x"))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.notices == ["bad-digits"])
        #expect(pair.bob.digits(.incoming).isEmpty)
        pair.finish()
    }

    /// `--for`, `--dtmf` and `--echo`: the caller hears itself.
    @Test func aLimitedCallToAnEcho() {
        let pair = Pair(
            alice: {
                $0.callLimit = .seconds(4)
                $0.digitsAfterAnswer = "42#"
            },
            options: { _ in })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(6))
        #expect(pair.alice.result?.outcome == .answered && pair.alice.result?.endedBy == "local")
        #expect(pair.bob.digits(.incoming) == "42#")
        pair.finish()
    }

    @Test func focusFollowsTheCalls() {
        let pair = Pair()
        #expect(pair.connect())
        pair.dial()
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.snapshot.focused == CallID(2))
        pair.alice.command(.focus(CallID(1)))
        #expect(pair.alice.audio.focused == CallID(1))
        pair.alice.command(.hangUp(CallID(1)))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.snapshot.focused == CallID(2))
        #expect(pair.alice.heard(CallID(2)).share(of: Pair.bobTone) > 0.9)
        pair.finish()
        #expect(pair.alice.snapshot.history.map(\.outcome) == [.answered, .answered])
    }

    @Test func tonesFollowTheState() {
        let pair = Pair(bob: { $0.autoAnswer = false })
        pair.dial()
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.audio.tones.last == .ringback && pair.bob.audio.tones.last == .ring)
        pair.bob.command(.silence(pair.bob.call))
        #expect(pair.bob.audio.tones == [.ring, nil])
        pair.bob.command(.decline(pair.bob.call))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.audio.tones == [.ringback, .failure])
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.audio.tones == [.ringback, .failure, nil])
        pair.finish()
    }
}
