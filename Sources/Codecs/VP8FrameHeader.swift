/// What the first bytes of a VP8 frame say (RFC 6386 §9.1).
public struct VP8FrameHeader: Sendable, Equatable {
    public var isKeyFrame: Bool
    /// Pixels, of key frames only.
    public var width: Int?
    public var height: Int?

    private static let startCode: [UInt8] = [0x9D, 0x01, 0x2A]

    /// Nil when the frame is too short, or a key frame without its start code.
    public init?(_ frame: some RandomAccessCollection<UInt8>) {
        guard frame.count >= 3, let first = frame.first else { return nil }
        isKeyFrame = first & 1 == 0
        guard isKeyFrame else { return }
        let head = Array(frame.prefix(10))
        guard head.count == 10, head[3..<6].elementsEqual(Self.startCode) else { return nil }
        // The upper two bits of each ask for scaling when shown, which is left alone.
        width = Int(head[6]) | Int(head[7] & 0x3F) << 8
        height = Int(head[8]) | Int(head[9] & 0x3F) << 8
    }
}
