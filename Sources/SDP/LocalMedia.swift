import Core

/// How media is protected.
public enum MediaSecurity: String, Hashable, Sendable, Comparable, CaseIterable {
    case none, sdes, dtls

    /// From weak to strong.
    public static func < (a: MediaSecurity, b: MediaSecurity) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .none: 0
        case .sdes: 1
        case .dtls: 2
        }
    }
}

/// What is accepted when called (`--security`).
public enum SecurityPolicy: String, Hashable, Sendable {
    case dtls, sdes, none, prefer
}

/// A codec that we have. Telephone events are not listed: the negotiation adds them.
public struct CodecDescription: Hashable, Sendable {
    /// "opus", "G722", "PCMU", …
    public var name: String
    /// Hz, as in the rtpmap: 8000 for G722, 48000 for Opus.
    public var clockRate: Int
    /// As in the rtpmap: 2 for Opus.
    public var channels: Int
    public var fmtp: String?
    /// The payload type of our offers.
    public var payloadType: UInt8

    public init(name: String, clockRate: Int, channels: Int = 1, fmtp: String? = nil, payloadType: UInt8) {
        self.name = name
        self.clockRate = clockRate
        self.channels = channels
        self.fmtp = fmtp
        self.payloadType = payloadType
    }

    public static let opus = CodecDescription(name: "opus", clockRate: 48000, channels: 2, fmtp: "useinbandfec=1", payloadType: 96)
    public static let g722 = CodecDescription(name: "G722", clockRate: 8000, payloadType: 9)
    public static let pcmu = CodecDescription(name: "PCMU", clockRate: 8000, payloadType: 0)
    public static let pcma = CodecDescription(name: "PCMA", clockRate: 8000, payloadType: 8)
}

/// The numbers and address of our o= line.
public struct SessionOrigin: Hashable, Sendable {
    public var id: UInt64
    /// Of the first description; later ones count on from the previous one's.
    public var version: UInt64
    public var address: IPAddress

    public init(id: UInt64, version: UInt64 = 1, address: IPAddress) {
        self.id = id
        self.version = version
        self.address = address
    }
}

/// What we have for one m= line.
public struct LocalMedia: Hashable, Sendable {
    public var kind: MediaKind
    /// In order of preference.
    public var codecs: [CodecDescription]
    public var direction: MediaDirection
    public var port: UInt16
    /// Written as a=rtcp when RTCP has its own port.
    public var rtcpPort: UInt16?
    /// For c=: a real address, since 0.0.0.0 is taken for hold.
    public var address: IPAddress
    public var security: MediaSecurity
    /// The profile name of offers with DTLS.
    public var profileForDTLS: String
    public var fingerprints: [Fingerprint]
    /// Of offers; an answer's comes from the negotiation.
    public var setup: SetupRole
    /// Of offers: in order of preference. Of answers: the key for the suite chosen.
    public var cryptos: [CryptoLine]
    /// Writes the crypto lines beside DTLS too (a quirk of old browsers); they are never used.
    public var writesCryptoBesideDTLS: Bool
    public var iceUfrag: String?
    public var icePwd: String?
    public var iceOptions: [String]
    public var candidates: [SDPCandidate]
    public var endOfCandidates: Bool
    public var rtcpMux: Bool
    public var rtcpRsize: Bool
    /// Nil: no a=mid and no BUNDLE in our offers.
    public var mid: String?
    public var cname: String
    public var ssrc: UInt32
    /// Milliseconds.
    public var ptime: Int?
    public var extensionMaps: [ExtensionMap]
    /// a=rtcp-fb types for every codec, e.g. "transport-cc".
    public var feedback: [String]

    public init(
        kind: MediaKind = .audio, codecs: [CodecDescription], direction: MediaDirection = .sendrecv, port: UInt16, rtcpPort: UInt16? = nil,
        address: IPAddress, security: MediaSecurity, profileForDTLS: String = "UDP/TLS/RTP/SAVPF", fingerprints: [Fingerprint] = [],
        setup: SetupRole = .actpass, cryptos: [CryptoLine] = [], iceUfrag: String? = nil, icePwd: String? = nil,
        candidates: [SDPCandidate] = [], endOfCandidates: Bool = false, rtcpMux: Bool = true, mid: String? = "0", cname: String,
        ssrc: UInt32, ptime: Int? = 20
    ) {
        self.kind = kind
        self.codecs = codecs
        self.direction = direction
        self.port = port
        self.rtcpPort = rtcpPort
        self.address = address
        self.security = security
        self.profileForDTLS = profileForDTLS
        self.fingerprints = fingerprints
        self.setup = setup
        self.cryptos = cryptos
        self.iceUfrag = iceUfrag
        self.icePwd = icePwd
        self.candidates = candidates
        self.endOfCandidates = endOfCandidates
        self.rtcpMux = rtcpMux
        self.mid = mid
        self.cname = cname
        self.ssrc = ssrc
        self.ptime = ptime
        writesCryptoBesideDTLS = false
        iceOptions = []
        rtcpRsize = true
        extensionMaps = []
        feedback = []
    }

    /// The profile that an offer names.
    public var offeredProfile: String {
        switch security {
        case .dtls: profileForDTLS
        case .sdes: "RTP/SAVP"
        case .none: "RTP/AVP"
        }
    }
}

/// What we accept, in an offer and in an answer.
public struct AnswerPolicy: Hashable, Sendable {
    public var kind: MediaKind
    public var security: SecurityPolicy
    /// In order of preference.
    public var codecs: [CodecDescription]
    public var iceEnabled: Bool
    public var rtcpMux: Bool
    public var rtcpRsize: Bool
    public var suites: [CryptoSuite]
    /// A quirk: a SHA-1 fingerprint will do when there is no better one.
    public var acceptsSHA1: Bool
    /// URIs of the header extensions that we know.
    public var extensions: [String]
    /// a=rtcp-fb types that we know.
    public var feedback: [String]
    /// What is in force: a re-offer of actpass then keeps the DTLS roles (RFC 8842 §5.3), and one with weaker security is refused.
    public var current: NegotiatedMedia?

    public init(
        kind: MediaKind = .audio, security: SecurityPolicy, codecs: [CodecDescription], iceEnabled: Bool, rtcpMux: Bool = true,
        rtcpRsize: Bool = true, suites: [CryptoSuite] = CryptoSuite.preferred, acceptsSHA1: Bool = false, extensions: [String] = [],
        feedback: [String] = [], current: NegotiatedMedia? = nil
    ) {
        self.kind = kind
        self.security = security
        self.codecs = codecs
        self.iceEnabled = iceEnabled
        self.rtcpMux = rtcpMux
        self.rtcpRsize = rtcpRsize
        self.suites = suites
        self.acceptsSHA1 = acceptsSHA1
        self.extensions = extensions
        self.feedback = feedback
        self.current = current
    }
}
