/// Named timers of one machine: cases of an enum, not closures. At most one deadline for each name.
public struct TimerTable<Name: Hashable & Sendable>: Sendable {
    private var deadlines: [Name: (at: Instant, order: UInt64)] = [:]
    private var earliest: Instant?
    private var counter: UInt64 = 0

    public init() {}

    public var isEmpty: Bool { deadlines.isEmpty }
    public var count: Int { deadlines.count }

    /// The earliest deadline of all.
    public var deadline: Instant? { earliest }

    public mutating func set(_ name: Name, at instant: Instant) {
        counter &+= 1
        let replaced = deadlines.updateValue((instant, counter), forKey: name)
        if let replaced, replaced.at == earliest { recompute() } else { earliest = min(earliest ?? instant, instant) }
    }

    public mutating func cancel(_ name: Name) {
        if let removed = deadlines.removeValue(forKey: name), removed.at == earliest { recompute() }
    }

    public mutating func cancelAll() {
        deadlines.removeAll()
        earliest = nil
    }

    public func deadline(of name: Name) -> Instant? { deadlines[name]?.at }

    /// Removes and returns one timer that is due, the earliest first (ties in the order they were set), or nil.
    public mutating func popExpired(at now: Instant) -> Name? {
        guard let earliest, earliest <= now else { return nil }
        var found: (name: Name, at: Instant, order: UInt64)?
        for (name, timer) in deadlines where timer.at <= now {
            if let best = found, (best.at, best.order) < (timer.at, timer.order) { continue }
            found = (name, timer.at, timer.order)
        }
        guard let found else { return nil }
        deadlines.removeValue(forKey: found.name)
        recompute()
        return found.name
    }

    private mutating func recompute() {
        var best: Instant?
        for timer in deadlines.values { best = min(best ?? timer.at, timer.at) }
        earliest = best
    }
}

/// The earlier of two optional deadlines.
public func earliest(_ a: Instant?, _ b: Instant?) -> Instant? {
    guard let a else { return b }
    guard let b else { return a }
    return min(a, b)
}
