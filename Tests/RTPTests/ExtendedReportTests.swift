import Core
import Testing

@testable import RTP

@Suite struct ExtendedReportTests {
    static let metricsHex =
        "07000008 0000000b 0d 06 40 03 0078 1388 00fa 0050 ec ba 37 10 5a 7f 2b 29 f0 00 0028 0064 0190"

    static var metrics: VoIPMetrics {
        var out = VoIPMetrics(ssrc: 11)
        out.lossRate = 13
        out.discardRate = 6
        out.burstDensity = 64
        out.gapDensity = 3
        out.burstDurationMs = 120
        out.gapDurationMs = 5000
        out.roundTripDelayMs = 250
        out.endSystemDelayMs = 80
        out.signalLevel = -20
        out.noiseLevel = -70
        out.residualEchoReturnLoss = 55
        out.rFactor = 90
        out.mosListening = 4.3
        out.mosConversational = 4.1
        out.receiverConfiguration = 0xF0
        out.jitterBufferNominalMs = 40
        out.jitterBufferMaximumMs = 100
        out.jitterBufferAbsoluteMaximumMs = 400
        return out
    }

    @Test func metricsOnTheWire() {
        let packet = RTCPPacket.extendedReport(ssrc: 10, blocks: [.voipMetrics(Self.metrics)])
        let written = RTCPPacket.bytes(of: [packet])
        #expect(written == hex("80cf000a 0000000a" + Self.metricsHex))
        #expect(RTCPCompound(written.span.bytes).packets == [packet])
    }

    @Test func unknownIs127() {
        let written = RTCPPacket.bytes(of: [.extendedReport(ssrc: 10, blocks: [.voipMetrics(VoIPMetrics(ssrc: 11))])])
        #expect(written == hex("80cf000a 0000000a 07000008 0000000b 00000000 00000000 00000000 7f 7f 7f 10 7f 7f 7f 7f 00 00 0000 0000 0000"))
        guard case .extendedReport(_, let blocks)? = RTCPCompound(written.span.bytes).packets.first, case .voipMetrics(let read)? = blocks.first
        else {
            Issue.record("not read")
            return
        }
        #expect(read == VoIPMetrics(ssrc: 11) && read.rFactor == nil && read.mosListening == nil && read.roundTripDelayMs == nil)
    }

    /// A block of a wrong length is left out; one that is cut off ends the list.
    @Test func brokenBlocks() {
        let wrong = RTCPCompound(hex("80cf0006 0000000a 04000001 01020304 09000000 05000001 01020304").span.bytes)
        #expect(wrong.packets == [.extendedReport(ssrc: 10, blocks: [.other(type: 9, typeSpecific: 0, contents: [])])])
        #expect(wrong.issues == [.reducedSize, .malformed(packetType: 207)])
        let cut = RTCPCompound(hex("80cf0003 0000000a 09000000 04000002").span.bytes)
        #expect(cut.packets == [.extendedReport(ssrc: 10, blocks: [.other(type: 9, typeSpecific: 0, contents: [])])])
        #expect(cut.issues == [.reducedSize, .malformed(packetType: 207)])
    }

    static func session(_ name: String, seed: UInt64, referenceTime: Bool = false, metrics: Bool = false) -> RTPSession {
        let configuration = RTPSession.Configuration(
            cname: name, isAVPF: true, clockRates: [0: 8000], xrReceiverReferenceTime: referenceTime, xrVoIPMetrics: metrics)
        let clock = NTPClock(timestamp: seed << 40, at: .zero)
        return RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: clock)
    }

    /// One that only listens learns the round trip by DLRR, as long as it asks.
    @Test(arguments: [true, false]) func roundTripOfAListener(asks: Bool) {
        var pair = MediaPair(Self.session("a", seed: 1), Self.session("b", seed: 2, referenceTime: asks), path: .init(delay: 35))
        pair.isSending.b = false
        pair.run(for: .seconds(6))
        #expect(pair.b.statistics.outbound.packetsSent == 0 && pair.b.statistics.outbound.roundTripTimeMs == nil)
        let trip = pair.b.statistics.inbound?.roundTripTimeMs
        if asks { #expect(abs((trip ?? 0) - 70) < 0.1) } else { #expect(trip == nil) }
        let fromA = pair.control.fromA.flatMap { RTCPCompound($0.bytes.span.bytes).packets }
        #expect(fromA.contains { if case .extendedReport = $0 { true } else { false } } == asks)
    }

    @Test func metricsBetweenSessions() throws {
        var pair = MediaPair(Self.session("a", seed: 1), Self.session("b", seed: 2, metrics: true), path: .init(delay: 60, loss: 0.1))
        pair.b.setConditions(
            VoIPConditions(
                codec: .g711Concealed, concealment: .standard, isAdaptive: true, endSystemDelayMs: 100, jitterBufferNominalMs: 40,
                jitterBufferMaximumMs: 90, jitterBufferAbsoluteMaximumMs: 500))
        pair.run(for: .seconds(60))
        let metrics = try #require(pair.a.statistics.outbound.voipMetrics)
        let loss = 1 - Double(pair.delivered) / Double(pair.sent)
        #expect(metrics.ssrc == pair.a.ssrc && abs(Double(metrics.lossRate) / 256 - loss) < 0.02 && metrics.discardRate == 0)
        #expect(abs(Int(metrics.roundTripDelayMs ?? 0) - 120) <= 1 && metrics.endSystemDelayMs == 100)
        // 60 ms on the way and 100 ms at the ends; 10 % of loss: 93.2 − Idd(160) − 95 · 10/(10 + 25.1).
        let rating = EModel(codec: .g711Concealed, lossPercent: loss * 100).rating(oneWayMs: 160)
        #expect(abs(Double(metrics.rFactor ?? 0) - rating) < 3 && (60...72).contains(metrics.rFactor ?? 0))
        #expect(metrics.mosListening ?? 0 >= metrics.mosConversational ?? 9)
        #expect(metrics.receiverConfiguration == 0xF0 && metrics.jitterBufferMaximumMs == 90 && metrics.burstDensity > metrics.gapDensity)
        #expect(metrics.signalLevel == nil && metrics.noiseLevel == nil)
        // Not in each report: about every 5 s.
        let count = pair.control.fromB.flatMap { RTCPCompound($0.bytes.span.bytes).packets }
            .count { if case .extendedReport = $0 { true } else { false } }
        #expect((8...12).contains(count))
    }

    /// Opus has no published constants: no rating is made up. Discards count as such.
    @Test func noRatingWithoutConstants() throws {
        var pair = MediaPair(Self.session("a", seed: 1), Self.session("b", seed: 2, metrics: true))
        pair.b.setConditions(VoIPConditions(codec: nil))
        pair.run(for: .seconds(5))
        pair.b.setConditions(VoIPConditions(codec: nil, packetsDiscarded: 50))
        pair.run(for: .seconds(5))
        let metrics = try #require(pair.b.voipMetrics)
        #expect(metrics.rFactor == nil && metrics.mosListening == nil && metrics.mosConversational == nil && metrics.lossRate == 0)
        #expect(abs(Int(metrics.discardRate) - 50 * 256 / 468) <= 1)
        #expect(metrics.burstDensity == 255 && metrics.burstDurationMs == 1000)
    }
}

@Suite struct EModelTests {
    /// G.107's formula evaluated by hand (Ie,eff = 95 · Ppl/(Ppl + Bpl); Idd by X = lg(Ta/100)/lg 2).
    static let ratings: [(EModel.Codec, Double, Double?, Double)] = [
        (.g711, 0, nil, 93.2), (.g711Concealed, 0, 100, 93.2), (.g711Concealed, 1, nil, 89.560), (.g711, 1, nil, 75.275),
        (.g711Concealed, 10, nil, 66.134), (.g711, 0, 150, 93.036), (.g711, 0, 400, 69.129), (.g711, 100, 400, 0),
    ]

    @Test(arguments: ratings) func rating(codec: EModel.Codec, loss: Double, delay: Double?, expected: Double) {
        #expect(abs(EModel(codec: codec, lossPercent: loss).rating(oneWayMs: delay) - expected) < 0.002)
    }

    /// ITU-T G.107 annex B, table B.1: R 90 is 4.34, 80 is 4.03, 70 is 3.60, 60 is 3.10, 50 is 2.58.
    @Test(arguments: [(93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1), (-5, 1), (100, 4.5)])
    func opinion(rating: Double, expected: Double) {
        #expect(abs(EModel.meanOpinionScore(rating: rating) - expected) < 0.0065)
    }
}

@Suite struct LossBurstTests {
    /// RFC 3611 §4.7.2's definition, applied to the whole history at once.
    static func oracle(_ fates: [Bool]) -> LossBursts.Counts {
        var out = LossBursts.Counts()
        out.expected = fates.count
        let losses = fates.indices.filter { !fates[$0] }
        out.lost = losses.count
        var isBurst = [Bool](repeating: false, count: fates.count)
        var group: [Int] = []
        for loss in losses + [Int.max] {
            if let last = group.last, loss == .max || loss - last - 1 >= 16 {
                if group.count > 1 {
                    out.bursts += 1
                    out.burstLosses += group.count
                    for index in group[0]...last { isBurst[index] = true }
                }
                group = []
            }
            group.append(loss)
        }
        out.burstPackets = isBurst.count { $0 }
        out.gapPackets = fates.count - out.burstPackets
        out.gapLosses = out.lost - out.burstLosses
        out.gaps = isBurst.indices.count { !isBurst[$0] && ($0 == 0 || isBurst[$0 - 1]) }
        return out
    }

    @Test(arguments: [UInt64](1...40)) func againstDefinition(seed: UInt64) {
        let random = RandomSource(seed: seed)
        var bursts = LossBursts()
        var fates: [Bool] = []
        var isBad = false
        var arrivals: [(at: Double, number: UInt16)] = []
        for n in 0..<3000 {
            if random.uniform() < 0.02 { isBad.toggle() }
            let isLost = n > 0 && n < 2999 && random.uniform() < (isBad ? 0.4 : 0.01)
            fates.append(!isLost)
            // Up to 20 places out of order, and copies.
            if !isLost { arrivals.append((Double(n) + (n == 0 ? 0 : random.uniform() * 20), 65_000 &+ UInt16(n))) }
            if !isLost, random.uniform() < 0.05 { arrivals.append((Double(n) + 25, 65_000 &+ UInt16(n))) }
        }
        for arrival in arrivals.sorted(by: { $0.at < $1.at }) { bursts.receive(arrival.number) }
        // The last 32 are not judged yet.
        #expect(bursts.counts == Self.oracle(Array(fates.prefix(2999 - 32))))
    }

    @Test func restartLosesNothing() {
        var bursts = LossBursts()
        for n in UInt16(0)..<100 { bursts.receive(n) }
        bursts.restart()
        for n in UInt16(40_000)..<40_100 { bursts.receive(n) }
        bursts.restart()
        #expect(bursts.counts.expected == 200 && bursts.counts.lost == 0 && bursts.counts.gaps == 1)
    }
}
