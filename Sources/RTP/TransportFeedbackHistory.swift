import Core

/// The transport sequence numbers we gave out, and what the far end said became of them.
struct TransportFeedbackHistory: Sendable {
    /// Numbers remembered; older feedback changes nothing.
    static let capacity = 2048

    private enum Fate: UInt8 {
        case unknown
        case lost
        case arrived
    }

    private var next: Int64
    private let first: Int64
    private var fates = [Fate](repeating: .unknown, count: TransportFeedbackHistory.capacity)

    private(set) var packetsAcknowledged = 0
    /// Said to be missing, and not found again later.
    private(set) var packetsLost = 0
    private(set) var feedbackReceived = 0
    /// Feedback about packets that were never sent.
    private(set) var feedbackRefused = 0

    init(random: RandomSource) {
        next = Int64(UInt16(truncatingIfNeeded: random.next()) & 0x7FFF)
        first = next
    }

    mutating func take() -> UInt16 {
        fates[slot(next)] = .unknown
        next += 1
        return UInt16(truncatingIfNeeded: next - 1)
    }

    mutating func receive(_ feedback: TransportWideFeedback) {
        let highest = next - 1
        let base = highest + Int64(Int16(bitPattern: feedback.baseSequence &- UInt16(truncatingIfNeeded: highest)))
        guard base >= first, base + Int64(feedback.statusCount) <= next else {
            feedbackRefused += 1
            return
        }
        feedbackReceived += 1
        var arrivals = feedback.arrivals[...]
        let oldest = next - Int64(Self.capacity)
        for offset in 0..<feedback.statusCount {
            let isArrived = arrivals.first?.offset == offset
            if isArrived { arrivals.removeFirst() }
            let sequence = base + Int64(offset)
            if sequence >= oldest { note(slot(sequence), isArrived) }
        }
    }

    private mutating func note(_ slot: Int, _ isArrived: Bool) {
        switch (fates[slot], isArrived) {
        case (.unknown, true): packetsAcknowledged += 1
        case (.unknown, false): packetsLost += 1
        case (.lost, true):
            packetsAcknowledged += 1
            packetsLost -= 1
        case (.lost, false), (.arrived, _): return
        }
        fates[slot] = isArrived ? .arrived : .lost
    }

    private func slot(_ sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence & Int64(Self.capacity - 1)) }
}
