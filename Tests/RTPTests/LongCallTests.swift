import Core
import Testing

@testable import RTP

/// Row 15: an hour of talk with a clock that drifts, numbers that start near their ends.
@Suite struct LongCallTests {
    static let packets = 180_000

    @Test("15 an hour with a drifting clock: no loss, jitter that of the path, not of the drift", arguments: [200e-6, -200e-6, 0])
    func test15_hour(drift: Double) throws {
        let random = RandomSource(seed: 15)
        var session = makeSession("x", seed: 1, ssrc: 9)
        // 65,500 and 10 s before the timestamp's end.
        var sequence: UInt16 = 65_500
        var timestamp = UInt32.max - 80_000
        var outcomes = (accepted: 0, other: 0)
        var worst: UInt32 = 0
        var blocks = 0
        var lost: Int32 = 0
        for n in 0..<Self.packets {
            let now = ms(1000 + Double(n) * 20 * (1 + drift) + random.uniform() * 4)
            while let deadline = session.deadline, deadline <= now {
                session.handleTimeout(at: deadline)
                for compound in session.compounds() {
                    guard case .receiverReport(9, let reports) = compound.packets.first, let block = reports.first else { continue }
                    blocks += 1
                    worst = max(worst, block.jitter)
                    lost = max(lost, abs(block.cumulativeLost) + Int32(block.fractionLost))
                }
            }
            let packet = RTPHeader(payloadType: 0, sequenceNumber: sequence, timestamp: timestamp, ssrc: 5)
            let reception = session.receiveRTP(packet, payloadLength: 160, at: now)
            if reception == .accepted { outcomes.accepted += 1 } else { outcomes.other += 1 }
            sequence &+= 1
            timestamp &+= 160
        }
        let inbound = try #require(session.statistics.inbound)
        #expect(outcomes.accepted == Self.packets - 1 && outcomes.other == 1)
        #expect(inbound.packetsReceived == Self.packets && inbound.packetsLost == 0 && lost == 0 && blocks > 3000)
        #expect(session.inboundStream(5)?.extendedHighestSequence == UInt32(65_500 + Self.packets - 1))
        // 4 ms of even delay are 1.33 ms of jitter in the mean; 200 ppm of 20 ms are 4 µs.
        #expect((0.8...2.2).contains(inbound.jitterMs ?? 0) && worst < 24)
    }

    /// Everything on, in both directions, over a lossy path: the figures of both ends agree after an hour.
    @Test("15 an hour of reports, extensions and feedback") func test15_hourOfFeedback() throws {
        func session(_ name: String, seed: UInt64) -> RTPSession {
            let configuration = RTPSession.Configuration(
                cname: name, isAVPF: true, reducedSize: true, clockRates: [0: 8000], extensions: RTPExtensionMap(mid: 4, transportSequence: 3),
                mid: "0", transportFeedback: true, xrReceiverReferenceTime: true, xrVoIPMetrics: true)
            let clock = NTPClock(timestamp: seed << 45, at: .zero)
            return RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: clock)
        }
        // The reference time's 24 bits end in the middle of the hour, the sequence numbers two or three times.
        let start = Instant(nanoseconds: (1 << 24) * 64_000_000 - 1_800_000_000_000)
        var pair = MediaPair(
            session("a", seed: 1), session("b", seed: 2), path: .init(delay: 30, jitter: 30, loss: 0.01, duplicates: 0.01), start: start)
        pair.drift = 200e-6
        pair.isSending.b = false
        pair.b.setConditions(VoIPConditions(codec: .g711Concealed, endSystemDelayMs: 60))
        pair.run(for: .seconds(3600))
        let sent = pair.a.statistics.outbound
        let received = try #require(pair.b.statistics.inbound)
        #expect(abs(pair.sent - 179_964) < 5 && sent.packetsSent == pair.sent)
        #expect(pair.played >= pair.delivered - 3 && pair.oddities.allSatisfy { $0 == .duplicate || $0 == .ssrcChanged(previous: nil) })
        // A copy counts as received (RFC 3550 A.3).
        #expect(received.packetsReceived - received.packetsDuplicated == pair.played)
        #expect(abs(received.packetsLost - (pair.sent - received.packetsReceived)) <= 3)
        #expect(abs((sent.remotePacketsLost ?? .max) - received.packetsLost) < 10)
        let acknowledged = try #require(sent.transportPacketsAcknowledged)
        #expect(abs(acknowledged - pair.delivered) < 30)
        #expect(abs((sent.transportPacketsLost ?? 0) - (pair.sent - pair.delivered)) < 30)
        #expect(abs((sent.roundTripTimeMs ?? 0) - 60) < 0.1 && abs((received.roundTripTimeMs ?? 0) - 60) < 0.1)
        #expect((5...15).contains(received.jitterMs ?? 0) && (2...3).contains(sent.voipMetrics?.lossRate ?? 0))
        #expect(sent.voipMetrics.map { (85...93).contains($0.rFactor ?? 0) } == true)
    }
}
