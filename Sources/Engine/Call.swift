import Core
import Interface
import SDP
import SIP

/// One call: where its signalling stands, and what joins it to its media. The session knows no media, the media knows no SIP.
final class Call {
    /// Where the call stands, seen from the phone.
    enum Phase {
        // outgoing
        /// The account registers first.
        case registering
        /// Sockets are being opened, candidates gathered.
        case preparing
        case calling
        case ringing
        case early(dialog: String)
        // incoming
        /// Rings; `isReady` once its sockets are open.
        case alerting(isReady: Bool)
        // both
        case answered
        /// BYE, CANCEL or a final answer is on its way.
        case ending
    }

    enum Reoffer { case hold, path, target }

    let id: CallID
    let direction: CallDirection
    let session: SessionID
    let socketID: MediaSocketID
    let media: MediaSession
    var phase: Phase
    var timing: CallTiming
    var remoteUri: String
    var displayName: String?
    var target: SIPURI?
    var account: String?

    /// The mode offered first, and the steps that are left after a refusal.
    var securityOffered: SecurityMode?
    var mode: SecurityMode = .none
    var stepsLeft: [SecurityMode] = []
    var isDowngraded = false
    var signallingIsSecure = false

    /// The peer's offer, until it is answered.
    var evaluation: OfferEvaluation?
    /// Our 2xx carries the offer: the answer comes in the ACK.
    var offersInAnswer = false
    /// A person (or `--auto-answer`) wants to answer; done as soon as the sockets are open.
    var wantsAnswer = false

    /// The call that this one is joined with, or will be once both are answered.
    var partner: CallID?
    /// Nil while they are not joined yet.
    var bridgeMode: BridgeMode?
    /// Its peer sends a codec that the call it is joined with has not.
    var sendsOtherCodec = false
    /// To be called and joined with this call once it is answered.
    var bridgesTo: String?

    var reported: CallState?
    var reportedHold: HeldBy?
    var isMuted = false
    var isSilenced = false
    var isHeldLocally = false
    /// What our new offer that is on its way is for.
    var reoffer: Reoffer?
    /// The path was lost with an address of ours: to be sought by a new offer as soon as there is an address and no other offer is on its way.
    var wantsPath = false
    /// The peer has to learn our new Contact, by the same offer again.
    var wantsRefresh = false
    /// Offers for a new path that were refused or could not be sent, in a row.
    var pathRefusals = 0
    var isHeldRemotely = false
    var digitsSent = ""
    var digitsReceived = ""
    /// Why the call ends, decided by us; a status from the peer does not change it.
    var verdict: Outcome?
    var verdictReason: String?
    /// Final status and reason of the INVITE.
    var status: Int?
    var reason: String?
    var answeredDialog: String?
    /// The figures just before the end.
    private(set) var lastFigures: (transports: [TransportStatistics], streams: [StreamStatistics])?

    init(
        id: CallID, direction: CallDirection, session: SessionID, socketID: MediaSocketID, media: MediaSession, phase: Phase, timing: CallTiming,
        remoteUri: String
    ) {
        self.id = id
        self.direction = direction
        self.session = session
        self.socketID = socketID
        self.media = media
        self.phase = phase
        self.timing = timing
        self.remoteUri = remoteUri
    }

    var isAnswered: Bool { if case .answered = phase { true } else { false } }
    var isEnding: Bool { if case .ending = phase { true } else { false } }
    var isAlerting: Bool { if case .alerting = phase { true } else { false } }

    var heldBy: HeldBy? {
        switch (isHeldLocally, isHeldRemotely) {
        case (true, true): .both
        case (true, false): .local
        case (false, true): .remote
        case (false, false): nil
        }
    }

    /// The state to show now. `media` needs verified keys and a first packet, and never comes before `answered`.
    var state: CallState {
        switch phase {
        case .registering, .preparing, .calling: .calling
        case .ringing, .alerting: .ringing
        case .early: .early
        case .answered: heldBy != nil ? .held : media.hasReceived ? .media : .answered
        case .ending: .ended
        }
    }

    /// Figures are taken first: what is closed says nothing any more.
    func closeMedia(at now: Instant) {
        if lastFigures == nil {
            var transports = media.transportStatistics
            // The peer's close_notify often comes just before its BYE: what counts is how the association stood in the call.
            for index in transports.indices where transports[index].dtlsState == "closed" && transports[index].tlsVersion != nil {
                transports[index].dtlsState = "connected"
            }
            lastFigures = (transports, media.streamStatistics)
        }
        media.close(at: now)
    }

    var security: SecurityMode? { media.negotiated.flatMap { SecurityMode(rawValue: $0.security.rawValue) } }

    /// The outcome of a call that was answered (RFC-independent: the contract's order 22, 21, 20, 24, 23, 0).
    func answeredOutcome(at now: Instant) -> Outcome {
        if let verdict { return verdict }
        guard let answered = timing.answered, let negotiated = media.negotiated else { return .answered }
        // Media needs a moment: a short call is at fault only when nothing came at all.
        guard now - answered >= .seconds(1) else { return heldBy == nil && media.isDeaf ? .oneWay : .answered }
        // Both ends give up after the same time; whoever is hung up on first has seen the same failure.
        let nearly = Duration.seconds(1)
        let limits = media.environment.configuration
        // Where only RTCP has no path ICE is never done, and the call is none the worse for it.
        if negotiated.ice != nil, timing.iceConnected == nil, !media.hasReceived, now - answered >= limits.iceTimeout - nearly { return .iceFailed }
        if negotiated.security == .dtls, timing.dtlsConnected == nil, now - answered >= limits.dtlsTimeout - nearly { return .dtlsFailed }
        // Hold does not count: while on hold nothing is expected.
        return heldBy == nil && media.isOneWay ? .oneWay : .answered
    }
}
