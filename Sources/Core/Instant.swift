/// A point on the program's monotonic clock. Pure code never reads a clock: it is told the instant.
public struct Instant: Comparable, Hashable, Sendable, CustomStringConvertible {
    /// Nanoseconds since an epoch that the driver chose (start of the machine, or 0 in the simulator).
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static let zero = Instant(nanoseconds: 0)
    public static let distantFuture = Instant(nanoseconds: .max)

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates at both ends: an absurd duration never traps.
    public static func + (a: Instant, d: Duration) -> Instant {
        let n = d.totalNanoseconds
        if n >= 0 {
            let (sum, overflow) = a.nanoseconds.addingReportingOverflow(UInt64(n))
            return overflow ? .distantFuture : Instant(nanoseconds: sum)
        }
        let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(n.magnitude)
        return overflow ? .zero : Instant(nanoseconds: difference)
    }

    public static func - (a: Instant, d: Duration) -> Instant { a + (.zero - d) }

    public static func - (a: Instant, b: Instant) -> Duration {
        a >= b
            ? .nanoseconds(Int64(clamping: a.nanoseconds - b.nanoseconds))
            : .zero - .nanoseconds(Int64(clamping: b.nanoseconds - a.nanoseconds))
    }

    public static func += (a: inout Instant, d: Duration) { a = a + d }

    /// Milliseconds from `earlier` to this instant, fractions kept.
    public func milliseconds(since earlier: Instant) -> Double { (self - earlier).milliseconds }

    public var description: String { "\(Double(nanoseconds) / 1e9)s" }
}

extension Duration {
    /// Whole nanoseconds, clamped to what an `Int64` holds (292 years).
    public var totalNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }

    public var milliseconds: Double { Double(totalNanoseconds) / 1e6 }
    public var inSeconds: Double { Double(totalNanoseconds) / 1e9 }
}
