import Core
import Interface
import Simulator
import Testing

@testable import Engine

/// Media that comes from elsewhere, or again, during a call.
@Suite struct LateSourcesTests {
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
        #expect((pair.bob.snapshot.calls.first?.transports.first?.dropped.unknownSource ?? 0) >= sender.sent - 2)
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
