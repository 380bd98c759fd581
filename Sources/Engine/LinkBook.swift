import Core
import Interface
import SIP

/// The link by which one stranger's browser may make one call to this phone: there is always one that is good, except during its call.
///
/// A link is claimed by the first browser that connects from its page, not by the first that loads it: programs that look at links on their way
/// (previews in chats, scanners of mail) run no script and spoil nothing. From then on it is that browser's: it may load the page again, and
/// connect again, until it calls. What was used or has expired is forgotten and cannot be told from what never was.
struct LinkBook: StateMachine {
    /// How long a link waits for its call.
    static let lifetime = Duration.seconds(900)
    /// Letters and digits in a token: 130 bits.
    static let tokenLength = 22

    private enum State {
        case open
        /// `connection`: the page's, while it is there.
        case claimed(visitor: String, connection: ConnectionID?)
        case calling(CallID)
    }

    private struct Link {
        let token: String
        let expires: Instant
        var state = State.open
    }

    enum Input: Sendable {
        /// From now on there is a link.
        case open
        case connectionClosed(ConnectionID)
        case callEnded(CallID)
        /// The phone ends: no further link.
        case close
    }

    enum Output: Sendable, Equatable {
        case made(token: String, expires: Instant)
        case expired
        case used(CallID)
        /// Nobody may call by this connection any more.
        case disconnect(ConnectionID)
    }

    private let random: RandomSource
    private var link: Link?
    private var outputs: [Output] = []

    init(random: RandomSource) { self.random = random }

    /// The link that may be shown now, and until when.
    var current: (token: String, expires: Instant)? {
        guard let link else { return nil }
        if case .calling = link.state { return nil }
        return (link.token, link.expires)
    }

    var deadline: Instant? { current?.expires }
    mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .open: if link == nil { make(at: now) }
        case .close: link = nil
        case .connectionClosed(let id):
            guard case .claimed(let visitor, id) = link?.state else { return }
            link?.state = .claimed(visitor: visitor, connection: nil)
        case .callEnded(let id):
            guard case .calling(id) = link?.state else { return }
            make(at: now)
        }
    }

    mutating func handleTimeout(at now: Instant) {
        guard let deadline, deadline <= now else { return }
        outputs.append(.expired)
        if case .claimed(_, let connection?) = link?.state { outputs.append(.disconnect(connection)) }
        make(at: now)
    }

    private mutating func make(at now: Instant) {
        let made = Link(token: random.token(LinkBook.tokenLength), expires: now + LinkBook.lifetime)
        link = made
        outputs.append(.made(token: made.token, expires: made.expires))
    }

    // MARK: who comes

    /// Whether this browser gets the page.
    /// - Parameter visitor: what its cookie says; nil without one.
    func admits(_ token: String, visitor: String?, at now: Instant) -> Bool {
        guard let link, LinkBook.isSame(link.token, token), now < link.expires else { return false }
        switch link.state {
        case .open: return true
        case .claimed(let owner, _): return visitor.map { LinkBook.isSame(owner, $0) } ?? false
        case .calling: return false
        }
    }

    /// The page connects. A connection that it had before is given up.
    mutating func claim(_ token: String, visitor: String?, connection: ConnectionID, at now: Instant) -> Bool {
        guard let visitor, visitor.utf8.count == LinkBook.tokenLength, admits(token, visitor: visitor, at: now) else { return false }
        if case .claimed(_, let earlier?) = link?.state { outputs.append(.disconnect(earlier)) }
        link?.state = .claimed(visitor: visitor, connection: connection)
        return true
    }

    /// The one call of the link came by this connection. False: this is not its connection, or it was used.
    mutating func use(connection: ConnectionID, call: CallID) -> Bool {
        guard mayCall(connection) else { return false }
        link?.state = .calling(call)
        outputs.append(.used(call))
        return true
    }

    func mayCall(_ connection: ConnectionID) -> Bool {
        if case .claimed(_, connection) = link?.state { true } else { false }
    }

    /// Takes the same time whatever differs.
    private static func isSame(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
