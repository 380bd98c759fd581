/// ITU-T G.722 at 64 kbit/s: one byte becomes two samples at 16 kHz. A value; any bytes can be decoded, and nothing is allocated by `decode`.
public struct G722Decoder: Sendable {
    private var filter = G722Filter()
    private var lower = G722Band.lower
    private var upper = G722Band.upper

    public init() {}

    /// Builds the table of steps now, so that no later call does.
    public static func prepare() { _ = G722Tables.steps.count }

    /// Decodes as many bytes as fit, two samples each. Returns the samples written.
    public mutating func decode(_ bytes: UnsafeRawBufferPointer, into samples: UnsafeMutableBufferPointer<Int16>) -> Int {
        let count = min(samples.count / 2, bytes.count)
        var done = 0
        while done < count {
            let pairs = min(G722Filter.pairs, count - done)
            decodePart(
                UnsafeRawBufferPointer(rebasing: bytes[done..<done + pairs]),
                into: UnsafeMutableBufferPointer(rebasing: samples[2 * done..<2 * (done + pairs)]))
            done += pairs
        }
        return 2 * count
    }

    private mutating func decodePart(_ bytes: UnsafeRawBufferPointer, into samples: UnsafeMutableBufferPointer<Int16>) {
        let pairs = bytes.count
        G722Filter.withWindow { window in
            filter.begin(window)
            G722Tables.steps.withUnsafeBufferPointer { steps in
                for i in 0..<pairs {
                    let low = decodeLower(Int(bytes[i] & 63), steps)
                    let high = decodeUpper(Int(bytes[i] >> 6), steps)
                    // Both are 15 bits wide: sum and difference fit.
                    window[G722Filter.overlap + 2 * i] = Int16(truncatingIfNeeded: low &+ high)
                    window[G722Filter.overlap + 2 * i + 1] = Int16(truncatingIfNeeded: low &- high)
                }
            }
            filter.end(window, pairs: pairs)
            for i in 0..<pairs {
                let sum = G722Filter.sums(window, from: 2 * i)
                samples[2 * i] = Int16(clamping: sum.odd >> 11)
                samples[2 * i + 1] = Int16(clamping: sum.even >> 11)
            }
        }
    }

    @inline(__always)
    private mutating func decodeLower(_ code: Int, _ steps: UnsafeBufferPointer<Int32>) -> Int32 {
        let sample = G722Band.limited(lower.estimate &+ (G722Tables.sixBits[code & 63] &* lower.step) >> 15)
        let index = code >> 2 & 15
        lower.advance(by: (G722Tables.fourBits[index] &* lower.step) >> 15, growth: G722Tables.lowerGrowth[index], steps: steps)
        return sample
    }

    @inline(__always)
    private mutating func decodeUpper(_ code: Int, _ steps: UnsafeBufferPointer<Int32>) -> Int32 {
        let difference = (G722Tables.twoBits[code & 3] &* upper.step) >> 15
        let sample = G722Band.limited(upper.estimate &+ difference)
        upper.advance(by: difference, growth: G722Tables.upperGrowth[code & 3], steps: steps)
        return sample
    }
}
