import Core

/// What was odd about a received compound. Nothing here stops the rest from being read.
public enum RTCPIssue: Equatable, Sendable {
    /// Fewer than four bytes left, or a length that reaches beyond the datagram; reading stops.
    case truncated
    case unsupportedVersion(UInt8)
    /// A padding count that is zero, no multiple of 4, or too large; the packet is skipped.
    case invalidPadding
    /// The packet's body is shorter than its counts say; what is there was kept when it makes sense.
    case malformed(packetType: UInt8)
    case unknownPacketType(UInt8)
    /// More packets than `RTCPCompound.maximumPackets`; the rest is not read.
    case tooManyPackets
    /// The first packet is no report: a reduced-size packet (RFC 5506).
    case reducedSize
}

/// A datagram of RTCP, read as far as it makes sense (RFC 3550 §6.1, A.2).
public struct RTCPCompound: Equatable, Sendable {
    public static let maximumPackets = 32
    /// Sequence numbers kept of one NACK, entries of one FIR, items of one SDES chunk.
    static let maximumLost = 512
    static let maximumEntries = 32

    public internal(set) var packets: [RTCPPacket] = []
    public internal(set) var issues: [RTCPIssue] = []

    /// Total: any bytes give a value.
    public init(_ bytes: RawSpan) {
        var offset = 0
        var count = 0
        if bytes.byteCount < 4 { issues.append(.truncated) }
        while bytes.byteCount - offset >= 4 {
            guard let first = bytes.u8(at: offset), let type = bytes.u8(at: offset + 1), let words = bytes.u16(at: offset + 2) else { break }
            guard first >> 6 == 2 else {
                issues.append(.unsupportedVersion(first >> 6))
                return
            }
            let length = 4 * (Int(words) + 1)
            guard length <= bytes.byteCount - offset else {
                issues.append(.truncated)
                return
            }
            guard count < Self.maximumPackets else {
                issues.append(.tooManyPackets)
                return
            }
            if count == 0, type != RTCPType.senderReport, type != RTCPType.receiverReport { issues.append(.reducedSize) }
            count += 1
            let start = offset
            offset += length
            var end = offset
            if first & 0x20 != 0 {
                let padding = Int(bytes.u8(at: end - 1) ?? 0)
                // Browsers fill transport-wide feedback up to a word with padding, whose count then is no multiple of 4.
                let isAligned = padding % 4 == 0 || type == RTCPType.transportFeedback
                guard padding > 0, isAligned, padding <= length - 4 else {
                    issues.append(.invalidPadding)
                    continue
                }
                end -= padding
            }
            read(bytes, type: type, count: first & 0x1F, body: start + 4..<end)
        }
        if offset > 0, offset != bytes.byteCount { issues.append(.truncated) }
    }

    private mutating func read(_ bytes: RawSpan, type: UInt8, count: UInt8, body: Range<Int>) {
        let packet: RTCPPacket?
        switch type {
        case RTCPType.senderReport: packet = senderReport(bytes, count: count, body: body)
        case RTCPType.receiverReport: packet = receiverReport(bytes, count: count, body: body)
        case RTCPType.sourceDescription: packet = sourceDescription(bytes, count: count, body: body)
        case RTCPType.goodbye: packet = goodbye(bytes, count: count, body: body)
        case RTCPType.application: packet = application(bytes, subtype: count, body: body)
        case RTCPType.transportFeedback, RTCPType.payloadFeedback: packet = Self.feedback(bytes, type: type, format: count, body: body)
        case RTCPType.extendedReport:
            packet = extendedReport(bytes, body: body)
        default:
            issues.append(.unknownPacketType(type))
            return
        }
        if let packet { packets.append(packet) } else { issues.append(.malformed(packetType: type)) }
    }
}
