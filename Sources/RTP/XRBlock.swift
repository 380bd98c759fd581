import Core

/// One entry of a DLRR block: an answer to a receiver reference time (RFC 3611 §4.5).
public struct ReferenceTimeReply: Equatable, Sendable {
    /// Who asked.
    public var ssrc: UInt32
    /// Middle 32 bits of the reference time that came last, 0 for none.
    public var lastReceiverReport: UInt32
    /// In 1/65536 s.
    public var delaySinceLastReceiverReport: UInt32

    public init(ssrc: UInt32, lastReceiverReport: UInt32, delaySinceLastReceiverReport: UInt32) {
        self.ssrc = ssrc
        self.lastReceiverReport = lastReceiverReport
        self.delaySinceLastReceiverReport = delaySinceLastReceiverReport
    }
}

/// One block of an extended report (RFC 3611 §4).
public enum XRBlock: Equatable, Sendable {
    /// NTP timestamp; lets one that sends no media measure the round trip (§4.4).
    case receiverReferenceTime(UInt64)
    /// DLRR (§4.5).
    case referenceTimeReplies([ReferenceTimeReply])
    case voipMetrics(VoIPMetrics)
    /// Any other type, opaque; the contents are a multiple of four bytes.
    case other(type: UInt8, typeSpecific: UInt8, contents: [UInt8])

    private enum BlockType {
        static let receiverReferenceTime: UInt8 = 4
        static let referenceTimeReplies: UInt8 = 5
        static let voipMetrics: UInt8 = 7
    }

    /// Blocks and entries kept of one packet.
    static let maximumBlocks = 32

    /// Reads the blocks in `range`; `isWhole` is false when one is cut off or has a wrong length, the others are kept.
    static func blocks(_ bytes: RawSpan, in range: Range<Int>) -> (blocks: [XRBlock], isWhole: Bool) {
        var blocks: [XRBlock] = []
        var isWhole = true
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard offset + 4 <= range.upperBound, let type = bytes.u8(at: offset), let specific = bytes.u8(at: offset + 1),
                let words = bytes.u16(at: offset + 2), blocks.count < maximumBlocks
            else { return (blocks, false) }
            let contents = offset + 4..<offset + 4 + 4 * Int(words)
            guard contents.upperBound <= range.upperBound else { return (blocks, false) }
            if let block = block(bytes, type: type, specific: specific, contents) { blocks.append(block) } else { isWhole = false }
            offset = contents.upperBound
        }
        return (blocks, isWhole)
    }

    private static func block(_ bytes: RawSpan, type: UInt8, specific: UInt8, _ contents: Range<Int>) -> XRBlock? {
        let start = contents.lowerBound
        switch type {
        case BlockType.receiverReferenceTime: return contents.count == 8 ? bytes.u64(at: start).map { .receiverReferenceTime($0) } : nil
        case BlockType.referenceTimeReplies:
            guard contents.count % 12 == 0 else { return nil }
            var replies: [ReferenceTimeReply] = []
            for at in stride(from: start, to: contents.upperBound, by: 12).prefix(maximumBlocks) {
                guard let ssrc = bytes.u32(at: at), let last = bytes.u32(at: at + 4), let delay = bytes.u32(at: at + 8) else { return nil }
                replies.append(ReferenceTimeReply(ssrc: ssrc, lastReceiverReport: last, delaySinceLastReceiverReport: delay))
            }
            return .referenceTimeReplies(replies)
        case BlockType.voipMetrics:
            return contents.count == VoIPMetrics.length ? VoIPMetrics(bytes, at: start).map { .voipMetrics($0) } : nil
        default:
            return bytes.copy(at: start, count: contents.count).map { .other(type: type, typeSpecific: specific, contents: $0) }
        }
    }

    func write(to writer: inout ByteWriter) {
        let start = writer.count
        switch self {
        case .receiverReferenceTime(let ntp):
            writer.blockHead(BlockType.receiverReferenceTime)
            writer.u64(ntp)
        case .referenceTimeReplies(let replies):
            writer.blockHead(BlockType.referenceTimeReplies)
            for reply in replies.prefix(Self.maximumBlocks) {
                writer.u32(reply.ssrc)
                writer.u32(reply.lastReceiverReport)
                writer.u32(reply.delaySinceLastReceiverReport)
            }
        case .voipMetrics(let metrics):
            writer.blockHead(BlockType.voipMetrics)
            metrics.write(to: &writer)
        case .other(let type, let specific, let contents):
            writer.blockHead(type, specific)
            writer.append(contents)
            writer.zeros((4 - contents.count % 4) % 4)
        }
        writer.setU16(UInt16(clamping: (writer.count - start) / 4 - 1), at: start + 2)
    }
}

extension ByteWriter {
    /// The length follows when the block is complete.
    fileprivate mutating func blockHead(_ type: UInt8, _ specific: UInt8 = 0) {
        u8(type)
        u8(specific)
        u16(0)
    }
}
