import Core
import RTP
import Testing

/// Bytes of a vector; a wrong vector gives none and fails its test.
func hex(_ text: String) -> [UInt8] { bytes(hexadecimal: text) ?? [] }

@Suite struct RTPHeaderTests {
    @Test func plain() throws {
        let packet = hex("80 e0 12 34 00 00 03 e8 de ad be ef 01 02 03")
        let header = try RTPHeader(packet.span.bytes)
        var expected = RTPHeader(payloadType: 96, sequenceNumber: 0x1234, timestamp: 1000, ssrc: 0xDEAD_BEEF, marker: true)
        #expect(header.marker && header.payloadType == 96 && header.sequenceNumber == 0x1234)
        #expect(header.timestamp == 1000 && header.ssrc == 0xDEAD_BEEF)
        #expect(header.payloadRange == 12..<15 && header.headerLength == 12 && header.extensionProfile == nil)
        expected.marker = false
        #expect(expected.payloadRange == 12..<12)
    }

    /// Two contributing sources, a one-byte extension with two elements, four bytes of padding.
    @Test func everything() throws {
        let packet = hex("b2 08 00 01 00 00 00 a0 00 00 00 07  00 00 00 01 00 00 00 02  be de 00 02 10 aa 00 31 bb cc 00 00  55 66 77 00 00 00 04")
        let header = try RTPHeader(packet.span.bytes)
        #expect(header.csrcCount == 2)
        #expect(header.extensionProfile == 0xBEDE && header.extensionRange == 24..<32)
        #expect(header.payloadRange == 32..<35 && header.paddingLength == 4)
        #expect(header.extensionElement(1, in: packet.span.bytes) == 25..<26)
        #expect(header.extensionElement(3, in: packet.span.bytes) == 28..<30)
        #expect(header.extensionElement(2, in: packet.span.bytes) == nil)
    }

    @Test func twoByteExtension() throws {
        let packet = hex("90 00 00 01 00 00 00 00 00 00 00 07 10 00 00 02 05 00 07 02 11 22 00 00")
        let header = try RTPHeader(packet.span.bytes)
        #expect(header.extensionElement(5, in: packet.span.bytes) == 18..<18)
        #expect(header.extensionElement(7, in: packet.span.bytes) == 20..<22)
        #expect(header.payloadLength == 0)
    }

    static let wrong: [(String, RTPParseError)] = [
        ("80 00 00 01 00 00 00 00 00 00 00", .truncated),
        ("", .truncated),
        ("40 00 00 01 00 00 00 00 00 00 00 07", .unsupportedVersion(1)),
        ("82 00 00 01 00 00 00 00 00 00 00 07 00 00 00 01", .csrcTruncated),
        ("90 00 00 01 00 00 00 00 00 00 00 07 be de 00", .extensionTruncated),
        ("90 00 00 01 00 00 00 00 00 00 00 07 be de 00 01 10 aa 00", .extensionTruncated),
        ("a0 00 00 01 00 00 00 00 00 00 00 07 11 22 00", .invalidPadding),
        ("a0 00 00 01 00 00 00 00 00 00 00 07 11 22 04", .invalidPadding),
        ("a0 00 00 01 00 00 00 00 00 00 00 07", .invalidPadding),
    ]

    @Test(arguments: wrong) func refused(vector: String, error: RTPParseError) {
        #expect(throws: error) { try RTPHeader(hex(vector).span.bytes) }
    }

    @Test func writesAndReadsBack() throws {
        let header = RTPHeader(payloadType: 0xFF, sequenceNumber: 65535, timestamp: .max, ssrc: 1, marker: true)
        var writer = ByteWriter()
        header.write(to: &writer)
        #expect(writer.bytes == hex("80 ff ff ff ff ff ff ff 00 00 00 01"))
        var memory = [UInt8](repeating: 0, count: 12)
        let written = memory.withUnsafeMutableBytes { header.write(into: $0) }
        #expect(written == 12 && memory == writer.bytes)
        var small = [UInt8](repeating: 9, count: 11)
        #expect(small.withUnsafeMutableBytes { header.write(into: $0) } == nil)
        #expect(small == [UInt8](repeating: 9, count: 11))
        #expect(try RTPHeader(memory.span.bytes) == header)
    }

    @Test func builderRoundTrip() throws {
        var builder = RTPPacketBuilder(header: RTPHeader(payloadType: 8, sequenceNumber: 5, timestamp: 6, ssrc: 7))
        builder.contributingSources = [1, 2, 3]
        builder.headerExtension = (0xBEDE, [0x10, 0xAA, 0x20, 0xBB, 0x30])
        builder.padding = 8
        let packet = builder.packet(payload: [1, 2, 3])
        let header = try RTPHeader(packet.span.bytes)
        #expect(header.csrcCount == 3 && header.paddingLength == 8 && header.extensionRange == 28..<36)
        #expect(Array(packet[header.payloadRange]) == [1, 2, 3])
        #expect(packet.count == 36 + 3 + 8)
    }
}

@Suite struct SequenceTests {
    @Test func wrapsAndReorders() {
        var unwrapper = SequenceUnwrapper()
        let extended = [65534, 65535, 1, 0, 2, 65535].map { unwrapper.unwrap(UInt16($0)) }
        #expect(extended == [65534, 65535, 65537, 65536, 65538, 65535])
        #expect(unwrapper.rollOverCount == 1)
        var early = SequenceUnwrapper()
        #expect([0, 65535, 1].map { early.unwrap(UInt16($0)) } == [0, -1, 1])
    }

    @Test func fullCircles() {
        var unwrapper = SequenceUnwrapper()
        var wrong = 0
        for n in 0..<Int64(300_000) where unwrapper.unwrap(UInt16(truncatingIfNeeded: n)) != n { wrong += 1 }
        #expect(wrong == 0)
        #expect(unwrapper.rollOverCount == 299_999 >> 16)
    }

    @Test func timestamps() {
        var unwrapper = TimestampUnwrapper()
        let extended = [UInt32.max - 79, 80, UInt32.max - 79, 240].map { unwrapper.unwrap($0) }
        #expect(extended == [0xFFFF_FFB0, 0x1_0000_0050, 0xFFFF_FFB0, 0x1_0000_00F0])
        #expect(UInt16(0).isNewerSequence(than: 65535) && !UInt16(65535).isNewerSequence(than: 0))
        #expect(UInt32(0).isNewerTimestamp(than: .max) && !UInt32(7).isNewerTimestamp(than: 7))
    }
}

@Suite struct NTPClockTests {
    @Test func mapsBothDirections() {
        // 2026-01-01T00:00:00.5Z
        let clock = NTPClock(unixNanoseconds: 1_767_225_600_500_000_000, at: Instant(nanoseconds: 10_000_000_000))
        let base = clock.timestamp(at: Instant(nanoseconds: 10_000_000_000))
        #expect(base >> 32 == (1_767_225_600 + 2_208_988_800) & 0xFFFF_FFFF && base & 0xFFFF_FFFF == 0x8000_0000)
        #expect(clock.timestamp(at: Instant(nanoseconds: 12_250_000_000)) &- base == 0x2_4000_0000)
        #expect(base &- clock.timestamp(at: Instant(nanoseconds: 8_500_000_000)) == 0x1_8000_0000)
        #expect(NTPClock.shortFormat(.milliseconds(1500)) == 0x1_8000 && NTPClock.shortFormat(.milliseconds(-5)) == 0)
        #expect(NTPClock.shortFormat(.seconds(100_000)) == .max)
    }
}
