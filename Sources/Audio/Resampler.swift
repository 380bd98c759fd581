/// Changes the sample rate by a rational factor: windowed-sinc filter, one phase per output position.
///
/// Belongs to one thread; `process` does not allocate. Delay: 20 samples of the lower rate.
public final class Resampler {
    public let inputRate: Int
    public let outputRate: Int
    private let up: Int
    private let down: Int
    /// One output is `down / up` inputs further than the last one.
    private let wholeStep: Int
    private let restStep: Int
    private let taps: Int
    private let coefficients: UnsafeMutablePointer<Float>
    private let memory: UnsafeMutablePointer<Float>
    private let capacity: Int
    /// Samples in `memory`; the filter for the next output starts at `position`.
    private var filled: Int
    private var position = 0
    private var phase = 0

    /// - Parameter largestInput: the most samples given to one `process`.
    public init(from inputRate: Int, to outputRate: Int, largestInput: Int = 2048) {
        self.inputRate = max(1, inputRate)
        self.outputRate = max(1, outputRate)
        var (a, b) = (self.inputRate, self.outputRate)
        while b != 0 { (a, b) = (b, a % b) }
        up = self.outputRate / a
        down = self.inputRate / a
        wholeStep = down / up
        restStep = down % up
        // The cut-off lies at 0.95 of the lower Nyquist frequency, in units of the input's.
        let cutoff = 0.95 * min(1, Double(up) / Double(down))
        let half = Int((20 / min(1, Double(up) / Double(down))).rounded(.up))
        taps = 2 * half
        coefficients = .allocate(capacity: taps * up)
        capacity = taps + max(1, largestInput)
        memory = .allocate(capacity: capacity)
        memory.initialize(repeating: 0, count: capacity)
        filled = taps - 1
        for p in 0..<up { fillPhase(p, half: half, cutoff: cutoff) }
    }

    deinit {
        coefficients.deallocate()
        memory.deallocate()
    }

    private func fillPhase(_ p: Int, half: Int, cutoff: Double) {
        let row = coefficients + p * taps
        var sum = 0.0
        for i in 0..<taps {
            let x = Double(i - half + 1) - Double(p) / Double(up)
            let value = Self.sinc(x * cutoff) * Self.kaiser(x / Double(half))
            row[i] = Float(value)
            sum += value
        }
        for i in 0..<taps { row[i] = Float(Double(row[i]) / sum) }
    }

    private static func sinc(_ x: Double) -> Double { abs(x) < 1e-9 ? 1 : Sine.ofTurns(x / 2) / (Double.pi * x) }

    /// Kaiser window, β = 7 (about 70 dB).
    private static func kaiser(_ x: Double) -> Double {
        guard abs(x) < 1 else { return 0 }
        return bessel(7 * (1 - x * x).squareRoot()) / bessel(7)
    }

    private static func bessel(_ x: Double) -> Double {
        var term = 1.0
        var sum = 1.0
        for k in 1..<30 {
            term *= (x / (2 * Double(k))) * (x / (2 * Double(k)))
            sum += term
        }
        return sum
    }

    public func reset() {
        memory.update(repeating: 0, count: capacity)
        filled = taps - 1
        position = 0
        phase = 0
    }

    /// Takes all of `input` (at most `largestInput`) and returns the samples written; what does not fit the output is lost.
    /// Between 8000, 16000 and 48000 20 ms always give 20 ms.
    public func process(_ input: UnsafeBufferPointer<Int16>, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        let count = min(input.count, capacity - filled)
        for i in 0..<count { memory[filled + i] = Float(input[i]) }
        filled += count
        var produced = 0
        while position + taps <= filled, produced < output.count {
            let sum = max(-32768, min(32767, dot(memory + position, coefficients + phase * taps)))
            // Half away from zero; `rounded()` would be a call of the library for each sample.
            output[produced] = Int16(clamping: Int32(sum < 0 ? sum - 0.5 : sum + 0.5))
            produced += 1
            position += wholeStep
            phase += restStep
            if phase >= up {
                phase -= up
                position += 1
            }
        }
        let used = min(position, filled)
        if used > 0 {
            memory.update(from: memory + used, count: filled - used)
            filled -= used
            position -= used
        }
        return produced
    }

    /// `taps` products; whole vectors are loaded as they lie in memory.
    private func dot(_ window: UnsafePointer<Float>, _ row: UnsafePointer<Float>) -> Float {
        let a = UnsafeRawPointer(window)
        let b = UnsafeRawPointer(row)
        let end = taps * 4
        var first = SIMD4<Float>.zero
        var second = SIMD4<Float>.zero
        var i = 0
        while i &+ 32 <= end {
            first += a.loadUnaligned(fromByteOffset: i, as: SIMD4<Float>.self) * b.loadUnaligned(fromByteOffset: i, as: SIMD4<Float>.self)
            second +=
                a.loadUnaligned(fromByteOffset: i &+ 16, as: SIMD4<Float>.self) * b.loadUnaligned(fromByteOffset: i &+ 16, as: SIMD4<Float>.self)
            i &+= 32
        }
        var sum = (first + second).sum()
        while i < end {
            sum += window[i / 4] * row[i / 4]
            i &+= 4
        }
        return sum
    }

    /// A whole clip, at load time (allocates). The filter's delay is taken out.
    public static func convert(_ samples: [Int16], from inputRate: Int, to outputRate: Int) -> [Int16] {
        guard inputRate != outputRate, inputRate > 0, outputRate > 0, !samples.isEmpty else { return samples }
        let resampler = Resampler(from: inputRate, to: outputRate, largestInput: 4096)
        let wanted = samples.count * outputRate / inputRate
        let delay = resampler.taps / 2 * outputRate / inputRate
        var out: [Int16] = []
        out.reserveCapacity(wanted + delay)
        let piece = 2048
        var scratch = [Int16](repeating: 0, count: piece * resampler.up / resampler.down + resampler.up + 16)
        let padded = samples + [Int16](repeating: 0, count: resampler.taps)
        var start = 0
        padded.withUnsafeBufferPointer { source in
            while start < source.count {
                let end = min(source.count, start + piece)
                let n = scratch.withUnsafeMutableBufferPointer { resampler.process(.init(rebasing: source[start..<end]), into: $0) }
                out.append(contentsOf: scratch[..<n])
                start = end
            }
        }
        return Array(out.dropFirst(delay).prefix(wanted))
    }
}
