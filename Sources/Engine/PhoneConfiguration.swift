import Core
import ICE
import Interface
import SIP
import Secure

/// What the peers of one account need that no other should get. All off by default.
public struct AccountQuirks: Sendable, Equatable {
    /// Answers have an `a=crypto` line beside the fingerprint, whose key is never used: some old browsers want it.
    public var cryptoInAnswer = false
    /// A SHA-1 fingerprint alone is enough.
    public var acceptsSHA1Fingerprint = false

    public init() {}
}

/// Everything the phone is told once, at the start. Values only; files and names were read by the caller.
public struct PhoneConfiguration: Sendable {
    /// The name and version in `User-Agent` and `Server`.
    public var userAgent = "Sidetone"
    /// From; nil: `sip:sidetone@<local address>`.
    public var identity: SIPURI?
    public var displayName: String?
    public var accounts: [SIPAccount] = []
    /// Accounts with `registrar = "none"`.
    public var unregisteredAccounts: Set<String> = []
    /// False: an account registers when its first call is placed, so that a failure is told once (`call`).
    public var registersAtStart = true
    /// Outbound proxy for every request outside a dialog.
    public var proxy: SIPURI?
    public var security = SecurityPolicy.prefer
    /// nil: on with `dtls` and `prefer`, off with `sdes` and `none`.
    public var ice: Bool?
    public var stunServers: [SocketAddress] = []
    public var turnServers: [TurnServer] = []
    /// `.relay`: media goes through a TURN server or not at all.
    public var icePolicy = IcePolicy.all
    /// Candidates are told one by one to peers that say they can (RFC 8838, RFC 8840).
    public var trickle = true
    /// `urn:uuid:…` of this installation, for outbound registrations (RFC 5626); nil: none.
    public var instanceID: String?
    /// Names in order of preference, case-insensitive.
    public var codecs = ["opus", "G722", "PCMU", "PCMA"]
    public var maximumCalls = 8
    /// Incoming calls are answered without a person, `answerAfter` after they rang.
    public var autoAnswer = false
    public var answerAfter = Duration.zero
    /// How long a call may ring, in either direction.
    public var ringTimeout = Duration.seconds(60)
    /// Hang up this long after the answer (`call --for`).
    public var callLimit: Duration?
    /// Digits sent once media flows (`call --dtmf`).
    public var digitsAfterAnswer = ""
    /// Incoming calls are joined with a call to this address, and answered when that one is.
    public var bridgesIncomingTo: String?
    /// Calls are joined: video of both is taken and passed on.
    public var passesVideo = false
    /// Received audio and video are sent back (`--echo`); DTMF is not.
    public var isEcho = false
    /// What our video is made of.
    public var videoSource = VideoSource.none
    /// Somebody wants every frame that comes (`--video-out`).
    public var receivesVideo = false
    /// Our offers have a video section.
    public var offersVideo = false
    /// Video that is offered to us is taken, if only to be looked at.
    public var takesOfferedVideo = false
    public var dtls = DTLSConfiguration()
    /// The profile of an m-line with a fingerprint that we offer.
    public var offeredProfile = "UDP/TLS/RTP/SAVPF"
    /// By the account's identifier; an account that is not in it has none.
    public var quirks: [String: AccountQuirks] = [:]
    /// How long a call may take from the answer until ICE is done, and DTLS after it.
    public var iceTimeout = Duration.seconds(30)
    public var dtlsTimeout = Duration.seconds(40)
    /// `call.stats` and snapshots of figures come this often.
    public var statisticsInterval = Duration.seconds(1)
    public var historyLimit = 50
    /// Calls of earlier runs, newest first.
    public var history: [HistoryEntry] = []

    public init() {}

    /// How long a description waits for servers. A relay takes two round trips, and a connection first over TCP or TLS; when nothing but a relay may
    /// be used there is nothing to say without it.
    var gatherTimeout: Duration { icePolicy == .relay ? .seconds(10) : turnServers.isEmpty ? .seconds(1) : .seconds(2) }

    /// Whether ICE is offered at this step of security.
    func offersIce(_ mode: SecurityMode) -> Bool {
        if let ice { return ice }
        return security == .dtls || security == .prefer ? mode == .dtls : false
    }

    /// Whether a peer's ICE is taken up.
    var acceptsIce: Bool { ice ?? (security == .dtls || security == .prefer) }

    /// What is offered first, and after each 488 or 606.
    var securitySteps: [SecurityMode] {
        switch security {
        case .dtls: [.dtls]
        case .sdes: [.sdes]
        case .none: [.none]
        case .prefer: [.dtls, .sdes, .none]
        }
    }
}
