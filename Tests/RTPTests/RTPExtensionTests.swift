import Core
import RTP
import Testing

@Suite struct RTPExtensionTests {
    static func session(_ map: RTPExtensionMap, mid: String? = "0", seed: UInt64 = 1, ssrc: UInt32? = nil) -> RTPSession {
        let configuration = RTPSession.Configuration(
            cname: "x", ssrc: ssrc, isAVPF: true, clockRates: [0: 8000], extensions: map, mid: mid)
        return RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: NTPClock(timestamp: 0, at: .zero))
    }

    static func header(of session: inout RTPSession, level: RTPAudioLevel? = nil, at now: Instant = .zero) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: RTPSession.maximumHeaderLength)
        let length = bytes.withUnsafeMutableBytes {
            session.writeHeader(payloadType: 0, payloadLength: 160, timestamp: 0, audioLevel: level, into: $0, at: now)
        }
        return Array(bytes.prefix(length ?? 0))
    }

    @Test func blockOnTheWire() throws {
        var session = Self.session(RTPExtensionMap(mid: 1, transportSequence: 3, audioLevel: 14), mid: "ab")
        let first = Self.header(of: &session, level: RTPAudioLevel(level: 200, isVoice: true))
        let second = Self.header(of: &session)
        let number = UInt16(first[17]) << 8 | UInt16(first[18])
        #expect(first[0] == 0x90 && first.count == 24)
        #expect(Array(first[12...]) == hex("bede 0002 31") + first[17...18] + hex("e0 ff 11 6162"))
        let header = try RTPHeader(second.span.bytes)
        let found = header.extensionElement(3, in: second.span.bytes)
        let place = try #require(found)
        #expect(second.span.bytes.u16(at: place.lowerBound) == number &+ 1)
        #expect(header.extensionElement(14, in: second.span.bytes) == nil && header.headerLength == second.count)
    }

    @Test func nothingWithoutNegotiation() {
        var session = Self.session(RTPExtensionMap())
        let level = RTPAudioLevel(level: 1, isVoice: true)
        #expect(Self.header(of: &session, level: level).count == 12)
        // A level is negotiated but not known: no empty block.
        session.setExtensions(RTPExtensionMap(audioLevel: 2))
        #expect(Self.header(of: &session).count == 12 && Self.header(of: &session, level: level).count == 20)
        var small = [UInt8](repeating: 0, count: 20)
        let none = small.withUnsafeMutableBytes { session.writeHeader(payloadType: 0, payloadLength: 1, timestamp: 0, into: $0, at: .zero) }
        #expect(none == nil && session.statistics.outbound.packetsSent == 3)
    }

    /// Identifiers above 14 and tags longer than 16 bytes need the two-byte form.
    @Test(arguments: [(UInt8(20), "0"), (1, "a-tag-of-twenty-byte")]) func twoByteForm(id: UInt8, mid: String) throws {
        var session = Self.session(RTPExtensionMap(mid: id, transportSequence: 2), mid: mid)
        let bytes = Self.header(of: &session)
        let header = try RTPHeader(bytes.span.bytes)
        #expect(header.extensionProfile == 0x1000 && bytes.count % 4 == 0)
        let found = header.extensionElement(id, in: bytes.span.bytes)
        let place = try #require(found)
        #expect(Array(bytes[place]) == Array(mid.utf8) && header.extensionElement(2, in: bytes.span.bytes)?.count == 2)
        var other = Self.session(RTPExtensionMap(mid: id), mid: nil, seed: 2)
        #expect(other.receiveRTP(header, in: bytes.span.bytes, at: .zero).isPlayable)
        #expect(other.mid(of: session.ssrc) == mid)
    }

    @Test func tagIsWrittenUntilAcknowledged() {
        let map = RTPExtensionMap(mid: 4)
        var session = Self.session(map, mid: "audio", ssrc: 9)
        #expect(Self.header(of: &session).count == 24 && Self.header(of: &session).count == 24)
        func report(on ssrc: UInt32) -> [UInt8] {
            RTCPPacket.bytes(of: [
                .receiverReport(
                    ssrc: 5, blocks: [ReportBlock(ssrc: ssrc, fractionLost: 0, cumulativeLost: 0, extendedHighestSequence: 1, jitter: 0)])
            ])
        }
        session.receiveRTCP(report(on: 77).span.bytes, at: ms(1))
        #expect(Self.header(of: &session).count == 24)
        session.receiveRTCP(report(on: 9).span.bytes, at: ms(2))
        #expect(Self.header(of: &session).count == 12)
        // Another SSRC is not known to the far end.
        let collision = RTPHeader(payloadType: 0, sequenceNumber: 1, timestamp: 0, ssrc: 9)
        #expect(session.receiveRTP(collision, payloadLength: 1, at: ms(3)) == .collision)
        #expect(Self.header(of: &session).count == 24)
        session.receiveRTCP(report(on: session.ssrc).span.bytes, at: ms(4))
        #expect(Self.header(of: &session).count == 12)
        session.setMID("video")
        #expect(Self.header(of: &session).count == 24)
    }

    @Test func tagInSourceDescription() {
        var pair = MediaPair(Self.session(RTPExtensionMap(mid: 4), mid: "m1"), makeSession("b", seed: 2))
        pair.run(for: .seconds(2))
        #expect(pair.b.mid(of: pair.a.ssrc) == "m1" && pair.a.mid(of: pair.b.ssrc) == nil)
        // b did not negotiate the extension: it knows by SDES. And a tag that was not agreed on is not sent.
        var plain = MediaPair(Self.session(RTPExtensionMap(), mid: "m1"), makeSession("b", seed: 2))
        plain.run(for: .seconds(2))
        #expect(plain.b.mid(of: plain.a.ssrc) == nil && plain.b.cname(of: plain.a.ssrc) == "x")
    }

    @Test func audioLevelIsRead() {
        var a = Self.session(RTPExtensionMap(audioLevel: 6))
        var b = Self.session(RTPExtensionMap(audioLevel: 6), seed: 2)
        #expect(b.remoteAudioLevel == nil)
        let bytes = Self.header(of: &a, level: RTPAudioLevel(level: 33, isVoice: false))
        if let header = try? RTPHeader(bytes.span.bytes) { _ = b.receiveRTP(header, in: bytes.span.bytes, at: .zero) }
        #expect(b.remoteAudioLevel == RTPAudioLevel(level: 33, isVoice: false))
    }

    @Test func mapOfLines() {
        let map = RTPExtensionMap([
            (id: 3, uri: RTPExtensionMap.midURI), (id: 4, uri: "urn:other"), (id: 15, uri: RTPExtensionMap.audioLevelURI),
            (id: 4096, uri: RTPExtensionMap.transportSequenceURI), (id: 7, uri: RTPExtensionMap.transportSequenceURI),
        ])
        #expect(map == RTPExtensionMap(mid: 3, transportSequence: 7))
    }
}
