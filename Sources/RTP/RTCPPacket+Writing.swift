import Core

/// Serialising (RFC 3550 §6.4–6.7, RFC 4585 §6.1). What exceeds a field is left out, never a trap.
extension RTCPPacket {
    /// The packets one behind the other: a compound.
    public static func bytes(of packets: [RTCPPacket]) -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        for packet in packets { packet.write(to: &writer) }
        return writer.bytes
    }

    public func write(to writer: inout ByteWriter) {
        let start = writer.count
        switch self {
        case .senderReport(let ssrc, let info, let blocks):
            writer.head(count: min(blocks.count, 31), type: RTCPType.senderReport)
            writer.u32(ssrc)
            writer.u64(info.ntpTimestamp)
            writer.u32(info.rtpTimestamp)
            writer.u32(info.packetCount)
            writer.u32(info.octetCount)
            for block in blocks.prefix(31) { writer.block(block) }
        case .receiverReport(let ssrc, let blocks):
            writer.head(count: min(blocks.count, 31), type: RTCPType.receiverReport)
            writer.u32(ssrc)
            for block in blocks.prefix(31) { writer.block(block) }
        case .sourceDescription(let chunks):
            writer.head(count: min(chunks.count, 31), type: RTCPType.sourceDescription)
            for chunk in chunks.prefix(31) { writer.chunk(chunk, packetStart: start) }
        case .goodbye(let ssrcs, let reason):
            writer.head(count: min(ssrcs.count, 31), type: RTCPType.goodbye)
            for ssrc in ssrcs.prefix(31) { writer.u32(ssrc) }
            if let reason, !reason.isEmpty {
                writer.shortText(reason)
                writer.align(from: start)
            }
        case .application(let subtype, let ssrc, let name, let data):
            writer.head(count: Int(subtype & 0x1F), type: RTCPType.application)
            writer.u32(ssrc)
            writer.u32(name)
            writer.append(data)
            writer.align(from: start)
        case .feedback(let sender, let media, let feedback):
            writer.head(count: feedback.format, type: feedback.packetType)
            writer.u32(sender)
            writer.u32(media)
            writer.information(feedback)
            writer.align(from: start)
        case .extendedReport(let ssrc, let blocks):
            writer.head(count: 0, type: RTCPType.extendedReport)
            writer.u32(ssrc)
            for block in blocks { block.write(to: &writer) }
        }
        writer.setU16(UInt16(clamping: (writer.count - start) / 4 - 1), at: start + 2)
    }
}

extension RTCPFeedback {
    /// Whom it is about stands in its entries, and the SSRC of the media source is 0 (RFC 5104 §4.3.1.2, draft-alvestrand-rmcat-remb-03 §2.2).
    var namesItsSources: Bool {
        switch self {
        case .fullIntraRequest, .maximumBitrate: true
        case .genericNACK, .transportWide, .pictureLossIndication, .other: false
        }
    }

    var packetType: UInt8 {
        switch self {
        case .genericNACK, .transportWide: RTCPType.transportFeedback
        case .pictureLossIndication, .fullIntraRequest, .maximumBitrate: RTCPType.payloadFeedback
        case .other(let packetType, _, _): packetType
        }
    }

    var format: Int {
        switch self {
        case .genericNACK, .pictureLossIndication: 1
        case .fullIntraRequest: 4
        case .transportWide, .maximumBitrate: 15
        case .other(_, let format, _): Int(format & 0x1F)
        }
    }
}

extension ByteWriter {
    /// The length follows when the packet is complete.
    fileprivate mutating func head(count: Int, type: UInt8) {
        u8(0x80 | UInt8(truncatingIfNeeded: count & 0x1F))
        u8(type)
        u16(0)
    }

    fileprivate mutating func align(from start: Int) { zeros((4 - (count - start) % 4) % 4) }

    fileprivate mutating func block(_ block: ReportBlock) {
        u32(block.ssrc)
        u8(block.fractionLost)
        u24(UInt32(bitPattern: min(max(block.cumulativeLost, -0x80_0000), 0x7F_FFFF)))
        u32(block.extendedHighestSequence)
        u32(block.jitter)
        u32(block.lastSenderReport)
        u32(block.delaySinceLastSenderReport)
    }

    fileprivate mutating func chunk(_ chunk: SourceDescription, packetStart: Int) {
        u32(chunk.ssrc)
        for item in chunk.items where item.type != 0 {
            u8(item.type)
            shortText(item.text)
        }
        u8(0)
        align(from: packetStart)
    }

    /// A length byte and at most 255 bytes of text, cut at a character.
    fileprivate mutating func shortText(_ text: String) {
        var used: [UInt8] = []
        for character in text {
            guard used.count + character.utf8.count <= 255 else { break }
            used.append(contentsOf: character.utf8)
        }
        u8(UInt8(clamping: used.count))
        append(used)
    }

    fileprivate mutating func information(_ feedback: RTCPFeedback) {
        switch feedback {
        case .genericNACK(let lost): nack(lost)
        case .transportWide(let feedback): feedback.write(to: &self)
        case .pictureLossIndication: break
        case .fullIntraRequest(let entries):
            for entry in entries {
                u32(entry.ssrc)
                u8(entry.sequenceNumber)
                u24(0)
            }
        case .maximumBitrate(let rate, let ssrcs):
            let exponent = max(0, 64 - rate.leadingZeroBitCount - 18)
            u32(0x5245_4D42)
            u8(UInt8(clamping: min(ssrcs.count, 255)))
            u24(UInt32(truncatingIfNeeded: exponent) << 18 | UInt32(truncatingIfNeeded: rate >> UInt64(exponent)))
            for ssrc in ssrcs.prefix(255) { u32(ssrc) }
        case .other(_, _, let bytes): append(bytes)
        }
    }

    /// Pairs of a first number and a mask of the 16 after it; the numbers come in rising order, modulo 2^16.
    private mutating func nack(_ lost: [UInt16]) {
        var index = 0
        while index < lost.count {
            let first = lost[index]
            var mask: UInt16 = 0
            index += 1
            while index < lost.count, (1...16).contains(lost[index] &- first) {
                mask |= 1 << (lost[index] &- first &- 1)
                index += 1
            }
            u16(first)
            u16(mask)
        }
    }
}
