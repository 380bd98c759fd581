/// What can be read from an Opus packet without decoding it (RFC 6716 §3).
public enum OpusPacket {
    /// Samples at 48 kHz of one frame, from the TOC byte (table 2).
    static func frameSamples(toc: UInt8) -> Int {
        let configuration = Int(toc >> 3)
        switch configuration {
        case 0..<12: return [480, 960, 1920, 2880][configuration & 3]
        case 12..<16: return configuration & 1 == 0 ? 480 : 960
        default: return 120 << (configuration & 3)
        }
    }

    /// Samples at 48 kHz of the whole packet; nil when malformed or over 120 ms.
    public static func samples(in packet: UnsafeRawBufferPointer) -> Int? {
        guard packet.count >= 1 else { return nil }
        let frames: Int
        switch packet[0] & 3 {
        case 0: frames = 1
        case 1, 2: frames = 2
        default:
            guard packet.count >= 2 else { return nil }
            frames = Int(packet[1] & 63)
        }
        let total = frames * frameSamples(toc: packet[0])
        return frames > 0 && total <= 5760 ? total : nil
    }

    /// Whether the first frame carries a low bit-rate copy of the frame before it (LBRR flag, §4.2.3 and §4.2.4).
    ///
    /// The flag bits open the SILK layer and have even probability, so that they stand in the frame's first byte as they are.
    public static func carriesRedundancy(_ packet: UnsafeRawBufferPointer) -> Bool {
        guard packet.count >= 3 else { return false }
        let toc = packet[0]
        guard toc >> 3 < 16 else { return false }
        let start: Int
        switch toc & 3 {
        case 0, 1: start = 1
        case 2: start = packet[1] < 252 ? 2 : 3
        default: return false
        }
        guard start < packet.count else { return false }
        let silkFrames = max(1, frameSamples(toc: toc) / 960)
        let flags = packet[start]
        if flags >> UInt8(7 - silkFrames) & 1 == 1 { return true }
        let stereo = toc & 4 != 0
        return stereo && silkFrames < 3 && flags >> UInt8(6 - 2 * silkFrames) & 1 == 1
    }
}
