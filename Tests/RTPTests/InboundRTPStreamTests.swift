import Core
import RTP
import Testing

@Suite struct InboundRTPStreamTests {
    /// Feeds sequence numbers 20 ms apart; gives what became of each.
    static func feed(_ numbers: [UInt16], into stream: inout InboundRTPStream) -> [InboundRTPStream.Arrival] {
        var arrivals: [InboundRTPStream.Arrival] = []
        for (index, number) in numbers.enumerated() {
            let header = RTPHeader(payloadType: 0, sequenceNumber: number, timestamp: UInt32(number) * 160, ssrc: 1)
            let now = Instant(nanoseconds: UInt64(index) * 20_000_000)
            arrivals.append(stream.receive(header, payloadLength: 160, clockRate: 8000, at: now))
        }
        return arrivals
    }

    @Test func wrap() {
        var stream = InboundRTPStream(ssrc: 1)
        let arrivals = Self.feed([65533, 65534, 65535, 0, 1, 2], into: &stream)
        #expect(arrivals.allSatisfy { $0 == .inOrder })
        #expect(stream.extendedHighestSequence == 0x1_0002 && stream.packetsLost == 0 && stream.packetsReceived == 6)
        #expect(stream.bytesReceived == 960)
    }

    @Test func reorderAcrossWrap() {
        var stream = InboundRTPStream(ssrc: 1)
        let arrivals = Self.feed([65534, 0, 65535, 1, 65535, 1], into: &stream)
        #expect(arrivals == [.inOrder, .inOrder, .reordered, .inOrder, .duplicate, .duplicate])
        #expect(stream.packetsLost == -2 && stream.packetsReceived == 6 && stream.packetsDuplicated == 2)
        #expect(stream.reportBlock(at: .zero)?.cumulativeLost == -2)
    }

    @Test func lossAndFraction() {
        var stream = InboundRTPStream(ssrc: 1)
        _ = Self.feed([0, 1, 2, 3, 5, 7], into: &stream)
        #expect(stream.packetsLost == 2)
        // 8 expected, 2 lost.
        #expect(stream.reportBlock(at: .zero)?.fractionLost == 64 && stream.fractionLost == 0.25)
        _ = Self.feed([8, 9, 10], into: &stream)
        let second = stream.reportBlock(at: .zero)
        #expect(second?.fractionLost == 0 && second?.cumulativeLost == 2 && second?.extendedHighestSequence == 10)
        // A late one makes the interval negative: reported as zero.
        _ = Self.feed([4], into: &stream)
        #expect(stream.reportBlock(at: .zero)?.fractionLost == 0 && stream.packetsLost == 1)
    }

    @Test func restartOfSequence() {
        var stream = InboundRTPStream(ssrc: 1)
        let arrivals = Self.feed([100, 101, 103, 40000, 40001, 40002, 40004], into: &stream)
        #expect(arrivals == [.inOrder, .inOrder, .inOrder, .probation, .restarted, .inOrder, .inOrder])
        #expect(stream.packetsReceived == 7 && stream.packetsLost == 2 && stream.extendedHighestSequence == 40004)
    }

    @Test func strayPacketChangesNothing() {
        var stream = InboundRTPStream(ssrc: 1)
        let arrivals = Self.feed([100, 40000, 101, 40001, 102], into: &stream)
        #expect(arrivals == [.inOrder, .probation, .inOrder, .probation, .inOrder])
        #expect(stream.packetsReceived == 3 && stream.packetsLost == 0)
    }

    @Test func probation() {
        var stream = InboundRTPStream(ssrc: 1, needsProbation: true)
        #expect(stream.reportBlock(at: .zero) == nil && !stream.isValid)
        let arrivals = Self.feed([7, 9, 10, 11], into: &stream)
        #expect(arrivals == [.probation, .probation, .inOrder, .inOrder])
        #expect(stream.packetsReceived == 3 && stream.packetsLost == 0)
    }

    /// A long stream with loss, against plain counting.
    @Test func longRunAgainstCounting() {
        let random = RandomSource(seed: 4)
        var stream = InboundRTPStream(ssrc: 1)
        var received = 0
        var last = 0
        for n in 65_000..<400_000 where n == 65_000 || random.uniform() > 0.1 {
            let header = RTPHeader(payloadType: 0, sequenceNumber: UInt16(truncatingIfNeeded: n), timestamp: UInt32(n) &* 160, ssrc: 1)
            _ = stream.receive(header, payloadLength: 1, clockRate: nil, at: .zero)
            received += 1
            last = n
        }
        #expect(stream.packetsReceived == received)
        #expect(stream.packetsLost == last - 65_000 + 1 - received)
        #expect(stream.extendedHighestSequence == UInt32(last))
        #expect(stream.jitterMs == nil)
    }

    /// RFC 3550 A.8 in integer timestamp units, written independently (its scaled form), against the estimator.
    @Test(arguments: [UInt32(8000), 48000, 90000]) func jitterAgainstA8(rate: UInt32) {
        let random = RandomSource(seed: 7)
        var stream = InboundRTPStream(ssrc: 1)
        var scaled = 0
        var transit: Int?
        let start: UInt32 = .max - 5 * rate
        for n in 0..<2000 {
            let delay = UInt64(random.uniform() * 30_000_000)
            let now = Instant(nanoseconds: 1_000_000_000 + UInt64(n) * 20_000_000 + delay)
            let media = n * Int(rate) / 50
            let header = RTPHeader(
                payloadType: 0, sequenceNumber: UInt16(truncatingIfNeeded: n), timestamp: start &+ UInt32(media), ssrc: 1)
            _ = stream.receive(header, payloadLength: 160, clockRate: rate, at: now)
            let arrival = Int(Double(now.nanoseconds) * Double(rate) / 1e9)
            let newTransit = arrival - media
            if let transit { scaled += abs(newTransit - transit) - ((scaled + 8) >> 4) }
            transit = newTransit
        }
        let expectedMs = Double(scaled >> 4) * 1000 / Double(rate)
        let jitterMs = stream.jitterMs ?? -1
        #expect(abs(jitterMs - expectedMs) < 0.25)
        #expect(jitterMs > 5)
        let units = Double(stream.reportBlock(at: .zero)?.jitter ?? 0)
        #expect(abs(units - jitterMs * Double(rate) / 1000) <= 1)
    }

    @Test func jitterIgnoresEventsClockChangeAndJumps() {
        var stream = InboundRTPStream(ssrc: 1)
        var sequence: UInt16 = 0
        func send(_ timestamp: UInt32, _ rate: UInt32?, _ ms: UInt64) {
            let header = RTPHeader(payloadType: 0, sequenceNumber: sequence, timestamp: timestamp, ssrc: 1)
            _ = stream.receive(header, payloadLength: 1, clockRate: rate, at: Instant(nanoseconds: ms * 1_000_000))
            sequence += 1
        }
        send(0, 8000, 0)
        #expect(stream.jitterMs == nil)
        send(160, 8000, 20)
        send(160, nil, 40)
        send(160, nil, 60)
        send(640, 8000, 80)
        #expect(stream.jitterMs == 0)
        // Another clock, then a timestamp that starts anew.
        send(999_999, 48000, 100)
        send(1_000_959, 48000, 120)
        send(3_000_000_000, 48000, 140)
        #expect(stream.jitterMs == 0)
        send(3_000_000_960, 48000, 164)
        #expect(abs((stream.jitterMs ?? 0) - 0.25) < 1e-9)
    }

    @Test func lastSenderReport() {
        var stream = InboundRTPStream(ssrc: 1)
        _ = Self.feed([0], into: &stream)
        #expect(stream.reportBlock(at: .zero)?.lastSenderReport == 0)
        stream.receive(
            SenderInfo(ntpTimestamp: 0x1122_3344_5566_7788, rtpTimestamp: 0, packetCount: 1, octetCount: 1), at: Instant(nanoseconds: 1_000_000_000))
        let block = stream.reportBlock(at: Instant(nanoseconds: 1_250_000_000))
        #expect(block?.lastSenderReport == 0x3344_5566 && block?.delaySinceLastSenderReport == 0x4000)
    }
}
