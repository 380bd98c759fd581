import Core
import Digest
import Secure
import Testing

func rtp(sequence: UInt16, ssrc: UInt32 = 0xCAFE_BABE, payload: [UInt8] = Array(repeating: 0xAB, count: 160)) -> [UInt8] {
    var w = ByteWriter()
    w.u8(0x80)
    w.u8(111)
    w.u16(sequence)
    w.u32(UInt32(sequence) &* 960)
    w.u32(ssrc)
    w.append(payload)
    return w.bytes
}

/// An empty receiver report.
func rtcp(ssrc: UInt32 = 0xCAFE_BABE) -> [UInt8] {
    var w = ByteWriter()
    w.u32(0x80C9_0001)
    w.u32(ssrc)
    return w.bytes
}

func masterKey(_ profile: SRTPProfile, seed: UInt64 = 1) -> SRTPMasterKey {
    let random = RandomSource(seed: seed)
    return SRTPMasterKey(key: random.bytes(profile.keyLength), salt: random.bytes(profile.saltLength))
}

func contexts(_ profile: SRTPProfile) throws -> (sender: SRTPContext, receiver: SRTPContext) {
    let key = masterKey(profile)
    return (try SRTPContext(profile: profile, key: key, direction: .outbound), try SRTPContext(profile: profile, key: key, direction: .inbound))
}

@Suite struct SRTPContextTests {
    @Test(arguments: SRTPProfile.allCases)
    func roundTrip(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        let plain = rtp(sequence: 1)
        var packet = plain
        try sender.protectRTP(&packet)
        #expect(packet.count == plain.count + profile.rtpOverhead)
        #expect(packet.prefix(12) == plain.prefix(12))
        #expect(packet[12..<172] != plain[12..<172])
        try receiver.unprotectRTP(&packet)
        #expect(packet == plain)
        let report = rtcp()
        var control = report
        try sender.protectRTCP(&control)
        #expect(control.count == report.count + profile.rtcpOverhead)
        try receiver.unprotectRTCP(&control)
        #expect(control == report)
    }

    @Test(arguments: SRTPProfile.allCases)
    func inPlaceNeedsRoom(profile: SRTPProfile) throws {
        let (sender, _) = try contexts(profile)
        var buffer = rtp(sequence: 1) + Array(repeating: 0, count: profile.rtpOverhead)
        let length = 172
        let tooSmall = buffer.withUnsafeMutableBytes { b -> SRTPError? in
            do throws(SRTPError) {
                _ = try sender.protectRTP(UnsafeMutableRawBufferPointer(rebasing: b[..<(b.count - 1)]), length: length)
                return nil
            } catch { return error }
        }
        #expect(tooSmall == .bufferTooSmall)
        let count = try buffer.withUnsafeMutableBytes { try sender.protectRTP($0, length: length) }
        #expect(count == length + profile.rtpOverhead)
    }

    @Test(arguments: SRTPProfile.allCases)
    func row12ReplayWrongKeyAndTruncation(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        var packet = rtp(sequence: 1)
        try sender.protectRTP(&packet)
        var control = rtcp()
        try sender.protectRTCP(&control)
        let stranger = try SRTPContext(profile: profile, key: masterKey(profile, seed: 2), direction: .inbound)
        var copy = packet
        #expect(throws: SRTPError.authentication) { try stranger.unprotectRTP(&copy) }
        copy = control
        #expect(throws: SRTPError.authentication) { try stranger.unprotectRTCP(&copy) }
        #expect(stranger.streamCount == 0)
        #expect(stranger.rolloverCounter(ssrc: 0xCAFE_BABE) == nil)
        var accepted = 0
        for length in 0..<packet.count {
            copy = Array(packet.prefix(length))
            if (try? receiver.unprotectRTP(&copy)) != nil { accepted += 1 }
        }
        for length in 0..<control.count {
            copy = Array(control.prefix(length))
            if (try? receiver.unprotectRTCP(&copy)) != nil { accepted += 1 }
        }
        #expect(accepted == 0)
        copy = packet
        try receiver.unprotectRTP(&copy)
        copy = packet
        #expect(throws: SRTPError.replay) { try receiver.unprotectRTP(&copy) }
        copy = control
        try receiver.unprotectRTCP(&copy)
        copy = control
        #expect(throws: SRTPError.replay) { try receiver.unprotectRTCP(&copy) }
    }

    @Test func row12OlderThanTheWindow() throws {
        let (sender, receiver) = try contexts(.aeadAES128GCM)
        var first = rtp(sequence: 10)
        var second = rtp(sequence: 11)
        try sender.protectRTP(&first)
        try sender.protectRTP(&second)
        for sequence in UInt16(12)...1034 {
            var packet = rtp(sequence: sequence)
            try sender.protectRTP(&packet)
            try receiver.unprotectRTP(&packet)
        }
        #expect(throws: SRTPError.replayOld) { try receiver.unprotectRTP(&first) }
        try receiver.unprotectRTP(&second)
    }

    @Test func sendingTheSameNumberTwiceIsRefused() throws {
        let (sender, _) = try contexts(.aeadAES128GCM)
        var packet = rtp(sequence: 5)
        try sender.protectRTP(&packet)
        var again = rtp(sequence: 5)
        #expect(throws: SRTPError.replay) { try sender.protectRTP(&again) }
        #expect(again == rtp(sequence: 5))
    }

    /// 3 × 65536 packets, one in 50 lost, neighbours swapped: the roll-over counter follows.
    @Test(arguments: [SRTPProfile.aeadAES128GCM, .aesCM128Tag80])
    func row12RolloverWithLossAndReordering(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        let random = RandomSource(seed: 3)
        var held: [UInt8]?
        var failures = 0
        for index in 60_000..<(60_000 + 140_000) {
            var packet = rtp(sequence: UInt16(truncatingIfNeeded: index), payload: [1, 2, 3, 4])
            try sender.protectRTP(&packet)
            let dice = random.next() % 50
            if dice == 0 { continue }
            if dice == 1, held == nil {
                held = packet
                continue
            }
            if (try? receiver.unprotectRTP(&packet)) == nil { failures += 1 }
            if var late = held, dice == 2 {
                if (try? receiver.unprotectRTP(&late)) == nil { failures += 1 }
                held = nil
            }
        }
        #expect(failures == 0)
        #expect(receiver.rolloverCounter(ssrc: 0xCAFE_BABE) == 3)
    }

    @Test func streamsAreBounded() throws {
        let key = masterKey(.aeadAES128GCM)
        let receiver = try SRTPContext(profile: .aeadAES128GCM, key: key, direction: .inbound)
        let busy = try SRTPContext(profile: .aeadAES128GCM, key: key, direction: .outbound)
        func pass(_ sender: SRTPContext, _ ssrc: UInt32, _ sequence: UInt16) throws {
            var packet = rtp(sequence: sequence, ssrc: ssrc)
            try sender.protectRTP(&packet)
            try receiver.unprotectRTP(&packet)
        }
        for ssrc in UInt32(100)..<200 {
            try pass(try SRTPContext(profile: .aeadAES128GCM, key: key, direction: .outbound), ssrc, 1)
            try pass(busy, 1, UInt16(ssrc))
        }
        #expect(receiver.streamCount == SRTPContext.maximumStreams)
        // The busy one stayed, the silent ones were forgotten, by the library too.
        #expect(receiver.rolloverCounter(ssrc: 1) != nil)
        #expect(receiver.rolloverCounter(ssrc: 100) == nil)
        #expect(receiver.rolloverCounter(ssrc: 199) != nil)
    }

    @Test func sentStreamsAreNeverForgotten() throws {
        let (sender, receiver) = try contexts(.aesCM128Tag80)
        for ssrc in UInt32(1)...64 {
            var packet = rtp(sequence: 1, ssrc: ssrc)
            try sender.protectRTP(&packet)
        }
        var oneMore = rtp(sequence: 1, ssrc: 65)
        #expect(throws: SRTPError.tooManyStreams) { try sender.protectRTP(&oneMore) }
        var first = rtp(sequence: 2, ssrc: 1)
        try sender.protectRTP(&first)
        #expect(throws: SRTPError.wrongDirection) { try receiver.protectRTP(&first) }
    }

    @Test(arguments: SRTPProfile.allCases)
    func twoThousandMutations(profile: SRTPProfile) throws {
        let (sender, receiver) = try contexts(profile)
        let random = RandomSource(seed: 11)
        var accepted = 0
        for round in 0..<2000 {
            let control = round % 2 == 1
            let original = control ? rtcp() : rtp(sequence: UInt16(round), payload: random.bytes(round % 60))
            var packet = original
            if control { try sender.protectRTCP(&packet) } else { try sender.protectRTP(&packet) }
            let whole = packet
            switch random.next() % 3 {
            case 0: packet[Int(random.next() % UInt64(packet.count))] ^= UInt8(1 << (random.next() % 8))
            case 1: packet.removeLast(1 + Int(random.next() % UInt64(packet.count - 1)))
            default: for i in 0..<min(16, packet.count) where random.next() % 3 == 0 { packet[i] = UInt8(truncatingIfNeeded: random.next()) }
            }
            if packet == whole { continue }
            if control {
                if (try? receiver.unprotectRTCP(&packet)) != nil { accepted += 1 }
            } else {
                if (try? receiver.unprotectRTP(&packet)) != nil { accepted += 1 }
            }
        }
        #expect(accepted == 0)
        #expect(receiver.streamCount == 0)
        var good = rtp(sequence: 3000)
        try sender.protectRTP(&good)
        try receiver.unprotectRTP(&good)
        #expect(good == rtp(sequence: 3000))
    }

    @Test(
        arguments: [
            [], [0x80], Array(repeating: 0x80, count: 11), Array(repeating: 0x8F, count: 60), Array(repeating: 0x00, count: 60),
            [0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xBE, 0xDE, 0xFF, 0xFF] + Array(repeating: 0, count: 60),
        ] as [[UInt8]])
    func malformedHeaders(packet: [UInt8]) throws {
        let (sender, receiver) = try contexts(.aesCM128Tag80)
        var copy = packet
        #expect(throws: SRTPError.malformed) { try receiver.unprotectRTP(&copy) }
        copy = packet
        #expect(throws: SRTPError.malformed) { try sender.protectRTP(&copy) }
        #expect(copy == packet)
    }

    @Test func keysMustFit() {
        #expect(throws: SRTPError.badKeyLength) {
            _ = try SRTPContext(profile: .aeadAES256GCM, key: masterKey(.aeadAES128GCM), direction: .inbound)
        }
    }

    /// RFC 3711 appendix B.3 gives the session authentication key of this master key; the tag is HMAC-SHA1 over the packet and the ROC (§4.2).
    @Test func authenticationKeyOfRFC3711() throws {
        let master = SRTPMasterKey(
            key: try #require(bytes(hexadecimal: "E1F97A0D3E018BE0D64FA32C06DE4139")),
            salt: try #require(bytes(hexadecimal: "0EC675AD498AFEEBB6960B3AABE6")))
        let authentication = try #require(bytes(hexadecimal: "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
        let sender = try SRTPContext(profile: .aesCM128Tag80, key: master, direction: .outbound)
        var packet = rtp(sequence: 0x1234, payload: Array(repeating: 0xAB, count: 16))
        try sender.protectRTP(&packet)
        let tag = Digest.hmac(.sha1, key: authentication, packet.dropLast(10) + [0, 0, 0, 0]).prefix(10)
        #expect(Array(tag) == Array(packet.suffix(10)))
    }

    /// The whole way: keys from a handshake protect media in both directions.
    @Test func keysFromAHandshake() throws {
        let link = Link()
        link.start()
        link.run(until: at(1000))
        let client = try #require(link.client.association.negotiated?.keys)
        let server = try #require(link.server.association.negotiated?.keys)
        for (from, to) in [(client, server), (server, client)] {
            let sender = try SRTPContext(profile: from.profile, key: from.local, direction: .outbound)
            let receiver = try SRTPContext(profile: to.profile, key: to.remote, direction: .inbound)
            var packet = rtp(sequence: 7)
            try sender.protectRTP(&packet)
            try receiver.unprotectRTP(&packet)
            #expect(packet == rtp(sequence: 7))
        }
    }
}
