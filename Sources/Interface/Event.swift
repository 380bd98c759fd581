/// What happened, for people and programs: each case is one `type` of the JSON Lines.
public enum Event: Sendable, Equatable {
    /// `port` nil for `ws` and `wss`.
    case listening(transport: String, address: String, port: UInt16?)
    case registration(account: AccountID, state: RegistrationState, status: Int?, expiresSeconds: Int?)
    /// A new link by which a browser may call, once.
    case link(url: String, expiresSeconds: Int)
    case callIncoming(CallID, from: String, displayName: String?, to: String, security: SecurityMode, video: Bool)
    case callState(CallID, CallState, heldBy: HeldBy?, reason: String?)
    case callIce(CallID, component: String, iceState: String, pairs: [CandidatePairStatistics])
    case callDtls(CallID, TransportStatistics)
    case callStats(CallID, transports: [TransportStatistics], streams: [StreamStatistics])
    case callDTMF(CallID, digit: String, durationMs: Int, direction: DTMFDirection)
    /// One line for a person, with a code in kebab-case for programs.
    case notice(Severity, code: String, message: String, call: CallID?)
    case result(CallResult)

    public var call: CallID? {
        switch self {
        case .listening, .registration, .link: nil
        case .callIncoming(let id, _, _, _, _, _), .callState(let id, _, _, _), .callIce(let id, _, _, _), .callDtls(let id, _),
            .callStats(let id, _, _), .callDTMF(let id, _, _, _):
            id
        case .notice(_, _, _, let id): id
        case .result(let result): result.call
        }
    }
}

public enum RegistrationState: String, Sendable, Hashable { case registering, registered, failed, unregistered }

public enum DTMFDirection: String, Sendable, Hashable { case incoming = "in", outgoing = "out" }

/// The `type` of a notice.
public enum Severity: String, Sendable, Hashable { case message, warning, error }

/// The last line of a call.
public struct CallResult: Sendable, Equatable {
    public var call: CallID
    public var outcome: Outcome
    /// What was negotiated at last; nil when nothing was.
    public var security: SecurityMode?
    public var securityOffered: SecurityMode?
    public var status: Int?
    public var reason: String?
    public var remoteUri: String
    /// "local" or "remote".
    public var endedBy: String
    /// Contacts of a 3xx, not followed by itself.
    public var redirectedTo: [String] = []
    public var setup = SetupTimes()
    public var transports: [TransportStatistics] = []
    public var streams: [StreamStatistics] = []

    public init(call: CallID, outcome: Outcome, remoteUri: String, endedBy: String) {
        self.call = call
        self.outcome = outcome
        self.remoteUri = remoteUri
        self.endedBy = endedBy
    }
}

/// An event with the wall-clock time at which it happened.
public struct TimedEvent: Sendable, Equatable {
    public var time: WallTime
    public var event: Event
    public init(time: WallTime, event: Event) {
        self.time = time
        self.event = event
    }
}
