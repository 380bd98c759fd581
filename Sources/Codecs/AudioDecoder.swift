/// One incoming payload type's decoder with its concealment. Belongs to one thread; does not allocate after `init`.
public final class AudioDecoder {
    public let kind: AudioCodecKind
    private enum Coder {
        case opus(OpusDecoder)
        case g711(G711, WaveformConcealment)
        case g722(G722Decoder, WaveformConcealment)
    }
    private var coder: Coder

    public init(_ kind: AudioCodecKind) throws(CodecError) {
        self.kind = kind
        switch kind {
        case .opus: coder = .opus(try OpusDecoder())
        case .pcmu: coder = .g711(.muLaw, WaveformConcealment(rate: kind.sampleRate))
        case .pcma: coder = .g711(.aLaw, WaveformConcealment(rate: kind.sampleRate))
        case .g722: coder = .g722(G722Decoder(), WaveformConcealment(rate: kind.sampleRate))
        }
        G711.prepare()
        G722Decoder.prepare()
    }

    /// Decodes one payload at the codec's sample rate. Returns the samples written; 0 when it cannot be decoded.
    public func decode(_ payload: UnsafeRawBufferPointer, into samples: UnsafeMutableBufferPointer<Int16>) -> Int {
        switch coder {
        case .opus(let decoder): return (try? decoder.decode(payload, into: samples)) ?? 0
        case .g711(let law, let concealment):
            let count = law.decode(payload, into: samples)
            concealment.accept(UnsafeMutableBufferPointer(rebasing: samples[..<count]))
            return count
        case .g722(var decoder, let concealment):
            let count = decoder.decode(payload, into: samples)
            coder = .g722(decoder, concealment)
            concealment.accept(UnsafeMutableBufferPointer(rebasing: samples[..<count]))
            return count
        }
    }

    /// The `count` samples before `payload`, from the copy inside it.
    public func decodeRedundancy(
        of payload: UnsafeRawBufferPointer, count: Int, into samples: UnsafeMutableBufferPointer<Int16>
    ) -> Int {
        guard case .opus(let decoder) = coder else { return conceal(count: count, into: samples) }
        let whole = max(120, count / 120 * 120)
        return (try? decoder.decodeRedundancy(of: payload, count: min(whole, samples.count / 120 * 120), into: samples)) ?? 0
    }

    /// `count` samples in place of a lost frame (Opus: rounded to 2.5 ms).
    public func conceal(count: Int, into samples: UnsafeMutableBufferPointer<Int16>) -> Int {
        switch coder {
        case .opus(let decoder):
            let whole = max(120, count / 120 * 120)
            return (try? decoder.conceal(count: min(whole, samples.count / 120 * 120), into: samples)) ?? 0
        case .g711(_, let concealment), .g722(_, let concealment):
            let part = UnsafeMutableBufferPointer(rebasing: samples[..<min(max(0, count), samples.count)])
            concealment.conceal(into: part)
            return part.count
        }
    }

    public func reset() {
        switch coder {
        case .opus(let decoder): decoder.reset()
        case .g711(_, let concealment): concealment.reset()
        case .g722(_, let concealment):
            concealment.reset()
            coder = .g722(G722Decoder(), concealment)
        }
    }
}
