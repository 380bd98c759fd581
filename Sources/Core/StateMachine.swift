/// Everything that thinks: a value that is told facts and the time, and says what it wants done.
///
/// Packets enter by a method beside `handle` (`receive(_:from:at:)`), which borrows them.
public protocol StateMachine: ~Copyable {
    associatedtype Input
    associatedtype Output

    /// One fact: an answer, a person's wish.
    mutating func handle(_ input: consuming Input, at now: Instant)
    /// A no-op before `deadline`.
    mutating func handleTimeout(at now: Instant)
    /// Drained until nil after every mutation.
    mutating func poll() -> Output?
    /// When to call `handleTimeout` next; nil when nothing is due.
    var deadline: Instant? { get }
}
