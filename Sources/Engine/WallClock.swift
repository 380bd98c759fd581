import Core
import Interface

/// How the monotonic clock maps to wall-clock time: an argument, read once by the world.
public struct WallClock: Sendable {
    let origin: Instant
    let originMilliseconds: Int64

    /// `milliseconds` since 1970 UTC at the monotonic instant `origin`.
    public init(origin: Instant, milliseconds: Int64) {
        self.origin = origin
        originMilliseconds = milliseconds
    }

    public func time(at now: Instant) -> WallTime {
        WallTime(milliseconds: originMilliseconds &+ (now - origin).totalNanoseconds / 1_000_000)
    }

    /// 64-bit NTP timestamp (RFC 3550 §4): seconds since 1900 in the upper half, fraction in the lower.
    public func ntp(at now: Instant) -> UInt64 {
        let ns = (now - origin).totalNanoseconds
        let ms = originMilliseconds &+ ns / 1_000_000
        let seconds = UInt64(clamping: ms / 1000) &+ 2_208_988_800
        let nanoseconds = UInt64(clamping: ms % 1000) &* 1_000_000 &+ UInt64(clamping: ns % 1_000_000)
        return seconds << 32 | (nanoseconds << 32) / 1_000_000_000
    }
}
