/// One stream's source with its own place in it. Made on the loop's side, used by the tick.
final class AudioInput: @unchecked Sendable {
    enum Kind {
        case device
        case silence
        case tone(ToneGenerator)
        case clip(AudioClip)
        case echo
        case peer(AudioStreamPort)
    }
    let kind: Kind
    private var position = 0

    var isEcho: Bool { if case .echo = kind { true } else { false } }
    /// The stream whose received audio this is.
    var peer: AudioStreamPort? { if case .peer(let port) = kind { port } else { nil } }
    var isDevice: Bool { if case .device = kind { true } else { false } }

    init(_ source: AudioSource) {
        switch source {
        case .device: kind = .device
        case .silence: kind = .silence
        case .tone(let hertz): kind = .tone(ToneGenerator(hertz: hertz))
        case .file(let clip): kind = clip.samples.isEmpty ? .silence : .clip(clip)
        case .echo: kind = .echo
        case .peer(let port): kind = .peer(port)
        }
    }

    /// The next 20 ms at 48 kHz. `capture` is empty when the stream has no device; `received` is this tick's received audio, of the peer where
    /// there is one.
    func fill(
        _ output: UnsafeMutableBufferPointer<Int16>, capture: UnsafeBufferPointer<Int16>, received: UnsafeBufferPointer<Int16>
    ) {
        switch kind {
        case .silence: output.update(repeating: 0)
        case .device: copy(capture, to: output)
        case .echo, .peer: copy(received, to: output)
        case .tone(let generator): generator.fill(output)
        case .clip(let clip):
            clip.samples.withUnsafeBufferPointer { samples in
                for i in output.indices {
                    output[i] = samples[position]
                    position = position + 1 == samples.count ? 0 : position + 1
                }
            }
        }
    }

    private func copy(_ source: UnsafeBufferPointer<Int16>, to output: UnsafeMutableBufferPointer<Int16>) {
        let n = min(source.count, output.count)
        for i in 0..<n { output[i] = source[i] }
        for i in n..<output.count { output[i] = 0 }
    }
}
