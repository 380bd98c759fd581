import Core
import Testing

@testable import RTP

/// When reports go out (RFC 3550 §6.2–6.3, RFC 4585 §3, RFC 3556).
@Suite struct RTCPTimingTests {
    /// A browser's side: says its sender reports by hand, reads our blocks.
    static func firstEcho(seed: UInt64, senderReportAt: Double, isAVPF: Bool = true) -> (first: Double, echo: Double) {
        var session = makeSession("x", seed: seed, isAVPF: isAVPF)
        var first: Double?
        for tick in 0..<20_000 {
            let now = ms(Double(tick))
            if tick % 20 == 0 {
                _ = session.receiveRTP(header(UInt16(tick / 20), ssrc: 5), payloadLength: 160, at: now)
                _ = session.willSend(payloadType: 0, payloadLength: 160, timestamp: UInt32(tick * 8), at: now)
            }
            if Double(tick) == senderReportAt {
                let info = SenderInfo(ntpTimestamp: 0x1234_5678_9ABC_DEF0, rtpTimestamp: 0, packetCount: 1, octetCount: 1)
                session.receiveRTCP(RTCPPacket.bytes(of: [.senderReport(ssrc: 5, info: info, blocks: [])]).span.bytes, at: now)
            }
            session.handleTimeout(at: now)
            for compound in session.compounds() {
                first = first ?? Double(tick)
                if case .senderReport(_, _, let blocks)? = compound.packets.first, blocks.contains(where: { $0.lastSenderReport != 0 }) {
                    return (first ?? .infinity, Double(tick))
                }
            }
        }
        return (first ?? .infinity, .infinity)
    }

    /// A browser shows a round-trip time when a report of ours echoes its own, whose first comes 2.5 to 3.75 s after its media.
    @Test func browserLearnsItsRoundTripSoon() {
        for seed in 0..<UInt64(100) {
            let at = 2500 + Double(seed) * 12
            let (first, echo) = Self.firstEcho(seed: seed, senderReportAt: at.rounded())
            #expect(first <= 1000 && echo >= at.rounded() && echo - at <= 251)
        }
        // Without AVPF no report goes before its time.
        let slowest = (0..<UInt64(10)).map { Self.firstEcho(seed: $0, senderReportAt: 2500, isAVPF: false).echo }.max() ?? 0
        #expect(slowest > 4000)
    }

    /// Sender reports in numbers do not make us answer each of them.
    @Test func earlyReportsAreFew() {
        var session = makeSession("x", seed: 1)
        var count = 0
        for tick in 0..<10_000 {
            let now = ms(Double(tick))
            if tick % 5 == 0 {
                let info = SenderInfo(ntpTimestamp: 1 << 32, rtpTimestamp: 0, packetCount: 1, octetCount: 1)
                let report = RTCPPacket.bytes(of: [.senderReport(ssrc: UInt32(tick), info: info, blocks: [])])
                session.receiveRTCP(report.span.bytes, at: now)
            }
            session.handleTimeout(at: now)
            count += session.compounds().count
        }
        // 17 members share the bandwidth: without early ones it would be three or four.
        #expect(count <= 12)
    }

    /// A sender that pauses between words stays one: early reports do not shorten what "recently" means.
    @Test func pausesAreNotSilence() {
        var session = makeSession("x", seed: 1)
        var kinds: [Bool] = []
        for tick in 0..<20_000 {
            let now = ms(Double(tick))
            if tick % 1200 == 0 { _ = session.willSend(payloadType: 0, payloadLength: 1, timestamp: UInt32(tick * 8), at: now) }
            session.reports.handle(.urgent, at: now)
            session.handleTimeout(at: now)
            for compound in session.compounds() { if case .senderReport = compound.packets.first { kinds.append(true) } else { kinds.append(false) } }
        }
        #expect(kinds.count > 20 && kinds.allSatisfy { $0 })
    }

    static func reports(_ profile: RTCPProfile, _ bandwidth: RTCPBandwidth, isSender: Bool = true, seconds: Int, urgentEvery: Int? = nil) -> [Double]
    {
        var session = RTCPSession(profile: profile, bandwidth: bandwidth, random: RandomSource(seed: 3))
        session.handle(.membership(members: 2, senders: isSender ? 2 : 1, isSender: isSender), at: .zero)
        session.handle(.joined, at: .zero)
        var times: [Double] = []
        for tick in 0..<seconds * 100 {
            let now = ms(Double(tick) * 10)
            if let urgentEvery, tick % urgentEvery == 0 { session.handle(.urgent, at: now) }
            session.handleTimeout(at: now)
            if session.poll() != nil {
                times.append(now.nanoseconds == 0 ? 0 : Double(tick) / 100)
                session.handle(.compound(octets: 92), at: now)
            }
        }
        return times
    }

    @Test func aboutOnceASecondWithinTheBandwidth() {
        let times = Self.reports(.avpf, RTCPBandwidth(session: 64_000), seconds: 600)
        #expect((540...680).contains(times.count))
        // Opus at 8 kbit/s: 50 bytes a second for both; two of 120 bytes each 4.8 s.
        let slow = Self.reports(.avpf, RTCPBandwidth(session: 8000), seconds: 600)
        #expect((110...140).contains(slow.count))
    }

    @Test func bandwidthOfTheDescription() {
        // b=RS:800 b=RR:800: 200 bytes a second for both together.
        let set = Self.reports(.avpf, RTCPBandwidth(session: 64_000, senders: 800, receivers: 800), seconds: 600)
        #expect((440...560).contains(set.count))
        #expect(Self.reports(.avpf, RTCPBandwidth(session: 64_000, senders: 0, receivers: 0), seconds: 60).isEmpty)
        // b=RR:0 keeps those silent that only receive.
        let receivers = RTCPBandwidth(session: 64_000, senders: 4000, receivers: 0)
        #expect(Self.reports(.avpf, receivers, isSender: false, seconds: 60).isEmpty)
        #expect(Self.reports(.avpf, receivers, isSender: true, seconds: 60).count > 40)
        let senders = RTCPBandwidth(session: 64_000, senders: 0, receivers: 4000)
        #expect(Self.reports(.avpf, senders, isSender: true, seconds: 60).count > 40)
        var silent = RTPSession(
            configuration: .init(cname: "x", isAVPF: true, clockRates: [0: 8000], senderBandwidth: 0, receiverBandwidth: 0),
            random: RandomSource(seed: 1), clock: NTPClock(timestamp: 0, at: .zero))
        _ = silent.willSend(payloadType: 0, payloadLength: 1, timestamp: 0, at: .zero)
        #expect(silent.deadline == nil)
    }

    @Test func intervalOfTheDescription() {
        var profile = RTCPProfile.avpf
        profile.minimumReportInterval = .seconds(4)
        let times = Self.reports(profile, RTCPBandwidth(session: 64_000), seconds: 600)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        // Half to one and a half times, and then the next time that the bandwidth allows.
        #expect((gaps.min() ?? 0) >= 2 && (gaps.max() ?? 99) <= 8 && times.count < 220)
        #expect((times.first ?? 9) < 1)
    }

    /// RFC 4585 §3.5.2: one early report, then a regular one, and never two within 250 ms.
    @Test func earlyThenRegular() {
        let times = Self.reports(.avpf, RTCPBandwidth(session: 64_000), seconds: 600, urgentEvery: 1)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect((gaps.min() ?? 0) >= 0.24)
        // Early ones come 0.25 s after a regular one; the regular one after at least 0.4 s.
        let early = gaps.count { $0 < 0.3 }
        #expect(early > 200 && zip(gaps, gaps.dropFirst()).allSatisfy { $0 > 0.3 || $1 > 0.3 })
        // Plain AVP knows none.
        let plain = Self.reports(.avp, RTCPBandwidth(session: 64_000), seconds: 100, urgentEvery: 1)
        #expect(zip(plain, plain.dropFirst()).allSatisfy { $1 - $0 > 2 })
    }
}
