import CPlatform
import Core
import Engine
import Glibc

extension WallClock {
    /// The mapping between the machine's monotonic and wall clocks, read now.
    static func system() -> WallClock {
        var t = timespec()
        clock_gettime(CLOCK_REALTIME, &t)
        return WallClock(origin: Instant(nanoseconds: platform_monotonic_ns()), milliseconds: Int64(t.tv_sec) * 1000 + Int64(t.tv_nsec) / 1_000_000)
    }
}
