import Core
import Interface
import Secure
import Simulator
import Testing

@testable import Engine

/// Row 9: DTLS and SRTP from who proved nothing are dropped and counted; from a known source they are kept.
@Suite struct Row09Tests {
    /// A ClientHello from a stranger, before and during the call, to both sides in both DTLS roles.
    @Test(arguments: [true, false]) func row09_aStrangersHello(offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        let stranger = Stranger("203.0.113.9", in: pair.simulation)
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(2)) { !pair.alice.mediaAddresses.isEmpty && !pair.bob.mediaAddresses.isEmpty })
        let targets = [pair.alice.mediaAddresses[0], pair.bob.mediaAddresses[0]]
        for target in targets { stranger.hello(to: target) }
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.alice.hasMedia && pair.bob.hasMedia })
        let before = [pair.alice, pair.bob].map { $0.transport?.dropped.unknownSource ?? 0 }
        for target in targets { stranger.hello(to: target) }
        pair.simulation.run(for: .seconds(2))
        #expect(stranger.answers == 0)
        for (node, count) in zip([pair.alice, pair.bob], before) { #expect(node.transport?.dropped.unknownSource == count + 1) }
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// The race: the peer's own ClientHello comes from an address that ICE has not seen yet. It is dropped and counted; its repetition is taken.
    @Test(arguments: [true, false]) func row09_theHelloRace(offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        let (client, server) = offererIsClient ? (pair.alice, pair.bob) : (pair.bob, pair.alice)
        let other = ScriptedPeer("other-way", "203.0.113.8", in: pair.simulation)
        // The first ClientHello takes another way: its source is one that nobody has checked.
        var isFirst = true
        pair.simulation.filters.append { [simulation = pair.simulation] datagram in
            guard isFirst, datagram.handshakeType == 1, datagram.source.ip == client.address else { return [datagram] }
            isFirst = false
            simulation.inject(Datagram(source: SocketAddress(other.address.ip, 4444), destination: datagram.destination, payload: datagram.payload))
            return []
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        #expect(!isFirst && other.others.isEmpty)
        #expect(server.transport?.dropped.unknownSource == 1)
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }

    /// Real, well protected packets of the peer's, from another address: ICE knows no such source. They are not heard, not counted as replays,
    /// and the ones that come from the peer are all taken.
    @Test(arguments: Role.allCases) func row09_srtpFromElsewhere(role: Role) {
        let pair = Pair()
        let other = ScriptedPeer("elsewhere", "203.0.113.7", in: pair.simulation)
        #expect(pair.connect())
        pair.simulation.run(for: .milliseconds(500))
        let own = pair.own(role)
        let before = own.transport?.dropped ?? DroppedPackets()
        var copied = (rtp: 0, rtcp: 0)
        var isCopying = true
        pair.simulation.filters.append { [simulation = pair.simulation, peer = pair.peer(role).address] datagram in
            guard isCopying, datagram.source.ip == peer, datagram.kind == .rtp || datagram.kind == .rtcp else { return [datagram] }
            if datagram.kind == .rtp { copied.rtp += 1 } else { copied.rtcp += 1 }
            // It arrives first, so that it cannot be taken for a replay.
            simulation.inject(Datagram(source: SocketAddress(other.address.ip, 4000), destination: datagram.destination, payload: datagram.payload))
            simulation.inject(datagram, after: .milliseconds(5))
            return []
        }
        pair.simulation.run(for: .seconds(6))
        isCopying = false
        pair.simulation.run(for: .milliseconds(500))
        #expect(copied.rtp > 290 && copied.rtcp > 0)
        let after = own.transport?.dropped ?? DroppedPackets()
        #expect(after.unknownSource - before.unknownSource == copied.rtp + copied.rtcp)
        #expect(after.replay == before.replay && after.authentication == before.authentication)
        #expect(other.others.isEmpty)
        pair.expectAudio()
        pair.finish()
    }

    /// DTLS from a known source before the handshake could begin is kept: with the answer there, it is used at once and nothing is sent again.
    @Test func row09_keptFromAKnownSource() {
        let pair = Pair()
        var hellos = 0
        var answerAt: Instant?
        pair.simulation.filters.append { [simulation = pair.simulation, bob = pair.bob.address] datagram in
            if datagram.handshakeType == 1, datagram.source.ip == bob {
                hellos += 1
                // Only the first goes through: what is not kept now is gone.
                return hellos == 1 ? [datagram] : []
            }
            guard datagram.kind == .sip, let text = SIPText(datagram.payload), text.status == 200, text.cseqMethod == "INVITE" else {
                return [datagram]
            }
            if answerAt == nil {
                answerAt = simulation.now + .milliseconds(400)
                simulation.inject(datagram, after: .milliseconds(400))
            }
            return []
        }
        #expect(pair.connect())
        #expect(hellos > 1)
        #expect(pair.alice.transport?.dropped.total == 0)
        #expect(pair.simulation.now - (answerAt ?? .zero) < .milliseconds(250))
        pair.finish()
    }
}
