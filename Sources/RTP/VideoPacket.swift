import Core

/// One received packet of a VP8 stream, taken out of its retransmission where it came in one: what is passed on to somebody else.
public struct VideoPacket: Sendable, Equatable {
    /// Of the stream, not of the retransmission.
    public var sequenceNumber: UInt16
    public var timestamp: UInt32
    public var ssrc: UInt32
    public var marker: Bool
    /// The payload descriptor (RFC 7741 §4.2) and the piece of the frame behind it.
    public var payload: [UInt8]
    public var isRetransmission: Bool

    public init(sequenceNumber: UInt16, timestamp: UInt32, ssrc: UInt32, marker: Bool, payload: [UInt8], isRetransmission: Bool = false) {
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.marker = marker
        self.payload = payload
        self.isRetransmission = isRetransmission
    }

    /// It begins a key frame.
    public var startsKeyFrame: Bool {
        payload.withUnsafeBytes { raw in
            guard let descriptor = try? VP8Descriptor(raw.bytes), descriptor.startsFrame else { return false }
            return VP8PayloadHeader(raw.bytes, at: descriptor.length)?.isKeyFrame == true
        }
    }
}
