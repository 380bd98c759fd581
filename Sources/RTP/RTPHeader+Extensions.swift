import Core

/// Elements of a header extension (RFC 8285 §4.2, §4.3).
extension RTPHeader {
    /// Where the data of element `id` lies in `packet`, for the one-byte (0xBEDE) and two-byte (0x100x) forms; nil when it is absent or cut off.
    public func extensionElement(_ id: UInt8, in packet: RawSpan) -> Range<Int>? {
        guard let profile = extensionProfile, extensionRange.upperBound <= packet.byteCount, id != 0 else { return nil }
        let isOneByte = profile == 0xBEDE
        guard isOneByte || profile & 0xFFF0 == 0x1000 else { return nil }
        var offset = extensionRange.lowerBound
        while offset < extensionRange.upperBound, let head = packet.u8(at: offset) {
            if head == 0 {
                offset += 1
                continue
            }
            let found: UInt8
            let start: Int
            let length: Int
            if isOneByte {
                found = head >> 4
                // 15 ends the list; what follows has no meaning.
                if found == 15 { return nil }
                start = offset + 1
                length = Int(head & 0x0F) + 1
            } else {
                guard let count = packet.u8(at: offset + 1) else { return nil }
                found = head
                start = offset + 2
                length = Int(count)
            }
            guard start + length <= extensionRange.upperBound else { return nil }
            if found == id { return start..<start + length }
            offset = start + length
        }
        return nil
    }
}
