import Core

/// What we say that we can take (REMB), for senders that get no transport-wide feedback: half more than what comes while nothing is lost, less
/// than what comes when much is. A wish, not congestion control: the sender's own counts.
struct BitrateEstimate: Sendable {
    static let interval = Duration.seconds(1)
    private static let bounds: ClosedRange<UInt64> = 150_000...20_000_000

    private(set) var rate: UInt64 = 1_000_000
    private var since: Instant?
    private var bytes = 0
    private var packets = 0
    private var lostBefore = 0

    /// When the next one is said; nil while nothing comes.
    var deadline: Instant? { since.map { $0 + Self.interval } }

    mutating func receive(_ count: Int, at now: Instant) {
        if since == nil { since = now }
        bytes += count
        packets += 1
    }

    /// - Parameter lost: packets lost so far.
    /// - Returns: bit/s; nil before the interval is over.
    mutating func take(lost: Int, at now: Instant) -> UInt64? {
        guard let since, let deadline, deadline <= now else { return nil }
        let received = Double(bytes) * 8 / max(0.1, (now - since).inSeconds)
        let missing = max(0, lost - lostBefore)
        let share = Double(missing) / Double(max(1, missing + packets))
        lostBefore = lost
        if share > 0.1 {
            rate = UInt64(received * 0.85)
        } else if share < 0.02 {
            rate = max(rate, UInt64(received * 1.5))
        }
        rate = min(max(rate, Self.bounds.lowerBound), Self.bounds.upperBound)
        self.since = nil
        bytes = 0
        packets = 0
        return rate
    }
}
