import Core
import Interface
import Simulator
import Testing

@testable import Engine

/// Media that comes from elsewhere, or again, during a call.
@Suite struct LateSourcesTests {
    /// A second ClientHello from the peer's own address, or a replayed flight, changes nothing for an established call.
    @Test func replayedHandshakes() {
        let pair = Pair()
        var flights: [Datagram] = []
        pair.simulation.filters.append { datagram in
            if datagram.kind == .dtls { flights.append(datagram) }
            return [datagram]
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        #expect(flights.count >= 4)
        for datagram in flights + flights { pair.simulation.inject(datagram) }
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.heard().share(of: Pair.bobTone) > 0.9 && pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        for node in [pair.alice, pair.bob] { #expect(node.snapshot.calls.first?.transports.first?.dtlsState == "connected") }
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// Replayed RTP is refused by SRTP and counted; it is not heard twice.
    @Test func replayedMedia() {
        let pair = Pair()
        pair.simulation.filters.append { $0.kind == .rtp ? [$0, $0] : [$0] }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        let inbound = pair.bob.snapshot.calls.first?.streams.first?.inbound
        #expect((inbound?.unprotectErrors ?? 0) > 80)
        #expect(abs((inbound?.packetsReceived ?? 0) - 100) < 15)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
    }

    /// A stranger's plain RTP and RTCP in a protected call are neither heard nor answered.
    @Test func plainMediaFromAStranger() {
        let pair = Pair()
        let stranger = ScriptedPeer("stranger", "203.0.113.5", in: pair.simulation)
        #expect(pair.connect())
        let sender = ToneSender(stranger, port: 7000, hertz: 2500, ssrc: 4)
        sender.start(to: pair.bob.mediaAddresses[0])
        pair.simulation.run(for: .seconds(3))
        sender.isStopped = true
        #expect(pair.bob.heard().share(of: 2500) < 0.02)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        #expect((pair.bob.snapshot.calls.first?.transports.first?.unknownSourceDropped ?? 0) >= sender.sent - 2)
        #expect(stranger.others.isEmpty)
        pair.finish()
    }

    /// The whole call under packets of the largest size: nothing is cut or grows without end.
    @Test func floodsAreDropped() {
        let pair = Pair()
        let stranger = ScriptedPeer("stranger", "203.0.113.5", in: pair.simulation)
        #expect(pair.connect())
        for number in 0..<2000 {
            var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1 + number * 32)
            bytes[0] = [0x00, 0x16, 0x80, 0x40, 0xFF][number % 5]
            stranger.send(bytes, fromPort: 6000, to: pair.bob.mediaAddresses[0])
        }
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.snapshot.calls.first?.state == .media)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
    }
}
