import Core
import RTP
import Testing

func ms(_ milliseconds: Double) -> Instant { Instant(nanoseconds: UInt64(milliseconds * 1e6)) }

func makeSession(_ name: String, seed: UInt64, ssrc: UInt32? = nil, isAVPF: Bool = true, reducedSize: Bool = false, wall: UInt64 = 0) -> RTPSession {
    let configuration = RTPSession.Configuration(
        cname: name, ssrc: ssrc, isAVPF: isAVPF, reducedSize: reducedSize, clockRates: [0: 8000, 111: 48000], eventPayloadTypes: [101])
    let clock = NTPClock(unixNanoseconds: 1_790_000_000_000_000_000 + wall, at: .zero)
    return RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: clock)
}

func header(_ sequence: UInt16, ssrc: UInt32, payloadType: UInt8 = 0) -> RTPHeader {
    RTPHeader(payloadType: payloadType, sequenceNumber: sequence, timestamp: UInt32(sequence) * 160, ssrc: ssrc)
}

extension RTPSession {
    mutating func drain() -> [Output] {
        var all: [Output] = []
        while let output = poll() { all.append(output) }
        return all
    }

    mutating func compounds() -> [RTCPCompound] {
        drain().compactMap { if case .transmit(let bytes) = $0 { RTCPCompound(bytes.span.bytes) } else { nil } }
    }
}

@Suite struct RTPSessionTests {
    /// Two parties, 20 ms packets, exact one-way delays in virtual time.
    static func call(there: Double, back: Double, isAVPF: Bool, seconds: Int, dropEvery: Int = 0) -> (
        a: RTPSession, b: RTPSession, firstTripMs: Double?
    ) {
        var a = makeSession("a", seed: 1, isAVPF: isAVPF)
        var b = makeSession("b", seed: 2, isAVPF: isAVPF, wall: 77_777_777_777)
        var control: [(at: Instant, toB: Bool, bytes: [UInt8])] = []
        var first: Double?
        for tick in 0..<seconds * 1000 {
            let now = ms(Double(tick))
            if tick % 20 == 0 {
                let timestamp = UInt32(tick * 8)
                let fromA = a.willSend(payloadType: 0, payloadLength: 160, timestamp: timestamp, at: now)
                let fromB = b.willSend(payloadType: 0, payloadLength: 160, timestamp: timestamp, at: now)
                if dropEvery == 0 || (tick / 20) % dropEvery != 1 {
                    _ = b.receiveRTP(fromA, payloadLength: 160, at: now + .nanoseconds(Int64(there * 1e6)))
                }
                _ = a.receiveRTP(fromB, payloadLength: 160, at: now + .nanoseconds(Int64(back * 1e6)))
            }
            for item in control where item.at <= now {
                if item.toB { b.receiveRTCP(item.bytes.span.bytes, at: now) } else { a.receiveRTCP(item.bytes.span.bytes, at: now) }
            }
            control.removeAll { $0.at <= now }
            a.handleTimeout(at: now)
            b.handleTimeout(at: now)
            for output in a.drain() {
                if case .transmit(let bytes) = output { control.append((now + .nanoseconds(Int64(there * 1e6)), true, bytes)) }
            }
            for output in b.drain() {
                if case .transmit(let bytes) = output { control.append((now + .nanoseconds(Int64(back * 1e6)), false, bytes)) }
            }
            if first == nil, a.statistics.outbound.roundTripTimeMs != nil { first = Double(tick) }
        }
        return (a, b, first)
    }

    @Test(arguments: [(1.0, 1.0), (10, 30), (150, 150), (400, 900)]) func roundTrip(there: Double, back: Double) {
        let (a, b, first) = Self.call(there: there, back: back, isAVPF: true, seconds: 15)
        let tripA = a.statistics.outbound.roundTripTimeMs ?? -1
        let tripB = b.statistics.outbound.roundTripTimeMs ?? -1
        #expect(abs(tripA - (there + back)) < 0.05)
        #expect(abs(tripB - (there + back)) < 0.05)
        #expect((first ?? 99_999) < 5000 + there + back)
    }

    @Test func plainProfileReportsToo() {
        let (a, b, first) = Self.call(there: 5, back: 5, isAVPF: false, seconds: 30)
        #expect(abs((a.statistics.outbound.roundTripTimeMs ?? -1) - 10) < 0.05)
        #expect(b.statistics.outbound.remotePacketsLost == 0 && (first ?? 0) > 1000)
        #expect(a.cname(of: b.ssrc) == "b" && b.cname(of: a.ssrc) == "a")
    }

    @Test func farEndReportsLossAndJitter() {
        let (a, b, _) = Self.call(there: 5, back: 5, isAVPF: true, seconds: 20, dropEvery: 10)
        let sent = a.statistics.outbound
        let received = b.statistics.inbound
        #expect(sent.packetsSent == 1000 && sent.bytesSent == 160_000)
        #expect(received?.packetsReceived == 900 && received?.packetsLost == 100 && received?.bytesReceived == 144_000)
        #expect((70...100).contains(sent.remotePacketsLost ?? -1))
        #expect(abs((sent.fractionLost ?? 0) - 0.1) < 0.02)
        #expect(sent.remoteJitterMs == 0 && received?.jitterMs == 0)
    }

    @Test func unknownIsNil() {
        let session = makeSession("x", seed: 1)
        let statistics = session.statistics
        #expect(statistics.inbound == nil && statistics.outbound.packetsSent == 0)
        #expect(
            statistics.outbound.roundTripTimeMs == nil && statistics.outbound.remotePacketsLost == nil && statistics.outbound.remoteJitterMs == nil)
    }

    @Test func reportsAreSenderOrReceiverReports() throws {
        var session = makeSession("x", seed: 3, ssrc: 9)
        _ = session.receiveRTP(header(1, ssrc: 5), payloadLength: 160, at: .zero)
        session.handleTimeout(at: try #require(session.deadline))
        while session.statistics.outbound.packetsSent == 0, let deadline = session.deadline {
            session.handleTimeout(at: deadline)
            guard let compound = session.compounds().first else { continue }
            guard case .receiverReport(9, let blocks) = compound.packets.first else {
                Issue.record("not a receiver report: \(compound)")
                return
            }
            #expect(blocks.map(\.ssrc) == [5])
            #expect(compound.packets.last == .sourceDescription([SourceDescription(ssrc: 9, cname: "x")]))
            _ = session.willSend(payloadType: 0, payloadLength: 160, timestamp: 0, at: deadline)
        }
        var compound: RTCPCompound?
        while compound == nil, let deadline = session.deadline {
            session.handleTimeout(at: deadline)
            compound = session.compounds().first
        }
        guard case .senderReport(9, let info, _)? = compound?.packets.first else {
            Issue.record("not a sender report")
            return
        }
        #expect(info.packetCount == 1 && info.octetCount == 160)
    }

    /// The sender report's RTP timestamp is the media clock at the moment of its NTP timestamp.
    @Test func senderReportTimestampIsExtrapolated() {
        var stream = OutboundRTPStream(ssrc: 1, random: RandomSource(seed: 1))
        let clock = NTPClock(timestamp: 0, at: .zero)
        let sent = stream.nextHeader(payloadType: 0, payloadLength: 1, timestamp: 4000, clockRate: 8000, at: ms(1000))
        let event = stream.nextHeader(payloadType: 101, payloadLength: 4, timestamp: 4000, clockRate: nil, at: ms(1200))
        let info = stream.senderInfo(clock: clock, at: ms(1250))
        #expect(info.rtpTimestamp == sent.timestamp &+ 2000 && info.ntpTimestamp == 0x1_4000_0000)
        #expect(event.sequenceNumber == sent.sequenceNumber &+ 1 && event.timestamp == sent.timestamp)
        #expect(sent.sequenceNumber < 0x8000)
    }

    @Test func absurdReportsGiveNoRoundTrip() {
        var stream = OutboundRTPStream(ssrc: 1, random: RandomSource(seed: 1))
        let clock = NTPClock(timestamp: 100 << 32, at: .zero)
        func block(_ lsr: UInt32, _ dlsr: UInt32) -> ReportBlock {
            ReportBlock(
                ssrc: 1, fractionLost: 0, cumulativeLost: 0, extendedHighestSequence: 0, jitter: 0, lastSenderReport: lsr,
                delaySinceLastSenderReport: dlsr)
        }
        stream.receive(block(0, 0), clock: clock, at: .zero)
        stream.receive(block(200 << 16, 0), clock: clock, at: .zero)
        stream.receive(block(1 << 16, 0), clock: clock, at: .zero)
        stream.receive(block(100 << 16, .max), clock: clock, at: ms(70_000))
        #expect(stream.roundTripTimeMs == nil && stream.remotePacketsLost == 0 && stream.remoteJitterMs == nil)
        stream.receive(block(99 << 16, 1 << 15), clock: clock, at: .zero)
        #expect(stream.roundTripTimeMs == 500)
        // Half a millisecond too much of delay is the far end's rounding.
        stream.receive(block(100 << 16, 32), clock: clock, at: .zero)
        #expect(stream.roundTripTimeMs == 1000.0 / 65536)
    }

    @Test func closeSaysGoodbyeOnce() throws {
        var session = makeSession("x", seed: 3, ssrc: 9)
        _ = session.willSend(payloadType: 0, payloadLength: 160, timestamp: 0, at: .zero)
        let last = session.close(reason: "done", at: ms(20))
        let bytes = try #require(last)
        let compound = RTCPCompound(bytes.span.bytes)
        #expect(compound.packets.count == 3 && compound.issues.isEmpty)
        #expect(compound.packets.last == .goodbye(ssrcs: [9], reason: "done"))
        let again = session.close(at: ms(30))
        #expect(again == nil && session.deadline == nil)
        #expect(session.receiveRTP(header(1, ssrc: 5), payloadLength: 1, at: ms(40)) == .refused)
        var silent = makeSession("y", seed: 3)
        _ = silent.receiveRTP(header(1, ssrc: 5), payloadLength: 1, at: .zero)
        #expect(silent.close(at: ms(1)) == nil)
    }

    @Test func feedback() {
        var a = makeSession("a", seed: 1, ssrc: 10)
        var b = makeSession("b", seed: 2, ssrc: 20, reducedSize: true)
        _ = a.receiveRTP(b.willSend(payloadType: 0, payloadLength: 1, timestamp: 0, at: .zero), payloadLength: 1, at: .zero)
        _ = b.receiveRTP(a.willSend(payloadType: 0, payloadLength: 1, timestamp: 0, at: .zero), payloadLength: 1, at: .zero)
        a.handle(.requestKeyFrame, at: ms(1))
        b.handle(.requestRetransmission([5, 6]), at: ms(1))
        let full = a.poll()
        let reduced = b.poll()
        guard case .transmit(let fromA)? = full, case .transmit(let fromB)? = reduced else {
            Issue.record("no feedback")
            return
        }
        #expect(RTCPCompound(fromA.span.bytes).packets.count == 3)
        #expect(RTCPCompound(fromB.span.bytes).issues == [.reducedSize])
        b.receiveRTCP(fromA.span.bytes, at: ms(2))
        a.receiveRTCP(fromB.span.bytes, at: ms(2))
        #expect(b.drain() == [.keyFrameRequested] && a.drain() == [.retransmissionRequested([5, 6])])
        #expect(a.statistics.inbound?.pliCount == 1 && b.statistics.outbound.pliCount == 1)
        #expect(b.statistics.inbound?.nackCount == 1 && a.statistics.outbound.nackCount == 1)
        // A repeated FIR is one request.
        let fir = RTCPPacket.bytes(of: [.feedback(sender: 20, media: 0, .fullIntraRequest([FullIntraRequest(ssrc: 10, sequenceNumber: 4)]))])
        a.receiveRTCP(fir.span.bytes, at: ms(3))
        a.receiveRTCP(fir.span.bytes, at: ms(4))
        #expect(a.drain() == [.keyFrameRequested] && a.statistics.outbound.firCount == 1)
        var plain = makeSession("c", seed: 3, isAVPF: false)
        _ = plain.receiveRTP(header(1, ssrc: 5), payloadLength: 1, at: .zero)
        plain.handle(.requestKeyFrame, at: .zero)
        #expect(plain.poll() == nil && plain.statistics.inbound?.pliCount == 0)
    }
}
