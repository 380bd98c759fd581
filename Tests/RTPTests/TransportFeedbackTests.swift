import Core
import Testing

@testable import RTP

@Suite struct TransportFeedbackTests {
    static func feedback(_ vector: String) -> TransportWideFeedback? {
        let bytes = hex(vector)
        return TransportWideFeedback(bytes.span.bytes, in: 0..<bytes.count)
    }

    /// Every form of chunk, written out by hand after the draft's §3.1.3 and §3.1.4.
    @Test func chunksOfAllForms() {
        // Run of 3 lost, one-bit 0b11000000000001, run of 2 large, two-bit small, lost, large; deltas behind.
        let read = Self.feedback("ffff0016 ffffff 07 0003 b001 4002 d200 01 02 03 fff0 7fff ff 8000 00")
        #expect(read?.baseSequence == 65535 && read?.statusCount == 22 && read?.referenceTime == 0xFF_FFFF && read?.feedbackCount == 7)
        #expect(
            read?.arrivals == [
                .init(offset: 3, delta: 1), .init(offset: 4, delta: 2), .init(offset: 16, delta: 3), .init(offset: 17, delta: -16),
                .init(offset: 18, delta: 32767), .init(offset: 19, delta: 255), .init(offset: 21, delta: -32768),
            ])
    }

    static let broken = [
        "", "0001000100000000", "00010001000000", "000100010000000020", "00010001000000002001", "00010002 00000000 2002 01",
        // A large delta cut off, the reserved symbol in a run and in a vector.
        "00010001 00000000 4001 01", "00010001 00000000 6001 0101", "00010001 00000000 f000 0101",
        // More packets than bytes can tell the times of.
        "0001ffff 00000000 3fff 3fff 3fff",
    ]

    @Test(arguments: broken) func refused(vector: String) { #expect(Self.feedback(vector) == nil) }

    /// Browsers fill up with a padding count of 1 to 3, which RFC 3550 does not know.
    @Test func paddingOfBrowsers() {
        let vector = hex("afcd0006 0000000a 0000000b 00070003 00000109 2003 010203 000003")
        let compound = RTCPCompound(vector.span.bytes)
        guard case .feedback(10, 11, .transportWide(let feedback))? = compound.packets.first else {
            Issue.record("not read: \(compound)")
            return
        }
        #expect(feedback.arrivals.map(\.delta) == [1, 2, 3] && compound.issues == [.reducedSize])
    }

    /// Random loss, reordering and copies, wrap of sequence and reference time, long silences: what is told is what happened.
    @Test(arguments: [UInt64](1...20)) func tellsWhatHappened(seed: UInt64) {
        let random = RandomSource(seed: seed)
        var recorder = TransportFeedbackRecorder()
        // 24 bits of 64 ms end during the run.
        var now = Instant(nanoseconds: (1 << 24) * 64_000_000 - 5_000_000_000)
        var arrived: [UInt16: UInt64] = [:]
        var told: [UInt16: UInt64] = [:]
        var missing: Set<UInt16> = []
        var pending: [(at: UInt64, number: UInt16)] = []
        var count: UInt8 = 0
        let first: UInt16 = 65_000
        for n in 0..<3000 {
            now += .milliseconds(n % 500 == 499 ? 9000 : 20)
            let number = first &+ UInt16(n)
            if n == 0 || random.uniform() > 0.1 {
                for _ in 0..<(random.uniform() < 0.05 ? 2 : 1) {
                    pending.append((now.nanoseconds + UInt64(n == 0 ? 0 : random.uniform() * 90e6), number))
                }
            }
            pending.sort { $0.at < $1.at }
            while let next = pending.first, next.at <= now.nanoseconds {
                pending.removeFirst()
                recorder.receive(next.number, at: Instant(nanoseconds: next.at))
                if arrived[next.number] == nil { arrived[next.number] = next.at }
            }
            guard n % 5 == 0 || n == 2999 else { continue }
            for feedback in recorder.takeFeedback() {
                #expect(feedback.feedbackCount == count)
                count &+= 1
                var writer = ByteWriter()
                feedback.write(to: &writer)
                let read = TransportWideFeedback(writer.bytes.span.bytes, in: 0..<writer.count)
                #expect(read == feedback)
                let wrapped = now.nanoseconds / 64_000_000 - UInt64((UInt32(now.nanoseconds / 64_000_000) &- feedback.referenceTime) & 0xFF_FFFF)
                var tick = Int64(wrapped) * 256
                for arrival in feedback.arrivals {
                    tick += Int64(arrival.delta)
                    let number = feedback.baseSequence &+ arrival.offset
                    told[number] = UInt64(tick) * 250_000
                    missing.remove(number)
                }
                let heard = Set(feedback.arrivals.map(\.offset))
                for offset in 0..<feedback.statusCount where !heard.contains(offset) {
                    let number = feedback.baseSequence &+ offset
                    if told[number] == nil { missing.insert(number) }
                }
            }
        }
        let last = told.keys.max { $1.isNewerSequence(than: $0) } ?? 0
        var wrong = 0
        for n in 0...(last &- first) {
            let number = first &+ n
            switch (arrived[number], told[number]) {
            case (let at?, let told?): if told != at / 250_000 * 250_000 { wrong += 1 }
            case (nil, nil): if !missing.contains(number) { wrong += 1 }
            default: wrong += 1
            }
        }
        #expect(wrong == 0 && told.count > 2400 && missing.count > 150)
    }

    @Test func numberingStartsAnew() {
        var recorder = TransportFeedbackRecorder()
        recorder.receive(100, at: ms(0))
        recorder.receive(40_000, at: ms(20))
        recorder.receive(40_002, at: ms(40))
        #expect(recorder.takeFeedback().map { [$0.baseSequence, $0.statusCount] } == [[40_000, 3]])
        #expect(recorder.takeFeedback().isEmpty && !recorder.hasNews)
        // A late one is told with what lies between, a copy is not told again.
        recorder.receive(40_002, at: ms(50))
        #expect(!recorder.hasNews)
        recorder.receive(40_001, at: ms(60))
        #expect(recorder.takeFeedback().map { $0.arrivals.map(\.offset) } == [[0, 1]])
    }

    @Test func fateOfPacketsSent() {
        var history = TransportFeedbackHistory(random: RandomSource(seed: 3))
        let first = history.take()
        for _ in 1..<10 { _ = history.take() }
        func feedback(_ base: UInt16, _ count: UInt16, _ offsets: [UInt16]) -> TransportWideFeedback {
            TransportWideFeedback(
                baseSequence: base, statusCount: count, referenceTime: 0, feedbackCount: 0, arrivals: offsets.map { .init(offset: $0, delta: 0) })
        }
        history.receive(feedback(first, 4, [0, 1, 3]))
        #expect(history.packetsAcknowledged == 3 && history.packetsLost == 1)
        // Told again, and the lost one found.
        history.receive(feedback(first, 4, [2]))
        #expect(history.packetsAcknowledged == 4 && history.packetsLost == 0 && history.feedbackReceived == 2)
        // Never sent: after the last, and before the first.
        history.receive(feedback(first &+ 8, 3, [0, 1, 2]))
        history.receive(feedback(first &- 1, 3, [0]))
        history.receive(feedback(first &+ 20_000, 60_000, []))
        #expect(history.packetsAcknowledged == 4 && history.packetsLost == 0 && history.feedbackRefused == 3)
    }

    static func session(_ name: String, seed: UInt64, reducedSize: Bool) -> RTPSession {
        let configuration = RTPSession.Configuration(
            cname: name, isAVPF: true, reducedSize: reducedSize, clockRates: [0: 8000], extensions: RTPExtensionMap(transportSequence: 5),
            transportFeedback: true)
        return RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: NTPClock(timestamp: 0, at: .zero))
    }

    @Test(arguments: [true, false]) func betweenSessions(reducedSize: Bool) {
        var pair = MediaPair(
            Self.session("a", seed: 1, reducedSize: reducedSize), Self.session("b", seed: 2, reducedSize: reducedSize),
            path: .init(delay: 20, jitter: 30, loss: 0.05), start: ms(1000))
        pair.run(for: .seconds(60))
        let outbound = pair.a.statistics.outbound
        let acknowledged = outbound.transportPacketsAcknowledged ?? 0
        let lost = outbound.transportPacketsLost ?? 0
        #expect((pair.sent - 40...pair.sent).contains(acknowledged + lost))
        #expect((pair.delivered - 40...pair.delivered).contains(acknowledged))
        var times: [Instant] = []
        var octets = 0
        for item in pair.control.fromB {
            octets += item.bytes.count + 42
            let compound = RTCPCompound(item.bytes.span.bytes)
            let hasFeedback = compound.packets.contains { if case .feedback(_, _, .transportWide) = $0 { true } else { false } }
            if hasFeedback { times.append(item.at) }
            // Alone only when that was agreed on.
            #expect(reducedSize || compound.issues.isEmpty)
        }
        let gaps = zip(times, times.dropFirst()).map { ($1 - $0).milliseconds }
        #expect((gaps.max() ?? 999) <= (reducedSize ? 300 : 550) && (110...1200).contains(gaps.count))
        // Media is 64 kbit/s; reports and feedback together stay near 5 %.
        #expect(Double(octets) * 8 / 60 < 64_000 * 0.07)
    }

    /// Neither numbers nor feedback without an agreement.
    @Test func onlyWhenNegotiated() {
        var pair = MediaPair(makeSession("a", seed: 1), makeSession("b", seed: 2))
        pair.run(for: .seconds(3))
        #expect(pair.a.statistics.outbound.transportPacketsAcknowledged == nil)
        let fromB = pair.control.fromB.flatMap { RTCPCompound($0.bytes.span.bytes).packets }
        #expect(!fromB.contains { if case .feedback = $0 { true } else { false } } && !fromB.isEmpty)
    }
}
