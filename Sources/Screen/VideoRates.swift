import Interface

/// How much video comes: differences of the counters over a second.
struct VideoRates: Sendable, Equatable {
    private struct Sample: Sendable, Equatable {
        var time: WallTime
        var frames: Int
        var bytes: Int
    }

    /// Nil until a second has been seen.
    private(set) var framesPerSecond: Double?
    private(set) var bitsPerSecond: Double?
    private var start: Sample?

    private static let interval: Int64 = 1000

    mutating func take(_ inbound: InboundStatistics, at time: WallTime) {
        let new = Sample(time: time, frames: inbound.video?.framesReceived ?? 0, bytes: inbound.bytesReceived)
        guard let old = start else {
            start = new
            return
        }
        let (passed, overflow) = time.milliseconds.subtractingReportingOverflow(old.time.milliseconds)
        // The clock was set back, or the peer's stream is another one: the counting begins anew.
        if overflow || passed < 0 || new.frames < old.frames || new.bytes < old.bytes {
            start = new
            return
        }
        guard passed >= Self.interval else { return }
        let seconds = Double(passed) / 1000
        framesPerSecond = (Double(new.frames) - Double(old.frames)) / seconds
        bitsPerSecond = (Double(new.bytes) - Double(old.bytes)) * 8 / seconds
        start = new
    }
}
