/// How far packets come behind the fastest of the last seconds, and the delay that covers nearly all of them.
///
/// Transit = arrival − RTP timestamp, both in nanoseconds, of the last 512 packets. Fixed memory. The least transit of the window is the
/// zero line, so that clock drift and a changed route are followed within the window.
struct JitterEstimator {
    private static let size = 512
    private static let recent = 64
    private static let bucket: Int64 = 2_000_000
    private let transits: UnsafeMutablePointer<Int64>
    private let histogram: UnsafeMutablePointer<Int>
    private var count = 0
    private var next = 0
    private var sinceUpdate = 0
    /// The least transit of the window; nil before the first packet.
    private(set) var base: Int64?
    /// What 98 % of the window (95 % of the last 64 packets) stayed under, nanoseconds.
    private(set) var spread: Int64 = 0

    init() {
        transits = .allocate(capacity: Self.size)
        transits.initialize(repeating: 0, count: Self.size)
        histogram = .allocate(capacity: 257)
        histogram.initialize(repeating: 0, count: 257)
    }

    /// Only its owner's `deinit` may call this.
    func deallocate() {
        transits.deallocate()
        histogram.deallocate()
    }

    mutating func reset() {
        count = 0
        next = 0
        sinceUpdate = 0
        base = nil
        spread = 0
    }

    mutating func add(_ transit: Int64) {
        transits[next] = transit
        next = (next + 1) % Self.size
        count = min(Self.size, count + 1)
        base = min(base ?? transit, transit)
        sinceUpdate += 1
        if sinceUpdate >= 8 || count < 16 { update() }
    }

    private mutating func update() {
        sinceUpdate = 0
        var least = Int64.max
        for i in 0..<count { least = min(least, transits[i]) }
        base = least
        let long = quantile(of: count, above: count * 2 / 100, base: least)
        let n = min(count, Self.recent)
        spread = max(long, quantile(of: n, above: n * 5 / 100, base: least))
    }

    /// The value that all but `above` of the newest `n` transits stay under, rounded up to a bucket.
    private func quantile(of n: Int, above: Int, base: Int64) -> Int64 {
        histogram.update(repeating: 0, count: 257)
        for k in 1...max(1, n) {
            let index = (next - k + Self.size) % Self.size
            let offset = (transits[index] &- base) / Self.bucket
            histogram[Int(min(256, max(0, offset)))] += 1
        }
        var left = above
        var b = 256
        while b > 0 {
            left -= histogram[b]
            if left < 0 { break }
            b -= 1
        }
        return Int64(b) * Self.bucket
    }
}
