/// Makes a frame shorter or longer by one pitch period, by overlap and add. No memory of its own, no allocation.
enum TimeStretch {
    /// Removes one period in place. Returns the new count; the same count when the signal does not allow it.
    static func compress(_ frame: UnsafeMutableBufferPointer<Int16>, count: Int, rate: Int, urgent: Bool) -> Int {
        guard let lag = period(UnsafeBufferPointer(rebasing: frame[..<min(count, frame.count)]), rate: rate, urgent: urgent) else {
            return count
        }
        for i in 0..<lag {
            frame[i] = Int16(clamping: (Int(frame[i]) * (lag - i) + Int(frame[lag + i]) * i) / lag)
        }
        guard let start = frame.baseAddress else { return count }
        (start + lag).update(from: start + 2 * lag, count: count - 2 * lag)
        return count - lag
    }

    /// Repeats one period in place; `frame` must have room. Returns the new count.
    static func expand(_ frame: UnsafeMutableBufferPointer<Int16>, count: Int, rate: Int) -> Int {
        guard let lag = period(UnsafeBufferPointer(rebasing: frame[..<min(count, frame.count)]), rate: rate, urgent: false),
            count + lag <= frame.count, let start = frame.baseAddress
        else { return count }
        (start + 2 * lag).update(from: start + lag, count: count - lag)
        // Now [0, lag) is the first period and [2·lag, 3·lag) the second: between them the second turns into the first.
        for i in 0..<lag {
            frame[lag + i] = Int16(clamping: (Int(frame[2 * lag + i]) * (lag - i) + Int(frame[i]) * i) / lag)
        }
        return count + lag
    }

    /// The period (2.5–15 ms) at which the frame repeats itself best; nil when it does not and the matter can wait.
    private static func period(_ frame: UnsafeBufferPointer<Int16>, rate: Int, urgent: Bool) -> Int? {
        let shortest = rate / 400
        let longest = min(frame.count / 2, rate * 15 / 1000)
        guard shortest > 0, longest > shortest else { return nil }
        var energy = 0
        for sample in frame { energy &+= Int(sample) * Int(sample) }
        // Under −54 dBFS nobody hears the seam: take the most.
        if energy / frame.count < 64 * 64 { return longest }
        let stride = max(1, rate / 8000)
        var best = shortest
        var bestScore = -2.0
        var lag = shortest
        while lag <= longest {
            let score = similarity(frame, lag: lag, stride: stride)
            if score > bestScore {
                bestScore = score
                best = lag
            }
            lag += stride
        }
        for near in max(shortest, best - stride + 1)...min(longest, best + stride - 1) where near != best {
            let score = similarity(frame, lag: near, stride: stride)
            if score > bestScore {
                bestScore = score
                best = near
            }
        }
        return bestScore > (urgent ? 0.3 : 0.7) ? best : nil
    }

    /// Normalised correlation of the first `lag` samples with the `lag` after them, −1…1.
    private static func similarity(_ frame: UnsafeBufferPointer<Int16>, lag: Int, stride: Int) -> Double {
        var product = 0
        var first = 1
        var second = 1
        var i = 0
        while i < lag {
            let a = Int(frame[i])
            let b = Int(frame[i + lag])
            product &+= a * b
            first &+= a * a
            second &+= b * b
            i += stride
        }
        return Double(product) / (Double(first) * Double(second)).squareRoot()
    }
}
