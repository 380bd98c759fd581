/// The whole visible state of the phone at one moment; replaced, never changed in place by its readers.
public struct Snapshot: Sendable, Equatable {
    public var time: WallTime
    public var listening: [String] = []
    public var accounts: [AccountSnapshot] = []
    /// In order of creation; ended calls leave it for `history`.
    public var calls: [CallSnapshot] = []
    public var focused: CallID?
    public var audio = AudioSnapshot()
    /// The newest notice for the message line.
    public var notice: Notice?
    /// Newest first, 50 at most.
    public var history: [HistoryEntry] = []
    public var isQuitting = false
    /// With a web port, and while there is no call by the link.
    public var link: LinkSnapshot?

    public init(time: WallTime) { self.time = time }
}

/// The link by which a browser may call.
public struct LinkSnapshot: Sendable, Equatable {
    public var url: String
    public var expiresAt: WallTime
    public init(url: String, expiresAt: WallTime) {
        self.url = url
        self.expiresAt = expiresAt
    }
}

public struct Notice: Sendable, Equatable {
    public var severity: Severity
    public var code: String
    public var message: String
    public var time: WallTime
    public init(severity: Severity, code: String, message: String, time: WallTime) {
        self.severity = severity
        self.code = code
        self.message = message
        self.time = time
    }
}

public struct AccountSnapshot: Sendable, Equatable {
    public var id: AccountID
    public var uri: String
    public var state: RegistrationState
    public var status: Int?
    public var expiresSeconds: Int?
    public init(id: AccountID, uri: String, state: RegistrationState, status: Int? = nil, expiresSeconds: Int? = nil) {
        self.id = id
        self.uri = uri
        self.state = state
        self.status = status
        self.expiresSeconds = expiresSeconds
    }
}

/// How audio goes between two calls that are joined.
public enum BridgeMode: String, Sendable, Hashable {
    /// Packets go across as they are: both calls have the same codec.
    case passedThrough = "passed-through"
    case transcoded
}

public struct CallSnapshot: Sendable, Equatable {
    public var id: CallID
    public var direction: CallDirection
    public var state: CallState
    public var remoteUri: String
    public var displayName: String?
    public var startedAt: WallTime
    public var answeredAt: WallTime?
    public var heldBy: HeldBy?
    public var isMuted = false
    public var isSilenced = false
    public var security: SecurityMode?
    /// Keys of SDES came over signalling that is not encrypted.
    public var keysInClear = false
    /// The call was offered again with less security than asked first.
    public var securityDowngraded = false
    public var setup = SetupTimes()
    public var transports: [TransportStatistics] = []
    public var streams: [StreamStatistics] = []
    public var digitsSent = ""
    public var digitsReceived = ""
    /// The call that this one is joined with, and how audio goes between them.
    public var joinedWith: CallID?
    public var bridgeMode: BridgeMode?
    /// A video section was agreed on.
    public var hasVideo = false

    public init(id: CallID, direction: CallDirection, state: CallState, remoteUri: String, startedAt: WallTime) {
        self.id = id
        self.direction = direction
        self.state = state
        self.remoteUri = remoteUri
        self.startedAt = startedAt
    }
}

public struct AudioSnapshot: Sendable, Equatable {
    /// The specification in use and why, e.g. "alsa:default", "null".
    public var input = "null"
    public var output = "null"
    /// What can be chosen.
    public var inputs: [String] = []
    public var outputs: [String] = []
    public init() {}
}

public struct HistoryEntry: Sendable, Equatable {
    public var direction: CallDirection
    public var remoteUri: String
    public var displayName: String?
    public var startedAt: WallTime
    /// Seconds from the answer to the end; nil when never answered.
    public var durationSeconds: Int?
    public var outcome: Outcome
    public init(direction: CallDirection, remoteUri: String, displayName: String?, startedAt: WallTime, durationSeconds: Int?, outcome: Outcome) {
        self.direction = direction
        self.remoteUri = remoteUri
        self.displayName = displayName
        self.startedAt = startedAt
        self.durationSeconds = durationSeconds
        self.outcome = outcome
    }
}
