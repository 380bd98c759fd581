import Core
import Secure
import Testing

/// Rows 12 and 14: streams that change, and SRTCP's own fields (RFC 3711 §3.4, RFC 7714 §9), in both families.
@Suite struct SRTPStreamTests {
    static let families: [SRTPProfile] = [.aeadAES256GCM, .aeadAES128GCM, .aesCM128Tag80, .aesCM128Tag32, .aes256CMTag80, .aes256CMTag32]

    // MARK: row 12

    /// A new SSRC begins anywhere, beside one that has wrapped already, and the old one goes on.
    @Test(arguments: families) func row12NewSSRCs(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        for index in 65_500..<65_600 {
            var packet = rtp(sequence: UInt16(truncatingIfNeeded: index), ssrc: 1)
            try sender.protectRTP(&packet)
            try receiver.unprotectRTP(&packet)
        }
        for (ssrc, start) in [(UInt32(2), 0), (3, 65_535), (4, 32_768)] {
            for offset in 0..<40 {
                let plain = rtp(sequence: UInt16(truncatingIfNeeded: start + offset), ssrc: ssrc)
                var packet = plain
                try sender.protectRTP(&packet)
                try receiver.unprotectRTP(&packet)
                #expect(packet == plain)
            }
        }
        var old = rtp(sequence: 64, ssrc: 1)
        try sender.protectRTP(&old)
        try receiver.unprotectRTP(&old)
        #expect([1, 2, 3, 4].map { receiver.rolloverCounter(ssrc: $0) } == [1, 0, 1, 0] && receiver.streamCount == 4)
    }

    /// Lost and swapped packets just at the wrap: 65535 itself missing, packets of before it that come after it, and all of it once more.
    @Test(arguments: families) func row12TheWrapItself(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        let indices = Array(65_500..<65_570)
        var protected: [Int: [UInt8]] = [:]
        for index in indices {
            var packet = rtp(sequence: UInt16(truncatingIfNeeded: index))
            try sender.protectRTP(&packet)
            protected[index] = packet
        }
        let random = RandomSource(seed: 12)
        var order = indices.filter { $0 != 65_535 && $0 % 9 != 0 || $0 == 65_500 }
        // Shuffled within windows of 12, so that many packets of both sides of the wrap are swapped.
        for start in stride(from: 1, to: order.count, by: 12) {
            for index in start..<min(start + 12, order.count) {
                order.swapAt(index, start + Int(random.next() % UInt64(min(12, order.count - start))))
            }
        }
        var failures = 0
        for index in order {
            var packet = try #require(protected[index])
            do { try receiver.unprotectRTP(&packet) } catch { failures += 1 }
            if packet != rtp(sequence: UInt16(truncatingIfNeeded: index)) { failures += 1 }
        }
        #expect(failures == 0 && receiver.rolloverCounter(ssrc: 0xCAFE_BABE) == 1)
        // Everything again is a replay, from before the wrap too; what was lost may still come.
        for index in order {
            var packet = try #require(protected[index])
            #expect(throws: SRTPError.replay) { try receiver.unprotectRTP(&packet) }
        }
        var late = try #require(protected[65_535])
        try receiver.unprotectRTP(&late)
    }

    /// A jump forward of less than half the numbers, as after a hold: it goes on, and before the wrap it counts one.
    @Test(arguments: [SRTPProfile.aeadAES128GCM, .aesCM128Tag80]) func row12JumpsForward(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        for sequence in [UInt16(10), 30_000, 60_000, 20_000, 50_000, 5] {
            let plain = rtp(sequence: sequence)
            var packet = plain
            try sender.protectRTP(&packet)
            try receiver.unprotectRTP(&packet)
            #expect(packet == plain)
        }
        #expect(receiver.rolloverCounter(ssrc: 0xCAFE_BABE) == 2)
    }

    @Test func unprotectFailuresHaveTheirReasons() throws {
        let reasons: [(SRTPError, UnprotectFailure)] = [
            (.authentication, .authentication), (.replay, .replay), (.replayOld, .replay), (.noKey, .noKey), (.malformed, .malformed),
            (.other(9), .other),
            (.bufferTooSmall, .other),
        ]
        for (error, reason) in reasons { #expect(error.unprotectFailure == reason) }
        for profile in SRTPStreamTests.families {
            let (sender, receiver) = try contexts(profile)
            var packet = rtp(sequence: 1)
            try sender.protectRTP(&packet)
            let good = packet
            let reason = { (bytes: [UInt8]) -> UnprotectFailure? in
                var copy = bytes
                do throws(SRTPError) { try receiver.unprotectRTP(&copy) } catch { return error.unprotectFailure }
                return nil
            }
            var changed = good
            changed[20] ^= 1
            // A new source whose packets are not authentic is no stream, and takes nothing from the one that is.
            var stranger = good
            stranger[11] ^= 1
            #expect(reason(changed) == .authentication && reason(stranger) == .authentication && receiver.streamCount == 0)
            // The number is looked at before the tag.
            #expect(reason(good) == nil && reason(good) == .replay && reason(changed) == .replay)
            #expect(reason([0x80, 0]) == .malformed && reason([]) == .malformed)
        }
    }

    // MARK: row 14

    /// Where the E flag and index are: behind the payload and before the tag for counter mode, at the very end for GCM.
    static func index(_ packet: [UInt8], _ profile: SRTPProfile) -> UInt32 {
        let offset = profile.isAEAD ? packet.count - 4 : packet.count - 14
        return packet[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test(arguments: families) func row14IndexAndEncryptionFlag(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        var indices: [UInt32] = []
        for round in 0..<5 {
            let plain = rtcp() + Array(repeating: UInt8(round), count: 24)
            var packet = plain
            try sender.protectRTCP(&packet)
            // Header and SSRC stay in clear, the rest does not; the tag is never the short one.
            #expect(packet.count == plain.count + (profile.isAEAD ? 20 : 14))
            #expect(packet.prefix(8) == plain.prefix(8) && packet[8..<32] != plain[8..<32])
            indices.append(SRTPStreamTests.index(packet, profile))
            try receiver.unprotectRTCP(&packet)
            #expect(packet == plain)
        }
        #expect(indices.allSatisfy { $0 & 0x8000_0000 != 0 })
        let counts = indices.map { $0 & 0x7FFF_FFFF }
        #expect(counts == (0..<5).map { counts[0] + $0 } && counts[0] <= 1)
    }

    /// Every byte is vouched for, the index and the E flag too: a changed one is refused, and the good one still taken after it.
    @Test(arguments: families) func row14EveryByteIsAuthenticated(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        var packet = rtcp() + Array(repeating: 7, count: 20)
        let plain = packet
        try sender.protectRTCP(&packet)
        for index in packet.indices {
            var changed = packet
            changed[index] ^= index == 0 ? 0x01 : 0x80
            do {
                try receiver.unprotectRTCP(&changed)
                Issue.record("byte \(index) of \(packet.count) may be changed")
            } catch {}
        }
        #expect(receiver.streamCount == 0)
        try receiver.unprotectRTCP(&packet)
        #expect(packet == plain)
    }

    /// SRTCP counts for itself: lost and swapped reports, replays, and RTP's counter plays no part.
    @Test(arguments: families) func row14LossReorderingAndReplay(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        var reports: [[UInt8]] = []
        for round in 0..<20 {
            var media = rtp(sequence: UInt16(truncatingIfNeeded: 65_530 + round))
            try sender.protectRTP(&media)
            try receiver.unprotectRTP(&media)
            var packet = rtcp() + [UInt8(round), 0, 0, 0]
            try sender.protectRTCP(&packet)
            reports.append(packet)
        }
        for index in [0, 2, 1, 7, 5, 19, 12] {
            var packet = reports[index]
            try receiver.unprotectRTCP(&packet)
            #expect(packet == rtcp() + [UInt8(index), 0, 0, 0])
        }
        for index in [0, 1, 19, 12] {
            var packet = reports[index]
            #expect(throws: SRTPError.replay) { try receiver.unprotectRTCP(&packet) }
        }
    }

    /// RTP's and RTCP's keys are different ones: a packet of the one is none of the other.
    @Test(arguments: families) func row14KeysOfTheTwoAreNotTheSame(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        var media = rtp(sequence: 1)
        try sender.protectRTP(&media)
        #expect(throws: SRTPError.authentication) { try receiver.unprotectRTCP(&media) }
        var report = rtcp() + Array(repeating: 0, count: 40)
        try sender.protectRTCP(&report)
        #expect(throws: SRTPError.authentication) { try receiver.unprotectRTP(&report) }
    }
}
