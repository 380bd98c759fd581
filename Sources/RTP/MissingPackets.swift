import Core

/// The sequence numbers that did not come, and when to ask for each of them (RFC 4585 §6.2.1).
struct MissingPackets: Sendable {
    /// More are not repaired one by one.
    static let capacity = 500
    /// A packet may overtake another by so much.
    static let reordering = Duration.milliseconds(5)
    static let maximumTries = 10
    /// Numbers in one request.
    static let requestCapacity = 100

    private struct Entry: Sendable {
        var sequence: Int64
        var due: Instant
        var tries = 0
    }

    /// In rising order of sequence.
    private var entries: [Entry] = []
    private var highest: Int64?

    var isEmpty: Bool { entries.isEmpty }
    var deadline: Instant? { entries.lazy.map(\.due).min() }

    /// A packet of the stream came, by itself or in a retransmission.
    /// - Returns: false when more are missing than is repaired: all are forgotten.
    mutating func receive(_ sequence: Int64, at now: Instant) -> Bool {
        guard let highest else {
            self.highest = sequence
            return true
        }
        guard sequence > highest else {
            if let place = entries.firstIndex(where: { $0.sequence == sequence }) { entries.remove(at: place) }
            return true
        }
        self.highest = sequence
        let missing = sequence - highest - 1
        guard missing + Int64(entries.count) <= Int64(Self.capacity) else {
            entries.removeAll(keepingCapacity: true)
            return false
        }
        for number in highest + 1..<sequence { entries.append(Entry(sequence: number, due: now + Self.reordering)) }
        return true
    }

    /// Nothing before this number is needed any more.
    mutating func forget(before sequence: Int64) {
        if let first = entries.first, first.sequence < sequence { entries.removeAll { $0.sequence < sequence } }
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        highest = nil
    }

    /// What to ask for now, in rising order; asked for again after a round trip.
    mutating func takeDue(roundTrip: Duration, at now: Instant) -> [UInt16] {
        var due: [UInt16] = []
        var isExhausted = false
        for index in entries.indices where entries[index].due <= now && due.count < Self.requestCapacity {
            guard entries[index].tries < Self.maximumTries else {
                isExhausted = true
                continue
            }
            due.append(UInt16(truncatingIfNeeded: entries[index].sequence))
            entries[index].tries += 1
            entries[index].due = now + max(.milliseconds(20), roundTrip + roundTrip / 4)
        }
        if isExhausted { entries.removeAll { $0.tries >= Self.maximumTries && $0.due <= now } }
        return due
    }
}
