import Core

/// Arrival times by transport sequence number, and the feedback about them (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).
struct TransportFeedbackRecorder: Sendable {
    /// Units of a delta, and of the reference time.
    static let tick: UInt64 = 250_000
    static let referenceTicks: Int64 = 256
    /// A packet later than this is not told any more, when packets after it were.
    static let memory: Int64 = 2000
    static let capacity = 1024
    static let startReordering: Int64 = 64
    /// A larger step than this is a numbering that starts anew.
    static let largestStep: Int64 = 8192
    /// Arrivals in one feedback packet: it stays below 1000 bytes.
    static let maximumArrivals = 300

    private struct Record {
        var sequence: Int64
        /// In 250 µs of the monotonic clock: sums of deltas do not gather rounding errors.
        var tick: Int64
    }

    private var unwrapper = SequenceUnwrapper()
    /// In rising order of sequence. Complete from `floor` on.
    private var records: [Record] = []
    /// What came before this may have been told and forgotten: it is not denied any more.
    private var floor: Int64 = 0
    /// The next number to speak of; nil before the first packet.
    private var next: Int64?
    private var feedbackCount: UInt8 = 0

    /// Something arrived that no feedback has told.
    private(set) var hasNews = false

    mutating func receive(_ number: UInt16, at now: Instant) {
        if let highest = unwrapper.highest, abs(Int64(Int16(bitPattern: number &- UInt16(truncatingIfNeeded: highest)))) > Self.largestStep {
            unwrapper = SequenceUnwrapper()
            records.removeAll()
            next = nil
        }
        let sequence = unwrapper.unwrap(number)
        // The first packet to come need not be the first one sent.
        if next == nil { floor = sequence - Self.startReordering }
        let start = next ?? sequence
        let record = Record(sequence: sequence, tick: Int64(truncatingIfNeeded: now.nanoseconds / Self.tick))
        let place = records.lastIndex { $0.sequence <= sequence }
        if let place, records[place].sequence == sequence { return }
        guard sequence >= floor else { return }
        records.insert(record, at: place.map { $0 + 1 } ?? 0)
        next = min(start, sequence)
        hasNews = true
        forget(before: record.tick - Self.memory)
    }

    private mutating func forget(before tick: Int64) {
        guard let next else { return }
        let old = records.prefix { $0.sequence < next && $0.tick < tick }.count
        let surplus = records.count - Self.capacity
        guard max(old, surplus) > 0 else { return }
        floor = records[max(old, surplus) - 1].sequence + 1
        records.removeFirst(max(old, surplus))
        if surplus > old, let first = records.first { self.next = max(next, first.sequence) }
    }

    /// Tells what arrived since the last time: one packet, or several when the times lie too far apart.
    mutating func takeFeedback() -> [TransportWideFeedback] {
        guard hasNews, let next, let last = records.last else { return [] }
        hasNews = false
        var packets: [TransportWideFeedback] = []
        var base = next
        var open: TransportWideFeedback?
        var lastTick: Int64 = 0
        for record in records where record.sequence >= next {
            if let feedback = open, feedback.arrivals.count >= Self.maximumArrivals || Int16(exactly: record.tick - lastTick) == nil {
                packets.append(feedback)
                base += Int64(feedback.statusCount)
                open = nil
            }
            if open == nil {
                let reference = record.tick / Self.referenceTicks
                lastTick = reference * Self.referenceTicks
                open = TransportWideFeedback(
                    baseSequence: UInt16(truncatingIfNeeded: base), statusCount: 0, referenceTime: UInt32(truncatingIfNeeded: reference) & 0xFF_FFFF,
                    feedbackCount: feedbackCount, arrivals: [])
                feedbackCount &+= 1
            }
            let offset = UInt16(truncatingIfNeeded: record.sequence - base)
            open?.arrivals.append(.init(offset: offset, delta: Int16(truncatingIfNeeded: record.tick - lastTick)))
            open?.statusCount = offset &+ 1
            lastTick = record.tick
        }
        if let open { packets.append(open) }
        self.next = last.sequence + 1
        return packets
    }
}
