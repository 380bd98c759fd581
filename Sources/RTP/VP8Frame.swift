/// One VP8 frame, complete (RFC 6386).
public struct VP8Frame: Sendable, Equatable {
    public var bytes: [UInt8]
    /// Of its RTP packets: 1/90,000 s, with a random start.
    public var timestamp: UInt32
    public var isKeyFrame: Bool

    public init(bytes: [UInt8], timestamp: UInt32, isKeyFrame: Bool) {
        self.bytes = bytes
        self.timestamp = timestamp
        self.isKeyFrame = isKeyFrame
    }
}
