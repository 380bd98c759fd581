import Core

/// Names one INVITE session; handed out by the user agent.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    public let raw: UInt64
    public init(raw: UInt64) { self.raw = raw }
    public var description: String { String(raw) }
}

/// What an INVITE from outside says.
public struct IncomingCall: Sendable {
    public var from: NameAddress
    public var to: NameAddress
    public var requestURI: SIPURI
    /// The body of the INVITE; nil: we offer in the 200, the answer comes in the ACK.
    public var offer: [UInt8]?
    public var contentType: String
    public var flow: SIPFlow
    public var callID: String
    /// The account whose address of record or Contact user the Request-URI names.
    public var account: String?
    /// From a page that we served: what it says about itself counts for nothing.
    public var isGuest: Bool { UserAgent.isGuest(flow) }

    public init(
        from: NameAddress, to: NameAddress, requestURI: SIPURI, offer: [UInt8]?, contentType: String = "application/sdp", flow: SIPFlow,
        callID: String, account: String? = nil
    ) {
        self.from = from
        self.to = to
        self.requestURI = requestURI
        self.offer = offer
        self.contentType = contentType
        self.flow = flow
        self.callID = callID
        self.account = account
    }
}

/// How a session ended.
public struct SessionEnd: Sendable, Equatable {
    public enum Side: String, Sendable { case local, remote }

    public enum Cause: Sendable, Equatable {
        case bye
        /// CANCEL, ours or theirs.
        case cancelled
        /// A final response other than 2xx, ours or theirs.
        case rejected
        /// No final response at all.
        case timeout
        /// The name does not resolve, ICMP, connection refused or lost.
        case unreachable
        case tls(String)
        /// 401 or 407 without credentials, or with refused ones.
        case unauthorized
        /// Our 2xx was never acknowledged.
        case noAck
    }

    public var by: Side
    /// The final status of the INVITE, when there was one.
    public var status: Int?
    /// The reason phrase, the text of a Reason header, or what the transport said.
    public var reason: String
    public var cause: Cause
    /// True when one of our requests carried an Authorization or Proxy-Authorization.
    public var credentialsSent: Bool
    /// The Contacts of a 3xx.
    public var redirectedTo: [SIPURI]

    public init(
        by: Side, status: Int? = nil, reason: String = "", cause: Cause, credentialsSent: Bool = false, redirectedTo: [SIPURI] = []
    ) {
        self.by = by
        self.status = status
        self.reason = reason
        self.cause = cause
        self.credentialsSent = credentialsSent
        self.redirectedTo = redirectedTo
    }
}

public enum RegistrationState: String, Sendable { case registering, registered, failed, unregistered }

/// What a user agent tells.
public enum UserAgentEvent: Sendable {
    case incomingCall(SessionID, IncomingCall)
    /// A 1xx other than 100. `dialog` is the To tag: forks differ in it.
    case provisional(SessionID, status: Int, reason: String, sdp: [UInt8]?, dialog: String)
    /// The first 2xx. Without an offer in our INVITE, `sdp` is the offer and `.acknowledge` must follow.
    case answered(SessionID, status: Int, reason: String, sdp: [UInt8]?, dialog: String, remoteTarget: SIPURI, flow: SIPFlow)
    /// The ACK of our 2xx. For a re-INVITE only when the ACK carries the answer.
    case acknowledged(SessionID, sdp: [UInt8]?)
    /// A re-INVITE or UPDATE: `.answerReoffer` must follow. Without `sdp` we are to offer.
    case reoffered(SessionID, sdp: [UInt8]?)
    case reofferAnswered(SessionID, sdp: [UInt8]?)
    case reofferFailed(SessionID, status: Int)
    /// The connection of an established session was lost and the peer takes no UPDATE: `.reoffer` with the description in force tells it our new
    /// Contact.
    case refreshNeeded(SessionID)
    /// 488 or 606 to our INVITE: the session waits for `.retry` or `.hangUp`.
    case rejected(SessionID, status: Int, reason: String, headers: SIPHeaders)
    case dtmfInfo(SessionID, digit: Character, durationMs: Int)
    /// An INFO of a package that we take (RFC 6086); answered with 200 already.
    case info(SessionID, package: String, contentType: String, body: [UInt8])
    /// An INFO of ours was not taken: its status; 469 also when the peer never said that it takes the package, 408 and 503 when no
    /// response came.
    case infoFailed(SessionID, package: String, status: Int)
    /// The last event of a session.
    case ended(SessionID, SessionEnd)
    /// `cause` with `.failed` only.
    case registration(account: String, state: RegistrationState, status: Int?, expiresSeconds: Int?, cause: SessionEnd.Cause?)
}
