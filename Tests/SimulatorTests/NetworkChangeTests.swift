import Core
import Engine
import Interface
import Simulator
import Testing

/// An address of ours goes away in mid-call and another comes: the phone finds the way back by itself.
@Suite struct NetworkChangeTests {
    private func expectBack(_ pair: Pair, within limit: Duration, share: Double = 0.9, _ location: SourceLocation = #_sourceLocation) {
        let before = (pair.alice.received, pair.bob.received)
        let isBack = pair.simulation.run(limit: limit) { pair.alice.received > before.0 + 25 && pair.bob.received > before.1 + 25 }
        #expect(isBack, sourceLocation: location)
        pair.simulation.run(for: .seconds(2))
        #expect(
            pair.bob.heard().share(of: Pair.aliceTone) > share && pair.alice.heard().share(of: Pair.bobTone) > share, sourceLocation: location)
    }

    private func codes(_ node: Node) -> [String] {
        node.notices.filter { ["address-lost", "address-added", "ice-restart", "new-address"].contains($0) }
    }

    @Test(arguments: [true, false]) func theAddressIsReplaced(callerMoves: Bool) {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        let handshakes = pair.simulation.sent[.dtls]
        let mover = callerMoves ? pair.alice : pair.bob
        mover.move(to: ["192.0.2.77"])
        expectBack(pair, within: .seconds(2))
        #expect(codes(mover) == ["address-lost", "address-added", "ice-restart"])
        let selected = mover.snapshot.calls.first?.transports.first?.selectedCandidatePair
        #expect(selected?.local.address == "192.0.2.77" && selected?.nominated == true)
        #expect(mover.snapshot.calls.first?.transports.first?.iceState == "completed")
        #expect(pair.simulation.sent[.dtls] == handshakes, "the association is kept")
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// Nothing for five seconds, then another network.
    @Test func theNewAddressComesLater() {
        let pair = Pair()
        #expect(pair.connect())
        pair.alice.move(to: [])
        pair.simulation.run(for: .seconds(5))
        #expect(codes(pair.alice) == ["address-lost"])
        #expect(!pair.alice.hasEnded && !pair.bob.hasEnded)
        pair.alice.move(to: ["198.51.100.7"])
        expectBack(pair, within: .seconds(2))
        #expect(codes(pair.alice) == ["address-lost", "address-added", "ice-restart"])
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// Hold is pressed while no address is left: it is said, and the call still finds its way back.
    @Test func holdWithoutAnAddress() {
        let pair = Pair()
        #expect(pair.connect())
        pair.alice.move(to: [])
        pair.simulation.run(for: .seconds(2))
        pair.alice.command(.setHeld(pair.alice.call, true))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.notices.contains("no-address") && pair.alice.snapshot.calls.first?.heldBy == nil)
        pair.alice.move(to: ["198.51.100.7"])
        expectBack(pair, within: .seconds(2))
        // Now it can be held.
        pair.alice.command(.setHeld(pair.alice.call, true))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.snapshot.calls.first?.heldBy == .local)
        pair.finish()
    }

    /// A second address is there already: nothing has to be opened.
    @Test func theOtherAddressIsUsed() {
        let pair = Pair()
        pair.alice.move(to: ["192.0.2.1", "198.51.100.1"])
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.alice.move(to: ["198.51.100.1"])
        expectBack(pair, within: .seconds(2))
        #expect(pair.alice.snapshot.calls.first?.transports.first?.selectedCandidatePair?.local.address == "198.51.100.1")
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// No address ever again: the call ends as lost, not as a failure of ICE, when its time is over.
    @Test func nothingComesBack() {
        let pair = Pair()
        #expect(pair.connect())
        pair.alice.move(to: [])
        pair.simulation.run(for: .seconds(80))
        #expect(pair.alice.result?.outcome == .mediaLost)
        #expect(pair.bob.result?.outcome == .mediaLost)
    }

    @Test(arguments: [Interface.SecurityPolicy.sdes, .none]) func withoutIceTheNewAddressIsOffered(_ policy: Interface.SecurityPolicy) {
        let pair = Pair(both: { $0.security = policy })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.alice.move(to: ["192.0.2.77"])
        expectBack(pair, within: .seconds(3))
        #expect(codes(pair.alice) == ["address-lost", "address-added", "new-address"])
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// Both restart at once, under loss: one offer waits for the other (RFC 3261 §14.1).
    @Test(arguments: 1...20) func bothMove(seed: UInt64) {
        let pair = Pair(seed: seed, profile: LinkProfile(delay: .milliseconds(20), loss: .bernoulli(0.05)))
        #expect(pair.connect(limit: .seconds(30)))
        pair.simulation.run(for: .seconds(1))
        // The signalling stays reachable; media must go by the second addresses.
        pair.alice.move(to: ["192.0.2.1", "192.0.2.77"])
        pair.bob.move(to: ["192.0.2.2", "192.0.2.88"])
        pair.simulation.run(for: .milliseconds(100))
        pair.alice.lose(pair.alice.address)
        pair.bob.lose(pair.bob.address)
        // What is lost is concealed, with a little less of the tone.
        expectBack(pair, within: .seconds(20), share: 0.7)
        pair.finish()
    }
}

extension Node {
    fileprivate var received: Int { snapshot.calls.first?.streams.first?.inbound.packetsReceived ?? 0 }
}
