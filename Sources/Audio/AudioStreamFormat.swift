import Codecs

/// What was negotiated for one audio stream (RFC 3264): payload types may differ per direction.
public struct AudioStreamFormat: Sendable, Equatable {
    public struct Send: Sendable, Equatable {
        public var codec: AudioCodecKind
        public var payloadType: UInt8
        public var opus: OpusEncoderConfiguration

        public init(codec: AudioCodecKind, payloadType: UInt8, opus: OpusEncoderConfiguration = .init()) {
            self.codec = codec
            self.payloadType = payloadType
            self.opus = opus
        }
    }

    /// Nil: nothing is encoded. Frames are 20 ms.
    public var send: Send?
    /// The payload types to accept. Others are counted and dropped.
    public var receive: [UInt8: AudioCodecKind]

    public init(send: Send?, receive: [UInt8: AudioCodecKind]) {
        self.send = send
        self.receive = receive
    }
}

/// Where the sent signal of one stream comes from.
public enum AudioSource: Sendable {
    /// The capture device, while the stream has the focus; else silence.
    case device
    /// Digital silence in real time: packets flow.
    case silence
    /// A sine at −12 dBFS, in hertz.
    case tone(Double)
    /// Samples at 48 kHz, looped without a gap.
    case file(AudioClip)
    /// What was received, after jitter buffer and decoder, encoded anew.
    case echo
    /// What another stream received in the same tick: two calls that are joined.
    case peer(AudioStreamPort)
}

/// Mono samples at 48 kHz that streams share.
public final class AudioClip: Sendable {
    public let samples: [Int16]

    public init(samples: [Int16]) { self.samples = samples }

    /// From any rate.
    public convenience init(samples: [Int16], rate: Int) {
        self.init(samples: rate == 48000 ? samples : Resampler.convert(samples, from: rate, to: 48000))
    }
}
