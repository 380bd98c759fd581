import Core

/// Reports, source descriptions, goodbye and application packets (RFC 3550 §6.4–6.7).
extension RTCPCompound {
    mutating func senderReport(_ bytes: RawSpan, count: UInt8, body: Range<Int>) -> RTCPPacket? {
        let start = body.lowerBound
        guard body.count >= 24, let ssrc = bytes.u32(at: start), let ntp = bytes.u64(at: start + 4), let rtp = bytes.u32(at: start + 12),
            let packets = bytes.u32(at: start + 16), let octets = bytes.u32(at: start + 20)
        else { return nil }
        let info = SenderInfo(ntpTimestamp: ntp, rtpTimestamp: rtp, packetCount: packets, octetCount: octets)
        let blocks = reportBlocks(bytes, count: count, in: start + 24..<body.upperBound, type: RTCPType.senderReport)
        return .senderReport(ssrc: ssrc, info: info, blocks: blocks)
    }

    mutating func receiverReport(_ bytes: RawSpan, count: UInt8, body: Range<Int>) -> RTCPPacket? {
        guard body.count >= 4, let ssrc = bytes.u32(at: body.lowerBound) else { return nil }
        let blocks = reportBlocks(bytes, count: count, in: body.lowerBound + 4..<body.upperBound, type: RTCPType.receiverReport)
        return .receiverReport(ssrc: ssrc, blocks: blocks)
    }

    private mutating func reportBlocks(_ bytes: RawSpan, count: UInt8, in range: Range<Int>, type: UInt8) -> [ReportBlock] {
        var blocks: [ReportBlock] = []
        for index in 0..<Int(count) {
            let at = range.lowerBound + 24 * index
            guard at + 24 <= range.upperBound, let ssrc = bytes.u32(at: at), let loss = bytes.u32(at: at + 4), let highest = bytes.u32(at: at + 8),
                let jitter = bytes.u32(at: at + 12), let lsr = bytes.u32(at: at + 16), let dlsr = bytes.u32(at: at + 20)
            else {
                issues.append(.malformed(packetType: type))
                break
            }
            // The shift to the left and back carries the sign of 24 bits into 32.
            let lost = Int32(bitPattern: loss << 8) >> 8
            blocks.append(
                ReportBlock(
                    ssrc: ssrc, fractionLost: UInt8(truncatingIfNeeded: loss >> 24), cumulativeLost: lost, extendedHighestSequence: highest,
                    jitter: jitter, lastSenderReport: lsr, delaySinceLastSenderReport: dlsr))
        }
        return blocks
    }

    mutating func sourceDescription(_ bytes: RawSpan, count: UInt8, body: Range<Int>) -> RTCPPacket? {
        var chunks: [SourceDescription] = []
        var offset = body.lowerBound
        chunk: for _ in 0..<Int(count) {
            guard offset + 4 <= body.upperBound, let ssrc = bytes.u32(at: offset) else {
                issues.append(.malformed(packetType: RTCPType.sourceDescription))
                break
            }
            offset += 4
            var chunk = SourceDescription(ssrc: ssrc, items: [])
            while offset < body.upperBound, let type = bytes.u8(at: offset), type != 0 {
                guard let length = bytes.u8(at: offset + 1), offset + 2 + Int(length) <= body.upperBound,
                    let text = bytes.copy(at: offset + 2, count: Int(length))
                else {
                    issues.append(.malformed(packetType: RTCPType.sourceDescription))
                    chunks.append(chunk)
                    break chunk
                }
                if chunk.items.count < Self.maximumEntries { chunk.items.append(.init(type: type, text: String(decoding: text, as: UTF8.self))) }
                offset += 2 + Int(length)
            }
            // At least one zero ends the list, then zeros up to the next word of the packet.
            offset = body.lowerBound + (offset - body.lowerBound + 4) / 4 * 4
            chunks.append(chunk)
        }
        return count > 0 && chunks.isEmpty ? nil : .sourceDescription(chunks)
    }

    mutating func goodbye(_ bytes: RawSpan, count: UInt8, body: Range<Int>) -> RTCPPacket? {
        var ssrcs: [UInt32] = []
        for index in 0..<Int(count) {
            let at = body.lowerBound + 4 * index
            guard at + 4 <= body.upperBound, let ssrc = bytes.u32(at: at) else { return nil }
            ssrcs.append(ssrc)
        }
        let at = body.lowerBound + 4 * Int(count)
        guard at < body.upperBound, let length = bytes.u8(at: at) else { return .goodbye(ssrcs: ssrcs, reason: nil) }
        guard at + 1 + Int(length) <= body.upperBound, let text = bytes.copy(at: at + 1, count: Int(length)) else {
            issues.append(.malformed(packetType: RTCPType.goodbye))
            return .goodbye(ssrcs: ssrcs, reason: nil)
        }
        return .goodbye(ssrcs: ssrcs, reason: length == 0 ? nil : String(decoding: text, as: UTF8.self))
    }

    /// RFC 3611 §3: blocks that make no sense are left out.
    mutating func extendedReport(_ bytes: RawSpan, body: Range<Int>) -> RTCPPacket? {
        guard body.count >= 4, let ssrc = bytes.u32(at: body.lowerBound) else { return nil }
        let (blocks, isWhole) = XRBlock.blocks(bytes, in: body.lowerBound + 4..<body.upperBound)
        if !isWhole { issues.append(.malformed(packetType: RTCPType.extendedReport)) }
        return .extendedReport(ssrc: ssrc, blocks: blocks)
    }

    func application(_ bytes: RawSpan, subtype: UInt8, body: Range<Int>) -> RTCPPacket? {
        guard body.count >= 8, let ssrc = bytes.u32(at: body.lowerBound), let name = bytes.u32(at: body.lowerBound + 4),
            let data = bytes.copy(at: body.lowerBound + 8, count: body.count - 8)
        else { return nil }
        return .application(subtype: subtype, ssrc: ssrc, name: name, data: data)
    }
}
