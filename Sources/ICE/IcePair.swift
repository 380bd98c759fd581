import Core

/// One entry of the check list (RFC 8445 §6.1.2). Reflexive local candidates are represented by their base (§6.1.2.4).
struct IcePair: Sendable {
    typealias ID = Int

    /// RFC 8445 §6.1.2.6; a failed pair is not final here, it waits for another try.
    enum Check: Sendable, Equatable {
        case frozen, waiting
        case inProgress(StunTransactionID)
        case succeeded
        case failed
    }

    enum Nomination: Sendable, Equatable {
        case none
        /// The controlling peer sent USE-CANDIDATE before our own check succeeded (§7.3.1.5).
        case requestedByPeer
        /// We, controlling, are sending USE-CANDIDATE (§8.1.1).
        case inFlight
        case nominated
    }

    let id: ID
    let component: Int
    /// The host candidate we send from, until an answer shows the reflexive one (§7.2.5.3.2).
    var local: IceCandidate
    var remote: IceCandidate
    var priority: UInt64 = 0
    var check = Check.frozen
    var nomination = Nomination.none
    /// Tries that failed since the last success: sets the back-off.
    var failures = 0
    /// Nominations of ours that were not answered.
    var failedNominations = 0
    var lastResponse: Instant?
    /// The peer has asked on it without USE-CANDIDATE: it nominates regularly, one pair after another, and its newest wish counts. An aggressive
    /// one nominates with its first check (RFC 5245 §8.1.1.2).
    var isAskedPlainly = false
    /// When the peer last asked on it: its consent checks go where it sends.
    var lastRequested: Instant?
    var currentRoundTripTime: Duration?
    var totalRoundTripTime = Duration.zero
    var requestsSent = 0
    var responsesReceived = 0
    var requestsReceived = 0
    var responsesSent = 0
    var consentRequestsSent = 0

    init(id: ID, local: IceCandidate, remote: IceCandidate, role: IceRole) {
        self.id = id
        component = local.component
        self.local = local
        self.remote = remote
        prioritise(role)
    }

    var base: SocketAddress { local.base }

    var foundation: [String] { [local.foundation, remote.foundation] }

    var isRelayed: Bool { local.kind == .relayed || remote.kind == .relayed }

    var isSucceeded: Bool { check == .succeeded }

    var isInProgress: Bool { if case .inProgress = check { true } else { false } }

    /// Waiting for its turn or for an answer: it may still become valid soon.
    var isUnsettled: Bool {
        switch check {
        case .frozen, .waiting, .inProgress: true
        case .succeeded, .failed: false
        }
    }

    /// RFC 8445 §6.1.2.3: 2^32 × min(G, D) + 2 × max(G, D) + (G > D ? 1 : 0). Priorities are below 2^31.
    mutating func prioritise(_ role: IceRole) {
        let limit = UInt32(Int32.max)
        let mine = UInt64(min(local.priority, limit))
        let theirs = UInt64(min(remote.priority, limit))
        let (g, d) = role == .controlling ? (mine, theirs) : (theirs, mine)
        priority = min(g, d) << 32 + 2 * max(g, d) + (g > d ? 1 : 0)
    }

    var snapshot: IcePairSnapshot {
        IcePairSnapshot(
            id: id, component: component, local: local, remote: remote, state: state, nominated: nomination == .nominated, priority: priority,
            currentRoundTripTime: currentRoundTripTime, totalRoundTripTime: totalRoundTripTime, requestsSent: requestsSent,
            responsesReceived: responsesReceived, requestsReceived: requestsReceived, responsesSent: responsesSent,
            consentRequestsSent: consentRequestsSent)
    }

    private var state: IcePairState {
        switch check {
        case .frozen: .frozen
        case .waiting: .waiting
        case .inProgress: .inProgress
        case .succeeded: .succeeded
        case .failed: .failed
        }
    }
}

/// A request of ours that waits for its response.
struct IceTransaction: Sendable {
    enum Purpose: Sendable, Equatable {
        /// Asking a STUN server (RFC 8445 §5.1.1.2).
        case gather(component: Int)
        /// Keeping that mapping alive until the peer is known (§5.1.1.4).
        case refresh
        case check(IcePair.ID, nominating: Bool)
        case consent(IcePair.ID)
    }

    let purpose: Purpose
    let source: SocketAddress
    let destination: SocketAddress
    let payload: [UInt8]
    /// Nil for a STUN server, which knows no password of ours.
    let key: StunKey?
    let role: IceRole
    /// The PRIORITY that was sent: that of a peer-reflexive candidate found by this check (§7.2.5.3.1).
    let priority: UInt32
    let rto: Duration
    /// Requests in all before giving up; 1 is never repeated.
    var tries: Int
    var sent = 1
    let firstSent: Instant
}

/// An authenticated check that came before the remote description, or from a peer other than the described one.
struct IceEarlyCheck: Sendable {
    let component: Int
    let base: SocketAddress
    let source: SocketAddress
    let remoteUfrag: ArraySlice<UInt8>
    var priority: UInt32
    var isNominating: Bool
}
