import Core
import Testing

@testable import RTP

/// Row 12: a source that changes its SSRC, restarts, wraps, replays or leaves; RTCP's figures stay right.
@Suite struct RTCPFiguresTests {
    /// The blocks of `session`'s next report.
    static func nextBlocks(_ session: inout RTPSession) -> [ReportBlock] {
        while let deadline = session.deadline {
            session.handleTimeout(at: deadline)
            for compound in session.compounds() {
                switch compound.packets.first {
                case .senderReport(_, _, let blocks), .receiverReport(_, let blocks): return blocks
                default: continue
                }
            }
        }
        return []
    }

    @Test("12 SSRC change in mid-stream: both are reported once, then the new one alone")
    func test12_ssrcChange() {
        var session = makeSession("x", seed: 1)
        for n in UInt16(0)..<10 where n != 4 { _ = session.receiveRTP(header(n, ssrc: 5), payloadLength: 10, at: ms(Double(n) * 20)) }
        for n in UInt16(0)..<10 {
            let reception = session.receiveRTP(header(30_000 + n, ssrc: 6), payloadLength: 10, at: ms(200 + Double(n) * 20))
            #expect(reception == (n == 0 ? .probation : n == 1 ? .ssrcChanged(previous: 5) : .accepted))
        }
        let blocks = Self.nextBlocks(&session)
        #expect(blocks.map(\.ssrc) == [5, 6] && blocks.map(\.cumulativeLost) == [1, 0])
        #expect(blocks.map(\.extendedHighestSequence) == [9, 30_009] && blocks.map(\.fractionLost) == [25, 0])
        #expect(session.statistics.inbound?.packetsReceived == 19 && session.statistics.inbound?.packetsLost == 1)
        for n in UInt16(10)..<200 { _ = session.receiveRTP(header(30_000 + n, ssrc: 6), payloadLength: 10, at: ms(3000 + Double(n) * 20)) }
        _ = Self.nextBlocks(&session)
        for n in UInt16(200)..<300 { _ = session.receiveRTP(header(30_000 + n, ssrc: 6), payloadLength: 10, at: ms(4000 + Double(n) * 20)) }
        #expect(Self.nextBlocks(&session).map(\.ssrc) == [6])
    }

    @Test("12 sequence restart: losses before it stay in the figures, the jump is none")
    func test12_sequenceRestart() {
        var stream = InboundRTPStream(ssrc: 1)
        func feed(_ numbers: some Sequence<UInt16>) {
            for n in numbers { _ = stream.receive(header(n, ssrc: 1), payloadLength: 160, clockRate: 8000, at: ms(Double(n) * 20)) }
        }
        feed((100..<120).filter { $0 % 4 != 3 })
        feed([50_000, 50_001, 50_003])
        let block = stream.reportBlock(at: .zero)
        // 19 of the old numbering and 4 of the new one were expected (the last of the old, 119, is not known to exist).
        #expect(block?.cumulativeLost == 5 && block?.extendedHighestSequence == 50_003)
        #expect(block?.fractionLost == UInt8(5 * 256 / 23) && stream.packetsReceived == 18)
        #expect(stream.reportBlock(at: .zero)?.fractionLost == 0)
    }

    @Test("12 sequence and timestamp wrap under loss, reordering and replay", arguments: [UInt64](1...10))
    func test12_wrap(seed: UInt64) {
        let random = RandomSource(seed: seed)
        var stream = InboundRTPStream(ssrc: 1)
        var arrivals: [(at: Double, n: Int)] = []
        for n in 0..<2000 where n == 0 || n == 1999 || random.uniform() > 0.1 {
            arrivals.append((Double(n) * 20 + (n == 0 ? 0 : random.uniform() * 60), n))
            if random.uniform() < 0.05 { arrivals.append((Double(n) * 20 + 100, n)) }
        }
        arrivals.sort { $0.at < $1.at }
        var seen: Set<Int> = []
        var duplicates = 0
        for (at, n) in arrivals {
            let packet = RTPHeader(
                payloadType: 0, sequenceNumber: UInt16(truncatingIfNeeded: 65_000 + n), timestamp: (.max - 50_000) &+ UInt32(n) * 160, ssrc: 1)
            let arrival = stream.receive(packet, payloadLength: 160, clockRate: 8000, at: ms(at))
            if !seen.insert(n).inserted {
                duplicates += 1
                #expect(arrival == .duplicate)
            } else {
                #expect(arrival == .inOrder || arrival == .reordered)
            }
        }
        let block = stream.reportBlock(at: .zero)
        #expect(block?.extendedHighestSequence == 65_000 + 1999 && stream.packetsDuplicated == duplicates && duplicates > 50)
        #expect(block?.cumulativeLost == Int32(2000 - arrivals.count))
        // Delay is even over 60 ms: two packets differ by 20 ms in the mean. A wrapped timestamp taken wrongly would be hours.
        #expect((10...30).contains(stream.jitterMs ?? 0))
    }

    @Test("12 copies outnumber losses: cumulative lost is negative on the wire, the fraction zero")
    func test12_negativeLost() {
        var session = makeSession("x", seed: 1)
        for n in [UInt16(1), 2, 2, 3, 3, 3, 4] { _ = session.receiveRTP(header(n, ssrc: 5), payloadLength: 10, at: ms(Double(n) * 20)) }
        #expect(Self.nextBlocks(&session).map(\.cumulativeLost) == [-3])
        #expect(session.statistics.inbound?.packetsLost == -3 && session.statistics.inbound?.fractionLost == 0)
    }

    @Test("12 late BYE of a source that was left before: the one that plays is not touched")
    func test12_lateGoodbye() {
        var session = makeSession("x", seed: 1)
        _ = session.receiveRTP(header(1, ssrc: 5), payloadLength: 10, at: ms(0))
        _ = session.receiveRTP(header(9, ssrc: 6), payloadLength: 10, at: ms(300))
        let bye = RTCPPacket.bytes(of: [.receiverReport(ssrc: 5, blocks: []), .goodbye(ssrcs: [5], reason: nil)])
        session.receiveRTCP(bye.span.bytes, at: ms(400))
        #expect(session.receiveRTP(header(10, ssrc: 6), payloadLength: 10, at: ms(401)) == .accepted)
        #expect(session.remoteSSRC == 6 && session.drain() == [.goodbye(ssrc: 5, reason: nil)])
        #expect(Self.nextBlocks(&session).map(\.ssrc) == [6])
        // A straggler of the one that left does not take over.
        #expect(session.receiveRTP(header(11, ssrc: 6), payloadLength: 10, at: ms(402)) == .accepted)
        #expect(session.receiveRTP(header(2, ssrc: 5), payloadLength: 10, at: ms(403)) == .superseded)
    }

    @Test("12 collision: BYE under the old SSRC, counts begin anew, the far end's reports are matched to the new one")
    func test12_collision() throws {
        var pair = MediaPair(makeSession("a", seed: 1, ssrc: 9), makeSession("b", seed: 2))
        pair.run(for: .seconds(3))
        let report = RTCPPacket.bytes(of: [
            .senderReport(
                ssrc: 9, info: SenderInfo(ntpTimestamp: 1, rtpTimestamp: 1, packetCount: 1, octetCount: 1), blocks: [])
        ])
        pair.a.receiveRTCP(report.span.bytes, at: pair.now)
        let fresh = pair.a.ssrc
        pair.run(for: .seconds(4))
        #expect(fresh != 9 && pair.outputs.a.contains(.collision(old: 9, new: fresh)) && pair.outputs.b.contains(.goodbye(ssrc: 9, reason: nil)))
        #expect(pair.b.remoteSSRC == fresh && pair.oddities.contains(.ssrcChanged(previous: 9)))
        let inbound = try #require(pair.b.statistics.inbound)
        #expect(inbound.packetsLost == 0 && abs(inbound.packetsReceived - pair.sent) <= 1 && inbound.ssrc == fresh)
        let last = pair.control.fromA.last.map { RTCPCompound($0.bytes.span.bytes) }
        guard case .senderReport(fresh, let info, _)? = last?.packets.first else {
            Issue.record("no sender report of the new SSRC: \(String(describing: last))")
            return
        }
        #expect((150...201).contains(info.packetCount) && info.octetCount == info.packetCount * 160)
        #expect(last?.packets.contains(.sourceDescription([SourceDescription(ssrc: fresh, cname: "a")])) == true)
        #expect(pair.a.statistics.outbound.remotePacketsLost == 0 && pair.a.statistics.outbound.roundTripTimeMs != nil)
    }

    /// G.722 says 8000 and samples at 16000 (RFC 3551 §4.5.2): jitter is told in the former.
    @Test("12 jitter in the payload's RTP clock", arguments: [(UInt8(9), UInt32(8000), UInt32(160)), (111, 48000, 960)])
    func test12_jitterClock(payloadType: UInt8, rate: UInt32, units: UInt32) {
        let configuration = RTPSession.Configuration(cname: "x", isAVPF: true, clockRates: [9: 8000, 111: 48000])
        func session(_ seed: UInt64) -> RTPSession {
            RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: NTPClock(timestamp: 0, at: .zero))
        }
        var pair = MediaPair(session(1), session(2), path: .init(delay: 10, jitter: 15))
        pair.payloadType = payloadType
        pair.unitsPerPacket = units
        pair.run(for: .seconds(20))
        let jitterMs = pair.b.statistics.inbound?.jitterMs ?? 0
        // Two even delays of 0 to 15 ms differ by 5 ms in the mean.
        #expect((3...7).contains(jitterMs))
        let blocks = pair.control.fromB.last.map { RTCPCompound($0.bytes.span.bytes).packets.first }
        guard case .senderReport(_, _, let reports)?? = blocks, let block = reports.first else {
            Issue.record("no block")
            return
        }
        #expect((3...7).contains(Double(block.jitter) * 1000 / Double(rate)))
        #expect(abs((pair.a.statistics.outbound.remoteJitterMs ?? 0) - 5) < 2)
        #expect(block.lastSenderReport != 0 && block.delaySinceLastSenderReport > 0 && block.delaySinceLastSenderReport < 2 << 16)
    }
}
