import Core

/// W3C RTCIceTransportState. `completed`: every component has its nominated pair. `disconnected`: consent expired.
public enum IceState: String, Sendable {
    case new, checking, connected, completed, disconnected, failed, closed
}

/// W3C RTCIceRole.
public enum IceRole: String, Sendable {
    case controlling, controlled

    var opposite: IceRole { self == .controlling ? .controlled : .controlling }
}

/// W3C RTCIceGatheringState.
public enum IceGatheringState: String, Sendable {
    case new, gathering, complete
}

/// W3C RTCStatsIceCandidatePairState; the states of RFC 8445 §6.1.2.6.
public enum IcePairState: String, Sendable {
    case frozen, waiting
    case inProgress = "in-progress"
    case failed, succeeded
}

public struct IceConfiguration: Sendable {
    /// The offerer controls, unless the peer is lite (RFC 8445 §6.1.1).
    public var isControlling: Bool
    /// 1 with rtcp-mux, else 2.
    public var components: Int
    public var policy = IcePolicy.all
    /// Ta: time between two checks (RFC 8445 §14.2).
    public var ta: Duration = .milliseconds(50)
    /// From the remote description to giving up.
    public var timeout: Duration = .seconds(30)
    /// How long a valid pair waits for a better one before we nominate it.
    public var nominationPatience: Duration = .milliseconds(150)
    /// Mean time between two consent checks; each is drawn from 0.8 to 1.2 of it (RFC 7675 §5.1).
    public var consentInterval: Duration = .seconds(5)
    /// Consent expires this long after the last answer (RFC 7675 §5.1).
    public var consentTimeout: Duration = .seconds(30)

    public init(isControlling: Bool, components: Int = 1) {
        self.isControlling = isControlling
        self.components = min(2, max(1, components))
    }
}

/// One candidate pair as W3C RTCIceCandidatePairStats tells it.
public struct IcePairSnapshot: Sendable, Hashable {
    /// Unique within the agent.
    public var id: Int
    public var component: Int
    public var local: IceCandidate
    public var remote: IceCandidate
    public var state: IcePairState
    public var nominated: Bool
    public var priority: UInt64
    /// From the last check that was answered without having been sent again.
    public var currentRoundTripTime: Duration?
    public var totalRoundTripTime: Duration
    public var requestsSent: Int
    public var responsesReceived: Int
    public var requestsReceived: Int
    public var responsesSent: Int
    public var consentRequestsSent: Int
}

public enum IceEvent: Sendable, Hashable {
    /// Gathered; to be signalled when trickling.
    case localCandidate(IceCandidate)
    case gatheringComplete
    case stateChanged(IceState)
    /// The first valid pair of a component: DTLS may start.
    case validPair(component: Int, local: SocketAddress, remote: SocketAddress)
    /// A pair was nominated and is used now; comes again when a better one is nominated.
    case selectedPair(component: Int, IcePairSnapshot)
    /// Nothing may be sent to the peer on this component any more (RFC 7675 §5.1).
    case consentLost(component: Int)
    /// A STUN or TURN server gave nothing: its error code, if it sent one, and why, for a person. `message` may hold the server's words:
    /// to be sanitised before it is shown.
    case serverFailed(server: SocketAddress, isTurn: Bool, code: Int?, message: String)
    /// A role conflict was settled against the role we began with, or the peer is lite.
    case roleChanged(IceRole)
}

/// What came in and changed nothing, and what was refused.
public struct IceCounters: Sendable, Hashable {
    public var requestsReceived = 0
    /// Not STUN, damaged, another method, or for an address that is not ours.
    public var malformed = 0
    /// Requests answered 400: USERNAME or MESSAGE-INTEGRITY is missing.
    public var badRequests = 0
    /// Requests answered 401: wrong USERNAME or MESSAGE-INTEGRITY.
    public var unauthenticated = 0
    /// Requests answered 420.
    public var unknownAttributes = 0
    /// 487 sent or received.
    public var roleConflicts = 0
    /// Responses to no open transaction: late, repeated or forged.
    public var unknownTransactions = 0
    /// Responses whose integrity was wrong.
    public var forgedResponses = 0
    /// Error responses to our checks, other than 487.
    public var errorResponses = 0
    /// Candidates, pairs or early checks refused because a cap was reached.
    public var overflow = 0

    public init() {}
}
