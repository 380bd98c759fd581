import Core
import Engine
import Interface
import RTP
import Simulator
import Testing

/// Two calls of one phone that are joined: audio and digits.
@Suite struct JoinedCallTests {
    /// Each packet of one leg leaves by the other: payload for payload, its numbers in one row.
    @Test func theSameCodecPassesThrough() {
        let trio = Trio()
        #expect(trio.bridge())
        trio.simulation.run(for: .milliseconds(500))
        trio.forgetPackets()
        trio.simulation.run(for: .seconds(3))
        #expect(trio.hub.snapshot.calls.allSatisfy { $0.bridgeMode == .passedThrough })
        for (one, other) in [(trio.alice, trio.bob), (trio.bob, trio.alice)] {
            let came = trio.sent(from: one, to: trio.hub)
            let went = trio.sent(from: trio.hub, to: other)
            #expect(came.count > 145 && went.count > 145)
            // The first ones that went may have come before.
            #expect((0...2).contains { before in zip(came, went.dropFirst(before)).allSatisfy { $0.payload == $1.payload } })
            for (one, next) in zip(went, went.dropFirst()) {
                #expect(next.header.sequenceNumber == one.header.sequenceNumber &+ 1 && next.header.ssrc == one.header.ssrc)
                #expect(next.header.timestamp == one.header.timestamp &+ 960)
            }
            #expect(went[0].header.ssrc != came[0].header.ssrc)
        }
        #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        // The hub decodes nothing, and knows nothing about what it did not decode.
        for stream in trio.hub.snapshot.calls.flatMap(\.streams) {
            #expect(stream.inbound.packetsReceived > 145 && stream.outbound.packetsSent > 145)
            #expect(stream.inbound.concealedSamples == nil && stream.inbound.totalSamplesReceived == nil && stream.inbound.audioLevelDbov == nil)
            #expect(stream.inbound.jitterBufferDelayMs == nil && stream.outbound.audioLevelDbov == nil)
        }
        #expect(trio.hub.audio.attachedCount == 0 && trio.hub.snapshot.calls.map(\.joinedWith) == [trio.toBob, trio.toAlice])
        trio.finish()
    }

    @Test func otherCodecsAreTranscoded() {
        let trio = Trio(alice: { $0.codecs = ["PCMU"] }, hub: { $0.codecs = ["opus", "PCMU"] })
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(2))
        #expect(trio.hub.snapshot.calls.allSatisfy { $0.bridgeMode == .transcoded })
        #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        trio.alice.command(.sendDTMF(trio.alice.call, digits: "12#"))
        trio.bob.command(.sendDTMF(trio.bob.call, digits: "A9"))
        trio.simulation.run(for: .seconds(3))
        #expect(trio.bob.digits(.incoming) == "12#" && trio.alice.digits(.incoming) == "A9")
        trio.finish()
    }

    /// The legs have different security and ICE.
    @Test func eachLegHasItsOwnSecurity() {
        let trio = Trio(all: { _ in }, bob: Trio.plain)
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(2))
        #expect(trio.hub.snapshot.calls.map(\.security) == [.dtls, SecurityMode.none])
        #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        trio.finish()
    }

    /// Digits of both at once, over loss; the numbers of each stream stay in one row.
    @Test(arguments: [UInt64](0...6)) func digitsAreCarriedAcross(seed: UInt64) {
        let trio = Trio(seed: seed + 1, profile: seed == 0 ? LinkProfile() : .rough(loss: .bernoulli(0.05)))
        guard trio.bridge() else {
            #expect(seed > 0)
            return
        }
        trio.forgetPackets()
        trio.alice.command(.sendDTMF(trio.alice.call, digits: "0123456789*#"))
        trio.bob.command(.sendDTMF(trio.bob.call, digits: "DCBA"))
        trio.simulation.run(for: .seconds(10))
        #expect(trio.bob.digits(.incoming) == "0123456789*#", "seed \(seed)")
        #expect(trio.alice.digits(.incoming) == "DCBA", "seed \(seed)")
        #expect(trio.hub.digits(.incoming).sorted() == "0123456789*#DCBA".sorted() && trio.hub.digits(.outgoing).count == 16)
        for node in [trio.alice, trio.bob] {
            let went = trio.sent(from: trio.hub, to: node)
            // No number twice, and without loss none is left out.
            #expect(Set(went.map(\.header.sequenceNumber)).count == went.count && Set(went.map(\.header.ssrc)).count == 1)
            guard seed == 0 else { continue }
            #expect(zip(went, went.dropFirst()).allSatisfy { $1.header.sequenceNumber == $0.header.sequenceNumber &+ 1 })
        }
        trio.finish()
    }

    @Test(arguments: [0, 1, 2]) func oneEndEndsTheOther(who: Int) {
        let trio = Trio()
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(2))
        let node = [trio.alice, trio.bob, trio.hub][who]
        node.command(.hangUp(node.call))
        trio.simulation.run(for: .seconds(1))
        #expect(trio.alice.hasEnded && trio.bob.hasEnded && trio.hub.snapshot.calls.isEmpty)
        trio.finish()
        #expect(trio.hub.results.map(\.outcome) == [.answered, .answered] && trio.alice.result?.outcome == .answered)
        #expect(trio.bob.result?.outcome == .answered)
    }

    // MARK: by hand

    /// Alice calls the hub, the hub calls Bob; they are joined and parted, and joined again.
    @Test func joinAndPart() throws {
        let trio = Trio()
        trio.alice.command(.dial(uri: trio.hub.uri))
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.alice.hasMedia })
        trio.hub.command(.dial(uri: trio.bob.uri))
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.bob.hasMedia })
        trio.simulation.run(for: .seconds(2))
        #expect(trio.bob.heard().share(of: Trio.hubTone) > 0.9 && trio.alice.heard().share(of: Trio.hubTone) > 0.9)
        let ids = trio.hub.snapshot.calls.map(\.id)
        trio.forgetPackets()
        for _ in 0..<2 {
            trio.hub.command(.join(ids[0], ids[1]))
            trio.simulation.run(for: .seconds(2))
            #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
            #expect(trio.hub.audio.attachedCount == 0)
            // Parted, each is the person's again.
            trio.hub.command(.part(ids[1]))
            trio.simulation.run(for: .seconds(2))
            #expect(trio.bob.heard().share(of: Trio.hubTone) > 0.9 && trio.alice.heard().share(of: Trio.hubTone) > 0.9)
            #expect(trio.hub.heard(ids[0]).share(of: Pair.aliceTone) > 0.9 && trio.hub.heard(ids[1]).share(of: Pair.bobTone) > 0.9)
            #expect(trio.hub.snapshot.calls.allSatisfy { $0.joinedWith == nil && $0.bridgeMode == nil })
        }
        // One stream to each, over all of it.
        for node in [trio.alice, trio.bob] {
            let went = trio.sent(from: trio.hub, to: node)
            #expect(Set(went.map(\.header.ssrc)).count == 1)
            for (one, next) in zip(went, went.dropFirst()) {
                #expect(next.header.sequenceNumber == one.header.sequenceNumber &+ 1)
                let step = next.header.timestamp &- one.header.timestamp
                #expect(step >= 960 && step <= 960 * 5, "\(step)")
            }
        }
        trio.finish()
    }

    /// Nothing was passed on to a held leg: parted, its stream's clock goes on all the same.
    @Test(arguments: [true, false]) func theClockGoesOnAfterParting(isHeld: Bool) throws {
        let trio = Trio()
        trio.alice.command(.dial(uri: trio.hub.uri))
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.alice.hasMedia })
        trio.simulation.run(for: .seconds(5))
        trio.hub.command(.dial(uri: trio.bob.uri))
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.bob.hasMedia })
        let ids = trio.hub.snapshot.calls.map(\.id)
        if isHeld { trio.hub.command(.setHeld(ids[0], true)) }
        trio.simulation.run(for: .seconds(1))
        trio.hub.command(.join(ids[0], ids[1]))
        trio.simulation.run(for: .seconds(2))
        trio.hub.command(.part(ids[1]))
        trio.simulation.run(for: .seconds(1))
        if isHeld { trio.hub.command(.setHeld(ids[0], false)) }
        trio.simulation.run(for: .seconds(2))
        let went = trio.sent(from: trio.hub, to: trio.alice)
        #expect(went.count > 300 && Set(went.map(\.header.ssrc)).count == 1)
        for (one, next) in zip(went, went.dropFirst()) {
            let step = Int32(bitPattern: next.header.timestamp &- one.header.timestamp)
            #expect(next.header.sequenceNumber == one.header.sequenceNumber &+ 1 && step >= 960 && step <= 48_000 * 4, "\(step)")
        }
        #expect(trio.alice.heard().share(of: Trio.hubTone) > 0.9)
        trio.finish()
    }

    /// Parted in the middle of a digit: it is one digit, and the next one does not wait.
    @Test(arguments: [20, 60, 100, 140]) func partedInADigit(milliseconds: Int64) {
        let trio = Trio()
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(5))
        trio.alice.command(.sendDTMF(trio.alice.call, digits: "5"))
        #expect(trio.simulation.run(limit: .seconds(2)) { trio.hub.digits(.incoming) == "5" })
        trio.simulation.run(for: .milliseconds(milliseconds))
        trio.hub.command(.part(trio.toBob))
        trio.simulation.run(for: .milliseconds(500))
        trio.hub.command(.sendDTMF(trio.toBob, digits: "7"))
        trio.simulation.run(for: .seconds(1))
        #expect(trio.bob.digits(.incoming) == "57")
        trio.finish()
    }

    /// A peer may send any codec that was agreed on, also one that the other leg has not.
    @Test func aCodecThatTheOtherHasNot() {
        let trio = Trio(alice: { $0.codecs = ["PCMA", "PCMU"] }, bob: { $0.codecs = ["PCMU"] }, hub: { $0.codecs = ["PCMU", "PCMA"] })
        // The hub prefers PCMU, Alice PCMA: each reads what it likes first.
        let (alice, hub) = (trio.alice.address, trio.hub.address)
        trio.simulation.filters.append { datagram in
            let order = datagram.source.ip == alice ? " 0 8" : datagram.source.ip == hub && datagram.destination.ip == alice ? " 8 0" : nil
            guard let order else { return [datagram] }
            return [
                datagram.editing { text in
                    text.lines = text.lines.map { line in
                        guard line.hasPrefix("m=audio") else { return line }
                        let words = line.split(separator: " ")
                        return words.prefix(3).joined(separator: " ") + order
                            + words.dropFirst(3).filter { $0 != "0" && $0 != "8" }.map { " \($0)" }.joined()
                    }
                }
            ]
        }
        trio.alice.command(.dial(uri: trio.hub.uri))
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.alice.hasMedia })
        trio.hub.command(.dial(uri: trio.bob.uri))
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.bob.hasMedia })
        #expect(trio.sent(from: trio.alice, to: trio.hub).last?.header.payloadType == 8)
        #expect(trio.sent(from: trio.hub, to: trio.alice).last?.header.payloadType == 0)
        let ids = trio.hub.snapshot.calls.map(\.id)
        trio.hub.command(.join(ids[0], ids[1]))
        trio.simulation.run(for: .seconds(3))
        #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        #expect(trio.hub.snapshot.calls.allSatisfy { $0.bridgeMode == .transcoded })
        trio.finish()
    }

    /// Parted while transcoding; and a leg that ends no longer ends the other.
    @Test func partedCallsEndAlone() {
        let trio = Trio(alice: { $0.codecs = ["PCMU"] }, hub: { $0.codecs = ["opus", "PCMU"] })
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(1))
        trio.hub.command(.part(trio.toAlice))
        trio.simulation.run(for: .seconds(2))
        #expect(trio.bob.heard().share(of: Trio.hubTone) > 0.9 && trio.alice.heard().share(of: Trio.hubTone) > 0.9)
        trio.alice.command(.hangUp(trio.alice.call))
        trio.simulation.run(for: .seconds(1))
        #expect(trio.alice.hasEnded && !trio.bob.hasEnded && trio.hub.snapshot.calls.map(\.id) == [trio.toBob])
        trio.finish()
    }

    @Test func whatCannotBeJoined() {
        let trio = Trio()
        #expect(trio.bridge())
        trio.hub.command(.join(trio.toAlice, trio.toAlice))
        trio.hub.command(.join(trio.toAlice, CallID(9)))
        trio.hub.command(.join(trio.toAlice, trio.toBob))
        #expect(trio.hub.notices.filter { $0 != "bridged" } == ["no-such-call", "no-such-call", "already-joined"])
        trio.hub.command(.part(CallID(9)))
        trio.hub.command(.part(trio.toAlice))
        trio.hub.command(.part(trio.toAlice))
        #expect(trio.hub.notices.last == "no-such-call" && trio.hub.snapshot.calls.count == 2)
        trio.finish()
    }

    /// On hold nothing is heard, either way; afterwards everything is again.
    @Test(arguments: [0, 1], [true, false]) func aLegOnHold(who: Int, transcodes: Bool) {
        let trio = Trio(alice: { if transcodes { $0.codecs = ["PCMU"] } }, hub: { if transcodes { $0.codecs = ["opus", "PCMU"] } })
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(1))
        // Alice holds, or the hub holds her.
        let (node, id) = who == 0 ? (trio.alice, trio.alice.call) : (trio.hub, trio.toAlice)
        node.command(.setHeld(id, true))
        trio.simulation.run(for: .seconds(2))
        #expect(trio.alice.heard().latest.suffix(2400).allSatisfy { abs(Int($0)) < 50 }, "Alice hears somebody")
        #expect(trio.bob.heard().latest.suffix(2400).allSatisfy { abs(Int($0)) < 50 }, "Bob hears somebody")
        #expect(trio.isJoined && !trio.bob.hasEnded)
        node.command(.setHeld(id, false))
        trio.simulation.run(for: .seconds(2))
        #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        trio.finish()
    }

    // MARK: put through

    @Test func aCallerIsPutThrough() {
        let trio = Trio(bob: { $0.answerAfter = .seconds(3) }, hub: { $0.bridgesIncomingTo = "sip:bob@192.0.2.2" })
        trio.alice.command(.dial(uri: trio.hub.uri))
        trio.simulation.run(for: .seconds(2))
        // Bob rings: so it does for Alice.
        #expect(trio.alice.states.last == .ringing && trio.bob.states.last == .ringing)
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.alice.hasMedia && trio.bob.hasMedia })
        trio.simulation.run(for: .seconds(2))
        #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        trio.bob.command(.hangUp(trio.bob.call))
        trio.simulation.run(for: .seconds(1))
        #expect(trio.alice.hasEnded)
        trio.finish()
    }

    @Test func aCallerWhoGivesUp() {
        let trio = Trio(bob: { $0.autoAnswer = false }, hub: { $0.bridgesIncomingTo = "sip:bob@192.0.2.2" })
        trio.alice.command(.dial(uri: trio.hub.uri))
        trio.simulation.run(for: .seconds(2))
        trio.alice.command(.hangUp(trio.alice.call))
        trio.simulation.run(for: .seconds(1))
        #expect(trio.alice.hasEnded && trio.bob.hasEnded && trio.hub.snapshot.calls.isEmpty)
        trio.finish()
    }

    /// Why the onward call failed is what the caller is told.
    @Test(arguments: [
        (486, 486), (600, 486), (603, 603), (403, 603), (404, 404), (604, 404), (480, 480), (408, 480), (488, 488), (500, 503), (503, 503),
    ])
    func theCallerIsToldWhy(status: Int, told: Int) {
        let trio = Trio(bob: { _ in }, hub: { $0.bridgesIncomingTo = "sip:carol@192.0.2.4" })
        let carol = ScriptedPeer("carol", "192.0.2.4", in: trio.simulation)
        carol.react = { peer, text, from in
            if text.method == "INVITE" { peer.send(text.response(status, "No", tag: "c"), to: from) }
        }
        trio.alice.command(.dial(uri: trio.hub.uri))
        trio.simulation.run(for: .seconds(5))
        #expect(trio.alice.hasEnded && trio.alice.result?.status == told && trio.hub.snapshot.calls.isEmpty)
        trio.finish()
    }

    /// Nobody is there, or nobody answers in time.
    @Test(arguments: [true, false]) func nobodyAnswers(isThere: Bool) {
        let trio = Trio(
            bob: { $0.autoAnswer = false },
            hub: {
                $0.bridgesIncomingTo = isThere ? "sip:bob@192.0.2.2" : "sip:nobody@192.0.2.99"
                $0.ringTimeout = .seconds(isThere ? 20 : 60)
            })
        trio.alice.command(.dial(uri: trio.hub.uri))
        trio.simulation.run(for: .seconds(50))
        #expect(trio.alice.hasEnded && trio.hub.snapshot.calls.isEmpty && trio.alice.result?.status == (isThere ? 480 : 503))
        trio.finish()
    }
}
