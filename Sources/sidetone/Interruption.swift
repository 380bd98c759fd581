/// What signals ask for: the first to end in good order, a later one to end at once.
struct Interruption {
    enum Wish: Equatable { case end, nothing, endAtOnce }

    /// `timeout` sends its signal to the process and then to the process's group: what comes so soon after the first is the same wish. Nanoseconds.
    private static let sameWish: UInt64 = 1_000_000_000

    /// The first that came: it decides the exit code.
    private(set) var signal: Int32?
    private var since: UInt64 = 0

    /// - Parameters: isFinished: only the last lines wait for a reader; now: nanoseconds of a clock that never goes back.
    mutating func takes(_ number: Int32, isFinished: Bool, at now: UInt64) -> Wish {
        guard signal != nil else {
            signal = number
            since = now
            return isFinished ? .endAtOnce : .end
        }
        return now &- since < Self.sameWish ? .nothing : .endAtOnce
    }
}
