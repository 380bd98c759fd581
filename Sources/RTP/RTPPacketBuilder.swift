import Core

/// Builds a whole RTP packet with contributing sources, extension and padding (RFC 3550 §5.1).
public struct RTPPacketBuilder: Sendable {
    public var header: RTPHeader
    /// At most 15 are written.
    public var contributingSources: [UInt32] = []
    /// Profile field and data; the data is filled up with zeros to a multiple of 4.
    public var headerExtension: (profile: UInt16, data: [UInt8])?
    /// Bytes of padding, 0 for none.
    public var padding: UInt8 = 0

    public init(header: RTPHeader) { self.header = header }

    public func packet(payload: some Collection<UInt8>) -> [UInt8] {
        let sources = contributingSources.prefix(15)
        var writer = ByteWriter(capacity: RTPHeader.fixedLength + 4 * sources.count + payload.count + Int(padding) + 32)
        var first = 0x80 | UInt8(truncatingIfNeeded: sources.count)
        if headerExtension != nil { first |= 0x10 }
        if padding > 0 { first |= 0x20 }
        header.write(to: &writer, firstByte: first)
        for source in sources { writer.u32(source) }
        if let headerExtension {
            let data = headerExtension.data.prefix(4 * 0xFFFF)
            let words = (data.count + 3) / 4
            writer.u16(headerExtension.profile)
            writer.u16(UInt16(truncatingIfNeeded: words))
            writer.append(data)
            writer.zeros(4 * words - data.count)
        }
        writer.append(payload)
        if padding > 0 {
            writer.zeros(Int(padding) - 1)
            writer.u8(padding)
        }
        return writer.bytes
    }
}
