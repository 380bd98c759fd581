import Core
import Testing

@testable import RTP

/// Whatever the bytes: no trap, and nothing that grows.
@Suite struct HostileBytesTests {
    static let seeds: [[UInt8]] = WireCaptureTests.compounds.map { RTCPPacket.bytes(of: $0) }

    static func mutate(_ bytes: [UInt8], _ random: RandomSource) -> [UInt8] {
        var out = bytes
        for _ in 0..<1 + Int(random.next() % 6) where !out.isEmpty {
            let at = Int(random.next() % UInt64(out.count))
            switch random.next() % 6 {
            case 0: out[at] = UInt8(truncatingIfNeeded: random.next())
            case 1: out[at] ^= 1 << UInt8(random.next() % 8)
            case 2: out.removeLast(out.count - at)
            case 3: out.insert(contentsOf: random.bytes(Int(random.next() % 9)), at: at)
            case 4: out[at] = random.next() % 2 == 0 ? 0xFF : 0x80
            default: out.remove(at: at)
            }
        }
        return out
    }

    @Test(arguments: [UInt64](1...8)) func control(seed: UInt64) {
        let random = RandomSource(seed: seed)
        let configuration = RTPSession.Configuration(
            cname: "x", ssrc: 0x0B0B_0B0B, isAVPF: true, reducedSize: seed % 2 == 0, clockRates: [0: 8000],
            extensions: RTPExtensionMap(mid: 4, transportSequence: 3), mid: "0", transportFeedback: true, xrReceiverReferenceTime: true,
            xrVoIPMetrics: true)
        var session = RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: NTPClock(timestamp: 0, at: .zero))
        session.setConditions(VoIPConditions(codec: .g711))
        var read = 0
        for n in 0..<4000 {
            let now = ms(Double(n) * 7)
            let bytes = Self.mutate(Self.seeds[n % Self.seeds.count], random)
            read += RTCPCompound(bytes.span.bytes).packets.count
            session.receiveRTCP(bytes.span.bytes, at: now)
            session.handleTimeout(at: now)
            _ = session.drain()
            if n % 3 == 0 { _ = packet(of: &session, timestamp: UInt32(n) * 56, at: now) }
        }
        #expect(read > 2000 && session.remoteSourceCount <= 16)
        let statistics = session.statistics
        #expect((statistics.outbound.roundTripTimeMs ?? 1) > 0 && (statistics.outbound.transportPacketsAcknowledged ?? 0) <= 1334)
    }

    /// What was read can be written, and reads the same again.
    @Test(arguments: [UInt64](1...8)) func readWriteRead(seed: UInt64) {
        let random = RandomSource(seed: seed &* 77)
        for n in 0..<4000 {
            let bytes = Self.mutate(Self.seeds[n % Self.seeds.count], random)
            for packet in RTCPCompound(bytes.span.bytes).packets {
                // Text that was no UTF-8 has become longer, and an empty count says less than it holds: only shapes with a fixed form.
                guard case .feedback(_, _, .transportWide) = packet else { continue }
                let written = RTCPPacket.bytes(of: [packet])
                #expect(RTCPCompound(written.span.bytes).packets == [packet])
            }
        }
    }

    @Test(arguments: [UInt64](1...8)) func media(seed: UInt64) {
        let random = RandomSource(seed: seed)
        let configuration = RTPSession.Configuration(
            cname: "x", isAVPF: true, clockRates: [0: 8000], extensions: RTPExtensionMap(mid: 4, transportSequence: 3, audioLevel: 1), mid: "0",
            transportFeedback: true)
        func session(_ seed: UInt64) -> RTPSession {
            RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: NTPClock(timestamp: 0, at: .zero))
        }
        var a = session(seed)
        var b = session(seed + 100)
        var playable = 0
        for n in 0..<4000 {
            let now = ms(Double(n) * 20)
            let sound = packet(of: &a, timestamp: UInt32(n) * 160, at: now)
            // Every other one is whole, so that the session stays alive.
            let bytes = n % 2 == 0 ? sound : Self.mutate(sound, random)
            guard let header = try? RTPHeader(bytes.span.bytes) else { continue }
            if b.receiveRTP(header, in: bytes.span.bytes, at: now).isPlayable { playable += 1 }
            b.handleTimeout(at: now)
            for output in b.drain() { if case .transmit(let report) = output { a.receiveRTCP(report.span.bytes, at: now) } }
            _ = a.drain()
        }
        #expect(playable > 1900 && b.remoteSourceCount <= 16)
        #expect((a.statistics.outbound.transportPacketsAcknowledged ?? 0) > 1500)
    }
}
