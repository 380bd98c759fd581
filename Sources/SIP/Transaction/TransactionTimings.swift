/// The base times of RFC 3261 §17 and table 4; everything else is a multiple of them.
public struct TransactionTimings: Sendable, Equatable {
    /// Round-trip estimate.
    public var t1: Duration
    /// Largest interval between repeats of a non-INVITE request or an INVITE response.
    public var t2: Duration
    /// How long a message stays in the network.
    public var t4: Duration
    /// A target over UDP that says nothing for so long is left for the next one, when there is one (RFC 3263 §4.3). The last one has
    /// the whole `limit`.
    public var targetLimit: Duration

    public init(
        t1: Duration = .milliseconds(500), t2: Duration = .seconds(4), t4: Duration = .seconds(5), targetLimit: Duration = .seconds(4)
    ) {
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
        self.targetLimit = targetLimit
    }

    /// Timers B, F, H, J, L and M: 64·T1.
    public var limit: Duration { t1 * 64 }
    /// Timer D over unreliable transports: at least 32 s.
    public var timerD: Duration { max(.seconds(32), limit) }
    /// A 100 (Trying) goes out by itself after this time (§17.2.1).
    public var trying: Duration { .milliseconds(200) }
}
