import Core

/// A SIP user agent (RFC 3261): owns flows, resolution, transactions, sessions and registrations. Bytes and facts in, bytes and wishes out.
public struct UserAgent: StateMachine {
    enum Timer: Hashable, Sendable {
        case client(TransactionKey)
        case server(TransactionKey)
        case session(SessionID)
        case registration(String)
        case request(RequestToken)
        case connection(ConnectionID)
    }

    enum Phase { case running, shuttingDown }

    /// Finds the session of a request inside a dialog: our tags are unique.
    struct LocalDialog: Hashable {
        let callID: String
        let localTag: String
    }

    public let configuration: UserAgentConfiguration
    public internal(set) var strays = Strays()
    /// A target in this very process, to which no proxy leads.
    public var directTarget: SIPURI?
    let random: RandomSource
    var phase = Phase.running

    var accounts: [String: AccountState] = [:]
    var registrations: [String: Registration] = [:]
    var sessions: [SessionID: InviteSession] = [:]
    var sessionsByDialog: [LocalDialog: SessionID] = [:]
    var clientTransactions: [TransactionKey: ClientTransaction] = [:]
    var serverTransactions: [TransactionKey: ServerTransaction] = [:]
    /// How many of them came from an address.
    var transactionsBySource: [IPAddress: Int] = [:]
    var mergeable: [ServerTransaction.MergeKey: TransactionKey] = [:]
    var deliveries: [RequestToken: Delivery] = [:]
    var resolutions: [ResolutionID: RequestToken] = [:]
    var connections: [ConnectionID: Connection] = [:]
    var connectionsByRemote: [ConnectionKey: ConnectionID] = [:]
    /// The names under which servers were reached, to come back to them when a connection is gone.
    var serverNames: [Remote: String] = [:]
    var listeners: [(transport: SIPTransport, address: SocketAddress)] = []
    /// UDP sockets that are there to send from only.
    var sources: [SocketAddress] = []

    var timers = TimerTable<Timer>()
    private var outputs: [Output] = []
    private var firstOutput = 0
    private var sessionCounter: UInt64 = 0
    private var resolutionCounter: UInt64 = 0
    private var connectionCounter: UInt64 = 0

    public init(configuration: UserAgentConfiguration, random: RandomSource) {
        self.configuration = configuration
        self.random = random
    }

    /// A name for a session that `.invite` will start.
    public mutating func makeSessionID() -> SessionID {
        sessionCounter &+= 1
        return SessionID(raw: sessionCounter)
    }

    mutating func makeResolutionID() -> ResolutionID {
        resolutionCounter &+= 1
        return ResolutionID(raw: resolutionCounter)
    }

    mutating func makeConnectionID() -> ConnectionID {
        defer { connectionCounter &+= 2 }
        return ConnectionID(raw: connectionCounter | 1)
    }

    // MARK: Driving

    public var deadline: Instant? { timers.deadline }

    public mutating func poll() -> Output? {
        guard firstOutput < outputs.count else { return nil }
        let output = outputs[firstOutput]
        firstOutput += 1
        if firstOutput == outputs.count {
            outputs.removeAll(keepingCapacity: firstOutput < 64)
            firstOutput = 0
        }
        return output
    }

    mutating func emit(_ output: Output) { outputs.append(output) }
    mutating func tell(_ event: UserAgentEvent) { outputs.append(.event(event)) }

    public mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch timer {
            case .client(let key):
                clientTransactions[key]?.handleTimeout(at: now)
                drainClient(key, at: now)
            case .server(let key):
                serverTransactions[key]?.handleTimeout(at: now)
                drainServer(key, at: now)
            case .session(let id):
                sessions[id]?.handleTimeout(at: now)
                drainSession(id, at: now)
            case .registration(let account):
                registrations[account]?.handleTimeout(at: now)
                drainRegistration(account, at: now)
            case .request(let token): requestExpired(token, at: now)
            case .connection(let id): connectionIdle(id, at: now)
            }
        }
    }

    mutating func setTimer(_ timer: Timer, _ deadline: Instant?) {
        guard timers.deadline(of: timer) != deadline else { return }
        if let deadline { timers.set(timer, at: deadline) } else { timers.cancel(timer) }
    }

    // MARK: Looking in

    public var counts: Counts {
        var counts = Counts()
        counts.clientTransactions = clientTransactions.count
        counts.serverTransactions = serverTransactions.count
        counts.dialogs = sessions.values.reduce(0) { $0 + $1.dialogs.count }
        counts.sessions = sessions.count
        counts.timers = timers.count
        counts.requests = deliveries.count
        counts.connections = connections.count
        return counts
    }

    /// Sessions whose `.ended` was not told yet.
    public var activeSessionCount: Int { sessions.values.reduce(0) { $1.isOver ? $0 : $0 + 1 } }

    /// True when nothing of ours waits for a final response or an ACK: a program may exit.
    public var isSettled: Bool {
        sessions.values.allSatisfy(\.isSettled) && registrations.values.allSatisfy(\.isSettled)
    }
}
