/// What an epoch of one source's sequence numbers looks like: RFC 3550 A.1's variables and the last 128 numbers.
///
/// An epoch ends when the source starts its sequence anew.
struct SequenceWindow: Sendable {
    /// Larger gaps forwards are a new start (A.1).
    static let maximumDropout: UInt16 = 3000
    /// Larger steps backwards are a new start (A.1).
    static let maximumMisorder: UInt16 = 100

    enum Step {
        case inOrder
        case reordered
        case duplicate
        case jump
    }

    private let base: UInt16
    private var cycles: UInt32 = 0
    private var highest: UInt16
    /// Bit n: `highest - n` was received.
    private var seen: UInt128 = 1
    private(set) var received = 1
    private var expectedPrior = 0
    private var receivedPrior = 0

    init(first: UInt16) {
        base = first
        highest = first
    }

    /// Wraps counted in the upper 16 bits.
    var extendedHighest: UInt32 { cycles << 16 | UInt32(highest) }
    var expected: Int { Int(extendedHighest) - Int(base) + 1 }
    /// Negative when duplicates outnumber losses (A.3).
    var lost: Int { expected - received }

    mutating func update(_ sequence: UInt16) -> Step {
        let ahead = sequence &- highest
        if ahead == 0 {
            received += 1
            return .duplicate
        }
        if ahead < Self.maximumDropout {
            if sequence < highest { cycles = (cycles &+ 1) & 0xFFFF }
            highest = sequence
            seen = seen << UInt128(ahead) | 1
            received += 1
            return .inOrder
        }
        let behind = highest &- sequence
        guard behind < Self.maximumMisorder else { return .jump }
        received += 1
        let bit = UInt128(1) << UInt128(behind)
        if seen & bit != 0 { return .duplicate }
        seen |= bit
        return .reordered
    }

    /// What was expected and lost since the call before (A.3).
    mutating func takeInterval() -> (expected: Int, lost: Int) {
        let interval = (expected - expectedPrior, expected - expectedPrior - (received - receivedPrior))
        expectedPrior = expected
        receivedPrior = received
        return interval
    }
}
