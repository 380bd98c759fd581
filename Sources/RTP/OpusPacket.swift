import Core

/// What an Opus packet says of itself without being decoded (RFC 6716 §3, RFC 7587).
public struct OpusPacket: Equatable, Sendable {
    public enum Mode: Sendable, Equatable {
        case silk
        case hybrid
        case celt
    }

    public var mode: Mode
    public var isStereo: Bool
    /// 1 to 48.
    public var frameCount: Int
    /// Samples of one frame at 48 kHz.
    public var samplesPerFrame: Int
    private let firstFrame: UInt8?

    /// Nil when the packet is empty, cut off, or longer than 120 ms.
    public init?(_ payload: RawSpan) {
        guard let toc = payload.u8(at: 0) else { return nil }
        let configuration = Int(toc >> 3)
        switch configuration {
        case 0..<12:
            mode = .silk
            samplesPerFrame = [480, 960, 1920, 2880][configuration & 3]
        case 12..<16:
            mode = .hybrid
            samplesPerFrame = [480, 960][configuration & 1]
        default:
            mode = .celt
            samplesPerFrame = [120, 240, 480, 960][configuration & 3]
        }
        isStereo = toc & 4 != 0
        var offset = 1
        switch toc & 3 {
        case 0: frameCount = 1
        case 1: frameCount = 2
        case 2:
            frameCount = 2
            guard let first = Self.frameLength(payload, &offset), first <= payload.byteCount - offset else { return nil }
            firstFrame = first > 0 ? payload.u8(at: offset) : nil
            return
        default:
            guard let head = payload.u8(at: 1) else { return nil }
            frameCount = Int(head & 0x3F)
            guard frameCount > 0, frameCount * samplesPerFrame <= 5760 else { return nil }
            offset = 2
            if head & 0x40 != 0 {
                // 255 means 254 bytes of padding and another count.
                while let count = payload.u8(at: offset) {
                    offset += 1
                    if count < 255 { break }
                }
            }
            if head & 0x80 != 0 {
                for index in 0..<frameCount - 1 {
                    guard let length = Self.frameLength(payload, &offset) else { return nil }
                    if index == 0, length == 0 {
                        firstFrame = nil
                        return
                    }
                }
            }
        }
        firstFrame = payload.u8(at: offset)
    }

    /// Samples of the whole packet at 48 kHz: what its timestamp advances by (RFC 7587 §4.2).
    public var sampleCountAt48k: Int { frameCount * samplesPerFrame }

    /// Samples at 48 kHz of `payload`, nil when it is no Opus packet.
    public static func sampleCount(at48k payload: RawSpan) -> Int? { OpusPacket(payload)?.sampleCountAt48k }

    /// Whether the first frame carries in-band redundancy of the packet before (SILK's LBRR flag, RFC 6716 §4.2.3).
    public var hasFEC: Bool {
        guard mode != .celt, let firstFrame else { return false }
        // One activity bit for each 20 ms, then the flag; for stereo the same again for the side channel.
        let silkFrames = max(1, samplesPerFrame / 960)
        if firstFrame >> (7 - silkFrames) & 1 == 1 { return true }
        return isStereo && firstFrame >> (6 - 2 * silkFrames) & 1 == 1
    }

    /// One or two bytes of length (RFC 6716 §3.2.1).
    private static func frameLength(_ payload: RawSpan, _ offset: inout Int) -> Int? {
        guard let first = payload.u8(at: offset) else { return nil }
        offset += 1
        if first < 252 { return Int(first) }
        guard let second = payload.u8(at: offset) else { return nil }
        offset += 1
        return 4 * Int(second) + Int(first)
    }
}
