import Codecs

/// Receiver figures of one stream, named after W3C webrtc-stats (RTCInboundRtpStreamStats) where it has a name.
public struct AudioStreamStatistics: Sendable, Equatable {
    /// Samples in the codec's rate that were put out in place of lost or late ones.
    public var concealedSamples: UInt64 = 0
    /// All samples put out since the first packet, in the codec's rate, the concealed ones included.
    public var totalSamplesReceived: UInt64 = 0
    /// Mean of the last second, milliseconds; nil before the first packet.
    public var jitterBufferDelayMs: Double?
    /// What the jitter buffer aims at, milliseconds.
    public var jitterBufferTargetDelayMs: Double = 0
    /// Packets that came after their time of play.
    public var latePackets: UInt64 = 0
    /// Packets thrown away: duplicates, full buffer, unknown payload type, undecodable.
    public var discardedPackets: UInt64 = 0
    /// Frames restored from the copy in the packet after them.
    public var redundancyFrames: UInt64 = 0
    /// RMS of the last second of received audio, dBov (−127…0).
    public var receivedLevelDbov: Double = -127
    /// RMS of the last second of sent audio, dBov (−127…0).
    public var sentLevelDbov: Double = -127
    /// The codec of the last decoded packet.
    public var receiveCodec: AudioCodecKind?

    public init() {}
}
