/// One outgoing stream's encoder, whatever the codec. Belongs to one thread; does not allocate after `init`.
public final class AudioEncoder {
    public let kind: AudioCodecKind
    private enum Coder {
        case opus(OpusEncoder)
        case g711(G711)
        case g722(G722Encoder)
    }
    private var coder: Coder

    public init(_ kind: AudioCodecKind, opus configuration: OpusEncoderConfiguration = .init()) throws(CodecError) {
        self.kind = kind
        switch kind {
        case .opus: coder = .opus(try OpusEncoder(configuration))
        case .pcmu: coder = .g711(.muLaw)
        case .pcma: coder = .g711(.aLaw)
        case .g722: coder = .g722(G722Encoder())
        }
        G711.prepare()
        G722Encoder.prepare()
    }

    /// One frame at the codec's sample rate. Returns the payload's bytes; 0 when the frame could not be encoded.
    public func encode(_ samples: UnsafeBufferPointer<Int16>, into payload: UnsafeMutableRawBufferPointer) -> Int {
        switch coder {
        case .opus(let encoder): return (try? encoder.encode(samples, into: payload)) ?? 0
        case .g711(let law): return payload.count < samples.count ? 0 : law.encode(samples, into: payload)
        case .g722(var encoder):
            guard payload.count >= samples.count / 2 else { return 0 }
            let count = encoder.encode(samples, into: payload)
            coder = .g722(encoder)
            return count
        }
    }

    /// Percent of packets that the receiver reports as lost; only Opus makes use of it.
    public func setExpectedLoss(percent: Int) {
        if case .opus(let encoder) = coder { encoder.setExpectedLoss(percent: percent) }
    }
}
