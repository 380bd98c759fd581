/// ITU-T G.722 at 64 kbit/s: two samples at 16 kHz become one byte, by ADPCM of two sub-bands. A value; nothing is allocated by `encode`.
///
/// A byte's upper two bits are the upper band's, the lower six the lower band's (RFC 3551 §4.5.2).
public struct G722Encoder: Sendable {
    private var filter = G722Filter()
    private var lower = G722Band.lower
    private var upper = G722Band.upper

    public init() {}

    /// Builds the table of steps now, so that no later call does.
    public static func prepare() { _ = G722Tables.steps.count }

    /// Encodes as many pairs of samples as there are and as fit. Returns the bytes written.
    public mutating func encode(_ samples: UnsafeBufferPointer<Int16>, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(samples.count / 2, bytes.count)
        var done = 0
        while done < count {
            let pairs = min(G722Filter.pairs, count - done)
            encodePart(
                UnsafeBufferPointer(rebasing: samples[2 * done..<2 * (done + pairs)]),
                into: UnsafeMutableRawBufferPointer(rebasing: bytes[done..<done + pairs]))
            done += pairs
        }
        return count
    }

    private mutating func encodePart(_ samples: UnsafeBufferPointer<Int16>, into bytes: UnsafeMutableRawBufferPointer) {
        let pairs = bytes.count
        G722Filter.withWindow { window in
            filter.begin(window)
            for i in 0..<2 * pairs { window[G722Filter.overlap + i] = samples[i] }
            filter.end(window, pairs: pairs)
            G722Tables.steps.withUnsafeBufferPointer { steps in
                for i in 0..<pairs {
                    let sum = G722Filter.sums(window, from: 2 * i)
                    let low = encodeLower((sum.odd &+ sum.even) >> 14, steps)
                    let high = encodeUpper((sum.odd &- sum.even) >> 14, steps)
                    bytes[i] = UInt8(truncatingIfNeeded: high << 6 | low)
                }
            }
        }
    }

    /// QUANTL: the six bits of one sample.
    @inline(__always)
    private mutating func encodeLower(_ sample: Int32, _ steps: UnsafeBufferPointer<Int32>) -> Int32 {
        let difference = G722Band.saturated(sample &- lower.estimate)
        let isNegative = difference < 0
        let magnitude = isNegative ? ~difference : difference
        // How many of the decision levels lie at or below the magnitude, by halving.
        var level = 0
        var half = 16
        while half > 0 {
            if level + half <= 29, magnitude >= (G722Tables.decisions[level + half - 1] &* lower.step) >> 12 { level += half }
            half >>= 1
        }
        let n = Int32(truncatingIfNeeded: level)
        // The two smallest negative ones come after all the positive ones.
        let code = isNegative ? (n < 2 ? 63 : 33) &- n : 61 &- n
        let index = Int(code >> 2) & 15
        lower.advance(by: (G722Tables.fourBits[index] &* lower.step) >> 15, growth: G722Tables.lowerGrowth[index], steps: steps)
        return code
    }

    /// QUANTH: the two bits of one sample.
    @inline(__always)
    private mutating func encodeUpper(_ sample: Int32, _ steps: UnsafeBufferPointer<Int32>) -> Int32 {
        let difference = G722Band.saturated(sample &- upper.estimate)
        let isNegative = difference < 0
        let isLarge = (isNegative ? ~difference : difference) >= (G722Tables.upperDecision &* upper.step) >> 12
        let code: Int32 = (isNegative ? 0 : 2) | (isLarge ? 0 : 1)
        let index = Int(code) & 3
        upper.advance(by: (G722Tables.twoBits[index] &* upper.step) >> 15, growth: G722Tables.upperGrowth[index], steps: steps)
        return code
    }
}
