import Core

/// Maps the program's monotonic clock to 64-bit NTP timestamps (RFC 3550 §4): seconds since 1900 in the high word, fractions in the low one.
///
/// Given once at the start, so that a step of the wall clock during a call does not disturb round-trip times.
public struct NTPClock: Sendable, Equatable {
    private let origin: Instant
    private let originTimestamp: UInt64

    /// - Parameters: timestamp: the NTP timestamp of `instant`.
    public init(timestamp: UInt64, at instant: Instant) {
        origin = instant
        originTimestamp = timestamp
    }

    /// - Parameters: unixNanoseconds: wall-clock time of `instant`, in nanoseconds since 1970 (UTC).
    public init(unixNanoseconds: UInt64, at instant: Instant) {
        // 70 years with 17 leap days lie between the two epochs.
        self.init(timestamp: (2_208_988_800 << 32) &+ Self.fixedPoint(unixNanoseconds), at: instant)
    }

    /// Modulo 2^32 seconds.
    public func timestamp(at instant: Instant) -> UInt64 {
        instant >= origin
            ? originTimestamp &+ Self.fixedPoint(instant.nanoseconds - origin.nanoseconds)
            : originTimestamp &- Self.fixedPoint(origin.nanoseconds - instant.nanoseconds)
    }

    /// The middle 32 bits: 16 bits of seconds, 16 of fraction (LSR, RFC 3550 §6.4.1).
    public func middle(at instant: Instant) -> UInt32 { Self.middle(of: timestamp(at: instant)) }

    /// Round trip = now − LSR − DLSR (RFC 3550 §6.4.1), also for LRR and DLRR (RFC 3611 §4.5), in steps of 1/65536 s.
    /// - Parameters:
    ///   - echo: middle 32 bits of a timestamp of ours, 0 for none.
    ///   - delay: how long the far end had it.
    /// - Returns: nil when `echo` is none of ours.
    func roundTripMs(echo: UInt32, delay: UInt32, at now: Instant) -> Double? {
        guard echo != 0 else { return nil }
        let elapsed = Int32(bitPattern: middle(at: now) &- echo &- delay)
        // Rounding at the far end can give a little less than nothing: then the trip took less than a step of this clock.
        // Far outside it is a report that did not echo ours.
        guard (-Self.tolerance...Self.longestTrip).contains(elapsed) else { return nil }
        return Double(max(1, elapsed)) * 1000 / 65536
    }

    /// 20 ms and 60 s in units of 1/65536 s.
    private static let tolerance: Int32 = 1311
    private static let longestTrip: Int32 = 60 * 65536

    public static func middle(of timestamp: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: timestamp >> 16) }

    /// A length of time in units of 1/65536 s (DLSR), clamped to 32 bits; zero when negative.
    public static func shortFormat(_ duration: Duration) -> UInt32 {
        let nanoseconds = max(0, duration.totalNanoseconds)
        return UInt32(clamping: fixedPoint(UInt64(nanoseconds)) >> 16)
    }

    /// Nanoseconds as 32.32 fixed point, modulo 2^32 seconds.
    private static func fixedPoint(_ nanoseconds: UInt64) -> UInt64 {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return (seconds << 32) &+ (rest << 32) / 1_000_000_000
    }
}
