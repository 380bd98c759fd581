/// Fills lost frames by repeating the last pitch period with a fade (after the idea of ITU-T G.711 Appendix I).
///
/// For codecs without concealment of their own. Belongs to one thread; does not allocate after `init`.
public final class WaveformConcealment {
    private let rate: Int
    private let shortestLag: Int
    private let longestLag: Int
    private let window: Int
    private let historyCount: Int
    private let history: UnsafeMutablePointer<Int16>
    private let cycle: UnsafeMutablePointer<Int16>
    private var lag = 0
    private var position = 0
    /// Samples synthesised since the last good frame.
    private var concealed = 0

    /// - Parameter rate: samples a second.
    public init(rate: Int) {
        self.rate = max(8000, rate)
        shortestLag = self.rate / 400
        longestLag = self.rate * 15 / 1000
        window = self.rate / 100
        historyCount = window + 2 * longestLag
        history = .allocate(capacity: historyCount)
        history.initialize(repeating: 0, count: historyCount)
        cycle = .allocate(capacity: longestLag)
        cycle.initialize(repeating: 0, count: longestLag)
    }

    deinit {
        history.deallocate()
        cycle.deallocate()
    }

    public func reset() {
        history.update(repeating: 0, count: historyCount)
        concealed = 0
    }

    /// A frame that was decoded: remembered, and its start is blended with the synthetic signal after a loss.
    public func accept(_ frame: UnsafeMutableBufferPointer<Int16>) {
        if concealed > 0 {
            let overlap = min(frame.count, rate / 200)
            for i in 0..<overlap {
                let synthetic = Int(next())
                frame[i] = Int16(clamping: (synthetic * (overlap - i) + Int(frame[i]) * i) / overlap)
            }
            concealed = 0
        }
        remember(UnsafeBufferPointer(frame))
    }

    /// Writes a whole buffer of synthetic signal; it is silent from 60 ms of loss on.
    public func conceal(into frame: UnsafeMutableBufferPointer<Int16>) {
        if concealed == 0 { findCycle() }
        for i in frame.indices { frame[i] = next() }
        remember(UnsafeBufferPointer(frame))
    }

    private func remember(_ frame: UnsafeBufferPointer<Int16>) {
        guard let source = frame.baseAddress else { return }
        let count = frame.count
        if count >= historyCount {
            history.update(from: source + (count - historyCount), count: historyCount)
        } else {
            history.update(from: history + count, count: historyCount - count)
            (history + (historyCount - count)).update(from: source, count: count)
        }
    }

    /// Full level for 10 ms, then 20 % less every 10 ms.
    private func next() -> Int16 {
        guard lag > 0 else { return 0 }
        let step = rate / 100
        let faded = max(0, concealed - step)
        concealed += 1
        let gain = max(0, 5 * step - faded)
        let sample = Int(cycle[position])
        position = position + 1 == lag ? 0 : position + 1
        return Int16(clamping: sample * gain / (5 * step))
    }

    /// The lag at which the last 10 ms look most like what came before them, by normalised correlation.
    private func findCycle() {
        let end = historyCount - window
        var best = shortestLag
        var bestScore = -Double.infinity
        for candidate in shortestLag...longestLag {
            var product = 0.0
            var energy = 1.0
            var i = 0
            while i < window {
                let past = Double(history[end - candidate + i])
                product += past * Double(history[end + i])
                energy += past * past
                i += 1
            }
            let score = product * abs(product) / energy
            if score > bestScore {
                bestScore = score
                best = candidate
            }
        }
        lag = best
        position = 0
        let start = historyCount - lag
        for i in 0..<lag { cycle[i] = history[start + i] }
        // The end of the cycle is blended with what preceded its start, so that the repetition has no step.
        let overlap = max(1, lag / 4)
        for i in 0..<overlap {
            let before = Int(history[start - overlap + i])
            let index = lag - overlap + i
            cycle[index] = Int16(clamping: (Int(cycle[index]) * (overlap - i) + before * i) / overlap)
        }
    }
}
