import Core
import Interface
import SIP
import Testing

@testable import Engine

/// One link, one browser, one call, fifteen minutes.
struct LinkBookTests {
    private static let visitor = String(repeating: "v", count: LinkBook.tokenLength)
    private static let stranger = String(repeating: "s", count: LinkBook.tokenLength)
    private let connection = ConnectionID(raw: 2)
    private let later = ConnectionID(raw: 4)

    private func open(at now: Instant = .zero) throws -> (book: Desk, token: String) {
        let book = Desk()
        book.handle(.open, at: now)
        let token = try #require(book.current?.token)
        #expect(book.poll() == .made(token: token, expires: now + .seconds(900)) && book.poll() == nil)
        return (book, token)
    }

    @Test func aTokenHasLettersAndDigitsOnly() throws {
        let (_, token) = try open()
        #expect(token.utf8.count == 22 && token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }

    /// Whoever only looks spoils nothing; who connects owns the link, and may come again.
    @Test func theFirstThatConnectsOwnsIt() throws {
        let (book, token) = try open()
        #expect(book.admits(token, visitor: nil, at: .zero) && book.admits(token, visitor: Self.stranger, at: .zero))
        #expect(!book.admits(String(token.dropLast()) + "!", visitor: nil, at: .zero) && !book.admits("", visitor: nil, at: .zero))
        // Without a cookie nothing is claimed.
        #expect(!book.claim(token, visitor: nil, connection: connection, at: .zero))
        #expect(book.claim(token, visitor: Self.visitor, connection: connection, at: .zero))
        #expect(book.admits(token, visitor: Self.visitor, at: .zero))
        #expect(!book.admits(token, visitor: Self.stranger, at: .zero) && !book.admits(token, visitor: nil, at: .zero))
        #expect(!book.claim(token, visitor: Self.stranger, connection: later, at: .zero) && !book.mayCall(later))
        // A reload: the page's former connection is given up.
        #expect(book.claim(token, visitor: Self.visitor, connection: later, at: .zero))
        #expect(book.poll() == .disconnect(connection) && !book.mayCall(connection) && book.mayCall(later))
    }

    @Test func aLinkIsGoodForOneCall() throws {
        let (book, token) = try open()
        #expect(!book.use(connection: connection, call: CallID(1)))
        #expect(book.claim(token, visitor: Self.visitor, connection: connection, at: .zero))
        #expect(book.use(connection: connection, call: CallID(1)) && book.poll() == .used(CallID(1)))
        // While it is called, nobody comes in, its own browser included.
        #expect(book.current == nil && book.deadline == nil)
        #expect(!book.admits(token, visitor: Self.visitor, at: .zero) && !book.use(connection: connection, call: CallID(2)))
        book.handle(.callEnded(CallID(9)), at: Instant(nanoseconds: 5))
        #expect(book.current == nil)
        book.handle(.callEnded(CallID(1)), at: Instant(nanoseconds: 5))
        let next = try #require(book.current)
        #expect(next.token != token && next.expires == Instant(nanoseconds: 5) + .seconds(900))
        #expect(!book.admits(token, visitor: Self.visitor, at: Instant(nanoseconds: 5)))
    }

    @Test func itExpiresAfterFifteenMinutes() throws {
        let (book, token) = try open()
        #expect(book.claim(token, visitor: Self.visitor, connection: connection, at: .zero))
        let last = Instant.zero + .seconds(899)
        book.handleTimeout(at: last)
        #expect(book.poll() == nil && book.admits(token, visitor: Self.visitor, at: last))
        let due = Instant.zero + .seconds(900)
        #expect(book.deadline == due && !book.admits(token, visitor: Self.visitor, at: due))
        book.handleTimeout(at: due)
        #expect(book.poll() == .expired && book.poll() == .disconnect(connection))
        let next = try #require(book.current)
        #expect(book.poll() == .made(token: next.token, expires: due + .seconds(900)))
        #expect(next.token != token && !book.admits(token, visitor: nil, at: due) && !book.mayCall(connection))
        book.handle(.close, at: due)
        #expect(book.current == nil && !book.admits(next.token, visitor: nil, at: due))
    }

    /// A page that goes away before it calls may come back.
    @Test func aPageThatLeavesMayComeBack() throws {
        let (book, token) = try open()
        #expect(book.claim(token, visitor: Self.visitor, connection: connection, at: .zero))
        book.handle(.connectionClosed(connection), at: .zero)
        #expect(!book.mayCall(connection) && !book.admits(token, visitor: Self.stranger, at: .zero))
        #expect(book.claim(token, visitor: Self.visitor, connection: later, at: .zero) && book.poll() == nil && book.mayCall(later))
    }
}

/// The book by reference, so that what changes it can stand in an expectation.
private final class Desk {
    private var book = LinkBook(random: RandomSource(seed: 1))

    var current: (token: String, expires: Instant)? { book.current }
    var deadline: Instant? { book.deadline }
    func handle(_ input: LinkBook.Input, at now: Instant) { book.handle(input, at: now) }
    func handleTimeout(at now: Instant) { book.handleTimeout(at: now) }
    func poll() -> LinkBook.Output? { book.poll() }
    func admits(_ token: String, visitor: String?, at now: Instant) -> Bool { book.admits(token, visitor: visitor, at: now) }
    func claim(_ token: String, visitor: String?, connection: ConnectionID, at now: Instant) -> Bool {
        book.claim(token, visitor: visitor, connection: connection, at: now)
    }
    func use(connection: ConnectionID, call: CallID) -> Bool { book.use(connection: connection, call: call) }
    func mayCall(_ connection: ConnectionID) -> Bool { book.mayCall(connection) }
}
