import Core
import Engine
import Foundation
import Interface
import Runtime
import Secure
import Testing

/// All of these tests use real sockets and count descriptors: one after the other.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RuntimeTests {}

/// What was waited for did not come.
struct Hang: Error, CustomStringConvertible {
    var description: String
}

/// Everything a phone said, for any number of readers; each sees it from the beginning.
final class EventLog: Sendable {
    enum Entry: Sendable {
        case event(Event)
        case finished
    }

    /// A lock that the thread sanitizer knows: it cannot see into the slow path of the standard library's `Mutex`.
    private let lock = NSLock()
    private nonisolated(unsafe) var entries: [Entry] = []
    private nonisolated(unsafe) var readers: [AsyncStream<Entry>.Continuation] = []

    func append(_ entry: Entry) {
        lock.withLock {
            entries.append(entry)
            for reader in readers { reader.yield(entry) }
        }
    }

    var events: [Event] {
        lock.withLock { entries.compactMap { if case .event(let event) = $0 { event } else { nil } } }
    }

    private func stream() -> AsyncStream<Entry> {
        let (stream, continuation) = AsyncStream.makeStream(of: Entry.self)
        lock.withLock {
            for entry in entries { continuation.yield(entry) }
            readers.append(continuation)
        }
        return stream
    }

    /// The first value that `match` finds. The bound is against hanging for ever only, unless a test says why it is one of its own.
    func first<Value: Sendable>(_ what: String, within bound: Duration = .seconds(90), _ match: @escaping @Sendable (Entry) -> Value?) async throws
        -> Value
    {
        let stream = stream()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                for await entry in stream { if let value = match(entry) { return value } }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: bound)
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw Hang(description: "no \(what); events: \(events)") }
            return value
        }
    }
}

/// A phone on loopback sockets, without audio devices.
struct TestPhone: Sendable {
    let client: PhoneClient
    let log: EventLog

    init(
        _ listeners: [String] = ["udp:127.0.0.1:0"], transports: TransportConfiguration = TransportConfiguration(),
        configure: (inout PhoneConfiguration) -> Void = { _ in }
    ) throws {
        try self.init(specifications: try listeners.map { try #require(ListenSpecification($0)) }, transports: transports, configure: configure)
    }

    init(
        specifications: [ListenSpecification], transports: TransportConfiguration = TransportConfiguration(),
        configure: (inout PhoneConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = PhoneConfiguration()
        configure(&configuration)
        let log = EventLog()
        self.log = log
        let observer = PhoneObserver(event: { log.append(.event($0.event)) }, finished: { log.append(.finished) })
        client = try PhoneClient(
            configuration: configuration, identity: try CertificateIdentity.selfSigned(unixTime: 1_795_420_931), transports: transports,
            listeners: specifications, wantsSnapshots: false, observer: observer)
    }

    static func started(
        _ listeners: [String] = ["udp:127.0.0.1:0"], transports: TransportConfiguration = TransportConfiguration(),
        configure: (inout PhoneConfiguration) -> Void = { _ in }
    ) async throws -> TestPhone {
        let phone = try TestPhone(listeners, transports: transports, configure: configure)
        try await phone.client.start()
        return phone
    }

    /// The port of the listener of that transport.
    func port(_ transport: String) async throws -> UInt16 {
        try await event("listening on \(transport)") { event in
            if case .listening(transport, _, let port) = event { port } else { nil }
        }
    }

    func event<Value: Sendable>(
        _ what: String, within bound: Duration = .seconds(90), _ match: @escaping @Sendable (Event) -> Value?
    ) async throws -> Value {
        try await log.first(what, within: bound) { if case .event(let event) = $0 { match(event) } else { nil } }
    }

    func result() async throws -> CallResult {
        try await event("result") { if case .result(let result) = $0 { result } else { nil } }
    }

    func reached(_ state: CallState) async throws -> CallID {
        try await event("state \(state)") { if case .callState(let id, state, _, _) = $0 { id } else { nil } }
    }

    /// Ends everything as a person would, then the sockets.
    func quit() async throws {
        await client.send(.quit)
        try await log.first("finished") { if case .finished = $0 { () } else { nil } }
        await client.stop()
    }
}
