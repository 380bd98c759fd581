import Core

/// Transport and payload-specific feedback (RFC 4585 §6.2, §6.3; RFC 5104 §4.3.1).
extension RTCPCompound {
    static func feedback(_ bytes: RawSpan, type: UInt8, format: UInt8, body: Range<Int>) -> RTCPPacket? {
        guard body.count >= 8, let sender = bytes.u32(at: body.lowerBound), let media = bytes.u32(at: body.lowerBound + 4) else { return nil }
        let information = body.lowerBound + 8..<body.upperBound
        let feedback: RTCPFeedback?
        switch (type, format) {
        case (RTCPType.transportFeedback, 1): feedback = genericNACK(bytes, in: information)
        case (RTCPType.transportFeedback, 15): feedback = TransportWideFeedback(bytes, in: information).map { .transportWide($0) }
        case (RTCPType.payloadFeedback, 1): feedback = .pictureLossIndication
        case (RTCPType.payloadFeedback, 4): feedback = fullIntraRequest(bytes, in: information)
        case (RTCPType.payloadFeedback, 15): feedback = maximumBitrate(bytes, in: information) ?? opaque(bytes, type, format, information)
        default: feedback = opaque(bytes, type, format, information)
        }
        return feedback.map { .feedback(sender: sender, media: media, $0) }
    }

    private static func opaque(_ bytes: RawSpan, _ type: UInt8, _ format: UInt8, _ range: Range<Int>) -> RTCPFeedback {
        .other(packetType: type, format: format, information: bytes.copy(at: range.lowerBound, count: range.count) ?? [])
    }

    private static func genericNACK(_ bytes: RawSpan, in range: Range<Int>) -> RTCPFeedback? {
        var lost: [UInt16] = []
        var offset = range.lowerBound
        while offset + 4 <= range.upperBound, lost.count < maximumLost, let first = bytes.u16(at: offset), let mask = bytes.u16(at: offset + 2) {
            lost.append(first)
            for bit in 0..<UInt16(16) where mask >> bit & 1 == 1 { lost.append(first &+ bit &+ 1) }
            offset += 4
        }
        return lost.isEmpty ? nil : .genericNACK(Array(lost.prefix(maximumLost)))
    }

    private static func fullIntraRequest(_ bytes: RawSpan, in range: Range<Int>) -> RTCPFeedback? {
        var entries: [FullIntraRequest] = []
        var offset = range.lowerBound
        while offset + 8 <= range.upperBound, entries.count < maximumEntries, let ssrc = bytes.u32(at: offset),
            let number = bytes.u8(at: offset + 4)
        {
            entries.append(FullIntraRequest(ssrc: ssrc, sequenceNumber: number))
            offset += 8
        }
        return entries.isEmpty ? nil : .fullIntraRequest(entries)
    }

    /// "REMB", a count, 6 bits of exponent and 18 of mantissa, then the sources.
    private static func maximumBitrate(_ bytes: RawSpan, in range: Range<Int>) -> RTCPFeedback? {
        guard range.count >= 8, bytes.u32(at: range.lowerBound) == 0x5245_4D42, let word = bytes.u32(at: range.lowerBound + 4) else { return nil }
        let exponent = UInt64(word >> 18 & 0x3F)
        let mantissa = UInt64(word & 0x3FFFF)
        // Beyond 64 bits the rate is no limit at all.
        let rate = mantissa == 0 ? 0 : exponent > UInt64(mantissa.leadingZeroBitCount) ? UInt64.max : mantissa << exponent
        var ssrcs: [UInt32] = []
        var offset = range.lowerBound + 8
        for _ in 0..<min(Int(word >> 24), maximumEntries) {
            guard offset + 4 <= range.upperBound, let ssrc = bytes.u32(at: offset) else { break }
            ssrcs.append(ssrc)
            offset += 4
        }
        return .maximumBitrate(rate, ssrcs: ssrcs)
    }
}
