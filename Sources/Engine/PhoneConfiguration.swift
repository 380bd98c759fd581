import Core
import Interface
import SIP
import Secure

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
    /// Names in order of preference, case-insensitive.
    public var codecs = ["opus", "PCMU", "PCMA"]
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
    /// Received audio is sent back (`--echo`); DTMF is not.
    public var isEcho = false
    public var dtls = DTLSConfiguration()
    /// How long a call may take from the answer until ICE is done, and DTLS after it.
    public var iceTimeout = Duration.seconds(30)
    public var dtlsTimeout = Duration.seconds(40)
    /// `call.stats` and snapshots of figures come this often.
    public var statisticsInterval = Duration.seconds(1)
    public var historyLimit = 50
    /// Calls of earlier runs, newest first.
    public var history: [HistoryEntry] = []

    public init() {}

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
