/// Sines with continuous phase at 48 kHz, −12 dBFS together. Belongs to one thread; does not allocate after `init`.
public final class ToneGenerator {
    /// −12 dBFS.
    static let amplitude = 32767 * 0.251188643150958

    private struct Step {
        var increments = InlineArray<4, Double>(repeating: 0)
        var count = 0
        /// Samples, or 0 without end.
        var length = 0
    }
    private let steps: [Step]
    private var phases = InlineArray<4, Double>(repeating: 0)
    private var step = 0
    private var elapsed = 0
    /// 5 ms, in samples: how long a step fades in and out.
    private static let ramp = 240

    /// One sine without end.
    public init(hertz: Double) {
        var step = Step()
        step.increments[0] = max(0, min(24000, hertz)) / 48000
        step.count = 1
        steps = [step]
    }

    public init(_ pattern: TonePattern) {
        steps = pattern.steps.map {
            var step = Step()
            for frequency in $0.frequencies.prefix(4) {
                step.increments[step.count] = frequency / 48000
                step.count += 1
            }
            step.length = max(480, $0.milliseconds * 48)
            return step
        }
    }

    /// Overwrites `output` with the next samples.
    public func fill(_ output: UnsafeMutableBufferPointer<Int16>) {
        guard !steps.isEmpty else { return output.update(repeating: 0) }
        for i in output.indices {
            let current = steps[step]
            var sum = 0.0
            for k in 0..<current.count {
                sum += Sine.ofTurns(phases[k])
                phases[k] += current.increments[k]
                if phases[k] >= 1 { phases[k] -= 1 }
            }
            var gain = current.count > 0 ? Self.amplitude / Double(current.count) : 0
            if current.length > 0 {
                let edge = min(elapsed, current.length - elapsed)
                if edge < Self.ramp { gain *= Double(edge) / Double(Self.ramp) }
                elapsed += 1
                if elapsed >= current.length {
                    elapsed = 0
                    step = step + 1 == steps.count ? 0 : step + 1
                    phases = .init(repeating: 0)
                }
            }
            output[i] = Int16(max(-32768, min(32767, (sum * gain).rounded())))
        }
    }
}
