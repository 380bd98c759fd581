/// The bytes of an IVF file with VP8 that is written frame by frame. The header changes with each frame: it is written again at offset 0.
public struct IVFWriter: Sendable {
    /// Units of the timestamps in a second.
    private static let rate: UInt32 = 90_000

    public private(set) var frameCount: UInt32 = 0
    /// Pixels, of the first key frame.
    private var width: UInt16 = 0
    private var height: UInt16 = 0
    private var last: (stamp: UInt32, time: UInt64)?

    public init() {}

    /// 32 bytes, as of now.
    public var header: [UInt8] {
        var out = Array("DKIF".utf8)
        Self.append(&out, 0, 2)
        Self.append(&out, 32, 2)
        out += "VP80".utf8
        Self.append(&out, UInt64(width), 2)
        Self.append(&out, UInt64(height), 2)
        Self.append(&out, UInt64(Self.rate), 4)
        Self.append(&out, 1, 4)
        Self.append(&out, UInt64(frameCount), 4)
        Self.append(&out, 0, 4)
        return out
    }

    /// One frame with its header.
    /// - Parameter timestamp: of RTP, 1/90,000 s; wraps are followed, and the first frame is at 0.
    public mutating func frame(_ bytes: [UInt8], timestamp: UInt32) -> [UInt8] {
        var time: UInt64 = 0
        if let last {
            let step = Int32(bitPattern: timestamp &- last.stamp)
            // A jump that cannot be is one frame.
            time = last.time &+ (step > 0 && step < 900_000 * 6 ? UInt64(step) : 3000)
        }
        last = (timestamp, time)
        if width == 0, bytes.count >= 10, bytes[0] & 1 == 0, bytes[3] == 0x9D, bytes[4] == 0x01, bytes[5] == 0x2A {
            width = (UInt16(bytes[6]) | UInt16(bytes[7]) << 8) & 0x3FFF
            height = (UInt16(bytes[8]) | UInt16(bytes[9]) << 8) & 0x3FFF
        }
        frameCount &+= 1
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 12)
        Self.append(&out, UInt64(bytes.count), 4)
        Self.append(&out, time, 8)
        return out + bytes
    }

    private static func append(_ out: inout [UInt8], _ number: UInt64, _ count: Int) {
        for index in 0..<count { out.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
    }
}
