import Core

/// Numbers for packets of another session that are passed on as they are, in our stream: numbers that are missing stay missing, and the clock goes on
/// over a change of source.
struct AudioRelay: Sendable {
    private struct Mapping: Sendable {
        var ssrc: UInt32
        var highest: UInt16
        /// Older numbers have no place in our stream: they would be sent twice.
        var oldest: UInt16
        var lastTimestamp: UInt32
        var sequenceDelta: UInt16
        var timestampDelta: UInt32
    }

    /// A jump of the source's numbers or clock beyond it is a new beginning; backwards it is where the receiver sees one, too.
    private static let largestStep: Int16 = 1000
    private static let largestStepBack = Int16(SequenceWindow.maximumMisorder)

    private var mapping: Mapping?

    /// Packets of our own went between.
    mutating func interrupt() { mapping = nil }

    /// A packet of the source that is not passed on: its number is not missed.
    mutating func swallow(_ sequence: UInt16, ssrc: UInt32) {
        guard var current = mapping, current.ssrc == ssrc, sequence.isNewerSequence(than: current.highest) else { return }
        current.sequenceDelta &-= 1
        // The next one follows on this one.
        current.highest = sequence
        current.oldest = sequence &+ 1
        mapping = current
    }

    /// - Parameters:
    ///   - sent: what left last in our stream; nil when nothing did.
    ///   - upcoming: the numbers to begin with then.
    /// - Returns: nil for a packet that comes too late to have a number of its own.
    mutating func pass(
        sequence: UInt16, timestamp: UInt32, ssrc: UInt32, clockRate: UInt32, after sent: VP8Forwarder.Sent?,
        upcoming: (sequence: UInt16, timestampOffset: UInt32), at now: Instant
    ) -> (sequence: UInt16, timestamp: UInt32)? {
        if let current = mapping {
            let step = Int16(bitPattern: sequence &- current.highest)
            let time = Int64(Int32(bitPattern: timestamp &- current.lastTimestamp))
            if current.ssrc != ssrc || step > Self.largestStep || step <= -Self.largestStepBack || abs(time) > Int64(clockRate) * 20 { mapping = nil }
        }
        if mapping == nil {
            let start =
                sent.map { sent in
                    let passed = Int64((now - sent.at).inSeconds * Double(clockRate))
                    // One frame at least, in whole ones.
                    let frame = Int64(clockRate / 50)
                    return (sent.sequence &+ 1, sent.timestamp &+ UInt32(truncatingIfNeeded: max(frame, passed / max(1, frame) * frame)))
                } ?? (upcoming.sequence, upcoming.timestampOffset)
            mapping = Mapping(
                ssrc: ssrc, highest: sequence, oldest: sequence, lastTimestamp: timestamp, sequenceDelta: start.0 &- sequence,
                timestampDelta: start.1 &- timestamp)
        }
        guard let current = mapping, !current.oldest.isNewerSequence(than: sequence) else { return nil }
        if sequence.isNewerSequence(than: current.highest) {
            mapping?.highest = sequence
            mapping?.lastTimestamp = timestamp
        }
        return (sequence &+ current.sequenceDelta, timestamp &+ current.timestampDelta)
    }
}
