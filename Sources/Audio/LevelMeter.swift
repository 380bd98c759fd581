/// RMS of the last second in dBov: 0 is a full-scale square wave (RFC 6464 §3), −127 the floor.
struct LevelMeter {
    private var squares = InlineArray<50, Double>(repeating: 0)
    private var counts = InlineArray<50, Int>(repeating: 0)
    private var next = 0

    /// One tick's samples.
    mutating func add(_ samples: UnsafeBufferPointer<Int16>) {
        var sum = 0
        for sample in samples { sum &+= Int(sample) * Int(sample) }
        squares[next] = Double(sum)
        counts[next] = samples.count
        next = next == 49 ? 0 : next + 1
    }

    var dBov: Double {
        var energy = 0.0
        var count = 0
        for i in 0..<50 {
            energy += squares[i]
            count += counts[i]
        }
        guard count > 0, energy > 0 else { return -127 }
        return max(-127, min(0, Decibel.ofPower(energy / Double(count) / (32767 * 32767))))
    }

    /// Hundredths of a dB, for an atomic.
    var hundredths: Int { Int((dBov * 100).rounded()) }

    mutating func reset() { self = LevelMeter() }
}
