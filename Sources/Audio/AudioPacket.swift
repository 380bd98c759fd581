import Codecs

/// What the audio thread needs of a received RTP packet's header (RFC 3550 §5.1).
public struct AudioPacketHeader: Sendable, Equatable {
    public var sequence: UInt16
    public var timestamp: UInt32
    public var ssrc: UInt32
    public var payloadType: UInt8
    public var marker: Bool

    public init(sequence: UInt16, timestamp: UInt32, ssrc: UInt32, payloadType: UInt8, marker: Bool = false) {
        self.sequence = sequence
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.payloadType = payloadType
        self.marker = marker
    }

    /// Bytes before the payload in the ring, in the machine's own order: both ends are this process.
    static let byteCount = 12

    func write(to slot: UnsafeMutableRawBufferPointer) {
        slot.storeBytes(of: timestamp, toByteOffset: 0, as: UInt32.self)
        slot.storeBytes(of: ssrc, toByteOffset: 4, as: UInt32.self)
        slot.storeBytes(of: sequence, toByteOffset: 8, as: UInt16.self)
        slot[10] = payloadType
        slot[11] = marker ? 1 : 0
    }

    init?(ring bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        timestamp = bytes.load(fromByteOffset: 0, as: UInt32.self)
        ssrc = bytes.load(fromByteOffset: 4, as: UInt32.self)
        sequence = bytes.load(fromByteOffset: 8, as: UInt16.self)
        payloadType = bytes[10]
        marker = bytes[11] != 0
    }
}

/// What the loop needs to make an RTP packet of an encoded frame.
public struct EncodedAudioHeader: Sendable, Equatable {
    /// In the codec's RTP clock, counted from 0 when the stream was attached, running on through pauses.
    /// The loop adds the stream's random offset.
    public var timestamp: UInt32
    /// The frame's length in the codec's RTP clock.
    public var duration: UInt16
    public var payloadType: UInt8
    public var codec: AudioCodecKind
    /// First packet after a pause (RFC 3551 §4.1).
    public var marker: Bool

    static let byteCount = 12

    func write(to slot: UnsafeMutableRawBufferPointer) {
        slot.storeBytes(of: timestamp, toByteOffset: 0, as: UInt32.self)
        slot.storeBytes(of: duration, toByteOffset: 4, as: UInt16.self)
        slot[6] = payloadType
        slot[7] = codec.rawValue
        slot[8] = marker ? 1 : 0
    }

    init(timestamp: UInt32, duration: UInt16, payloadType: UInt8, codec: AudioCodecKind, marker: Bool) {
        self.timestamp = timestamp
        self.duration = duration
        self.payloadType = payloadType
        self.codec = codec
        self.marker = marker
    }

    init?(ring bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        timestamp = bytes.load(fromByteOffset: 0, as: UInt32.self)
        duration = bytes.load(fromByteOffset: 4, as: UInt16.self)
        payloadType = bytes[6]
        guard let kind = AudioCodecKind(rawValue: bytes[7]) else { return nil }
        codec = kind
        marker = bytes[8] != 0
    }
}
