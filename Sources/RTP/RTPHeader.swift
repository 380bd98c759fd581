import Core

/// Why bytes are not an RTP packet.
public enum RTPParseError: Error, Equatable, Sendable {
    /// Shorter than the fixed header.
    case truncated
    case unsupportedVersion(UInt8)
    /// The contributing sources reach beyond the packet.
    case csrcTruncated
    /// The header extension reaches beyond the packet.
    case extensionTruncated
    /// The padding count is zero or larger than what follows the header.
    case invalidPadding
}

/// The header of an RTP packet and where its parts lie (RFC 3550 §5.1, §5.3.1). All ranges are byte offsets into the packet.
public struct RTPHeader: Equatable, Sendable {
    /// Bytes of a header without contributing sources and extension.
    public static let fixedLength = 12

    public var marker: Bool
    /// 0 to 127.
    public var payloadType: UInt8
    public var sequenceNumber: UInt16
    /// In units of the payload's clock, with a random start.
    public var timestamp: UInt32
    public var ssrc: UInt32

    /// Number of contributing sources, 0 to 15; they start at byte 12.
    public private(set) var csrcCount = 0
    /// The "defined by profile" field, 0xBEDE for one-byte elements (RFC 8285); nil without extension.
    public private(set) var extensionProfile: UInt16?
    /// The extension's data, without its 4-byte head; empty without extension.
    public private(set) var extensionRange = RTPHeader.fixedLength..<RTPHeader.fixedLength
    /// The payload without padding.
    public private(set) var payloadRange = RTPHeader.fixedLength..<RTPHeader.fixedLength
    /// Bytes of padding behind the payload, their count byte included.
    public private(set) var paddingLength = 0

    /// Bytes before the payload.
    public var headerLength: Int { payloadRange.lowerBound }
    public var payloadLength: Int { payloadRange.count }

    /// A header to send; the payload type is cut to 7 bits.
    public init(payloadType: UInt8, sequenceNumber: UInt16, timestamp: UInt32, ssrc: UInt32, marker: Bool = false) {
        self.payloadType = payloadType & 0x7F
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.marker = marker
    }

    /// Reads a received packet (after SRTP, since padding is encrypted). Does not allocate.
    public init(_ packet: RawSpan) throws(RTPParseError) {
        guard let first = packet.u8(at: 0), let second = packet.u8(at: 1), let sequence = packet.u16(at: 2),
            let timestamp = packet.u32(at: 4), let ssrc = packet.u32(at: 8)
        else { throw .truncated }
        guard first >> 6 == 2 else { throw .unsupportedVersion(first >> 6) }
        self.init(payloadType: second, sequenceNumber: sequence, timestamp: timestamp, ssrc: ssrc, marker: second & 0x80 != 0)

        csrcCount = Int(first & 0x0F)
        var end = Self.fixedLength + 4 * csrcCount
        guard end <= packet.byteCount else { throw .csrcTruncated }
        extensionRange = end..<end
        if first & 0x10 != 0 {
            guard let profile = packet.u16(at: end), let words = packet.u16(at: end + 2) else { throw .extensionTruncated }
            let start = end + 4
            end = start + 4 * Int(words)
            guard end <= packet.byteCount else { throw .extensionTruncated }
            extensionProfile = profile
            extensionRange = start..<end
        }
        if first & 0x20 != 0 {
            guard let count = packet.u8(at: packet.byteCount - 1), count > 0, Int(count) <= packet.byteCount - end else { throw .invalidPadding }
            paddingLength = Int(count)
        }
        payloadRange = end..<packet.byteCount - paddingLength
    }

    /// Reads a received packet; the name that reads well at a call.
    public static func parse(_ packet: RawSpan) throws(RTPParseError) -> RTPHeader { try RTPHeader(packet) }

    /// Writes the 12 bytes of a header without contributing sources, extension and padding.
    /// - Returns: 12, or nil when the buffer is smaller.
    @discardableResult
    public func write(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard buffer.count >= Self.fixedLength else { return nil }
        buffer.storeBytes(of: 0x80, toByteOffset: 0, as: UInt8.self)
        buffer.storeBytes(of: secondByte, toByteOffset: 1, as: UInt8.self)
        buffer.storeBytes(of: sequenceNumber.bigEndian, toByteOffset: 2, as: UInt16.self)
        buffer.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
        buffer.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
        return Self.fixedLength
    }

    /// Appends the same 12 bytes.
    public func write(to writer: inout ByteWriter) { write(to: &writer, firstByte: 0x80) }

    func write(to writer: inout ByteWriter, firstByte: UInt8) {
        writer.u8(firstByte)
        writer.u8(secondByte)
        writer.u16(sequenceNumber)
        writer.u32(timestamp)
        writer.u32(ssrc)
    }

    private var secondByte: UInt8 { (marker ? 0x80 : 0) | (payloadType & 0x7F) }
}
