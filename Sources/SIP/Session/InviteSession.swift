import Core

/// One INVITE session (RFC 3261 §13, §14, §15) from the first INVITE to the end of its last fork. Knows no media: SDP is bytes.
struct InviteSession: StateMachine {
    enum State {
        case idle
        /// Caller: the INVITE has no final response yet.
        case inviting(RequestToken)
        /// Caller: hung up, `.ended` was told; the INVITE is still open.
        case cancelling(RequestToken)
        /// Caller: 488 or 606; the phone may try again.
        case refused(status: Int, reason: String)
        /// Caller: the 2xx holds an offer; our ACK waits for the answer.
        case awaitingAnswer(tag: String, invite: SIPRequest)
        /// Callee: no final response yet.
        case ringing(TransactionKey, invite: SIPRequest, last: SIPResponse?)
        /// Callee: 2xx sent, no ACK yet.
        case answered
        /// Callee: hung up before the ACK; the BYE follows the ACK (§15).
        case hangingUp(reason: String?)
        case established
        /// `.ended` was told; what is left drains.
        case ended
    }

    /// Changing an established session (§14, RFC 3311).
    enum Modification {
        case none
        /// Our re-INVITE is out.
        case offered(RequestToken, body: [UInt8]?, attempt: Int)
        /// Our re-INVITE had no offer, its 2xx had one: our ACK waits for the answer.
        case answering(invite: SIPRequest)
        /// Theirs waits for our answer.
        case requested(TransactionKey, SIPRequest)
    }

    enum Timer: Hashable, Sendable {
        /// Nobody answers.
        case ring
        /// A provisional response each minute (§13.3.1.1).
        case refresh
        /// The repeat of the 2xx to the INVITE with this number.
        case retransmit(UInt32)
        /// Its ACK is missing for 64·T1.
        case acknowledgement(UInt32)
        /// A re-INVITE that met another one (§14.1).
        case backOff
        /// The next try to tell the peer our new Contact.
        case flow
    }

    /// What a request of ours is for.
    enum Purpose {
        case invite
        case modification
        case bye(tag: String)
        case info(tag: String, package: String)
        /// Tells our new Contact.
        case refresh
    }

    /// A 2xx of ours without its ACK.
    struct Unacknowledged {
        var key: TransactionKey
        var response: SIPResponse
        var interval: Duration
        /// The ACK brings the answer.
        var expectsAnswer: Bool
    }

    struct AcknowledgementKey: Hashable {
        var tag: String
        var number: UInt32
    }

    static let maximumForks = 32
    static let maximumGlares = 10
    static let sdp = "application/sdp"

    let id: SessionID
    let callID: String
    let localTag: String
    let account: String?
    let isCaller: Bool
    let timings: TransactionTimings
    let ringLimit: Duration
    let random: RandomSource
    /// INFO packages that we take, in lower case.
    let packages: [String]

    var state = State.idle
    var modification = Modification.none
    /// Our next re-INVITE, waiting for `Timer.backOff`.
    var postponed: (body: [UInt8]?, attempt: Int)?
    /// By the peer's tag. A caller may have several early ones.
    var dialogs: [String: Dialog] = [:]
    /// The peer's tag of the session's own dialog.
    var tag = ""
    var requests: [RequestToken: Purpose] = [:]
    var unacknowledged: [UInt32: Unacknowledged] = [:]
    /// ACKs of 2xx that went out, to be repeated with each repeated 2xx.
    var acknowledgements: [AcknowledgementKey: RequestToken] = [:]
    /// The sequence number under which an INVITE had its 2xx.
    var acceptedNumbers: [RequestToken: UInt32] = [:]
    var sequence: UInt32 = 0
    var credentialsSent = false
    /// Where the peer was heard last.
    var flow: SIPFlow?
    /// What a caller's INVITE is made of.
    var template: Template?
    /// Option tags and INFO packages of the peer, in lower case.
    var peerSupported: Set<String> = []
    var peerPackages: Set<String> = []
    var peerAllows: Set<SIPMethod> = []
    /// The connection is gone and the peer does not know our new one.
    var isRefreshDue = false
    var flowFailures = 0
    /// Callee: a request of the peer carried our tag.
    var isTagKnown = false
    var infoQueue: [QueuedInfo] = []
    /// The INFO that is on its way.
    var infoRequest: RequestToken?

    var timers = TimerTable<Timer>()
    private var tokenCounter: UInt64 = 0
    private var outputs: [Output] = []

    init(
        id: SessionID, callID: String, localTag: String, account: String?, isCaller: Bool, timings: TransactionTimings, ringLimit: Duration,
        random: RandomSource, packages: [String] = []
    ) {
        self.id = id
        self.callID = callID
        self.localTag = localTag
        self.account = account
        self.isCaller = isCaller
        self.timings = timings
        self.ringLimit = ringLimit
        self.random = random
        self.packages = packages
    }

    var deadline: Instant? { timers.deadline }
    mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }
    mutating func emit(_ output: Output) { outputs.append(output) }
    mutating func tell(_ event: UserAgentEvent) { outputs.append(.event(event)) }

    /// `.ended` was told.
    var isOver: Bool {
        switch state {
        case .cancelling, .hangingUp, .ended: true
        case .idle, .inviting, .refused, .awaitingAnswer, .ringing, .answered, .established: false
        }
    }

    /// Nothing is left: the session can be forgotten.
    var isFinished: Bool {
        if case .ended = state { return requests.isEmpty && unacknowledged.isEmpty }
        return false
    }

    /// No request of ours waits for its final response and no 2xx of ours for its ACK.
    var isSettled: Bool {
        switch state {
        case .ended: break
        case .idle, .inviting, .cancelling, .refused, .awaitingAnswer, .ringing, .answered, .hangingUp, .established: return false
        }
        return unacknowledged.isEmpty && !requests.values.contains { if case .bye = $0 { true } else { false } }
    }

    mutating func makeToken(_ purpose: Purpose) -> RequestToken {
        tokenCounter &+= 1
        let token = RequestToken(owner: .session(id), number: tokenCounter)
        requests[token] = purpose
        return token
    }

    /// The last event of the session.
    mutating func end(_ end: SessionEnd) {
        var end = end
        end.credentialsSent = credentialsSent
        timers.cancel(.ring)
        timers.cancel(.refresh)
        timers.cancel(.backOff)
        timers.cancel(.flow)
        postponed = nil
        infoQueue = []
        tell(.ended(id, end))
    }
}

extension InviteSession {
    /// Callee, without a final response.
    var isRinging: Bool { if case .ringing = state { true } else { false } }
}
