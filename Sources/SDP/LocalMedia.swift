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
    /// Of our offers, for retransmissions of this codec (RFC 4588). Nil: none are offered and none are taken.
    public var rtxPayloadType: UInt8?

    public init(name: String, clockRate: Int, channels: Int = 1, fmtp: String? = nil, payloadType: UInt8, rtxPayloadType: UInt8? = nil) {
        self.name = name
        self.clockRate = clockRate
        self.channels = channels
        self.fmtp = fmtp
        self.payloadType = payloadType
        self.rtxPayloadType = rtxPayloadType
    }

    public static let opus = CodecDescription(name: "opus", clockRate: 48000, channels: 2, fmtp: "useinbandfec=1", payloadType: 96)
    public static let g722 = CodecDescription(name: "G722", clockRate: 8000, payloadType: 9)
    public static let pcmu = CodecDescription(name: "PCMU", clockRate: 8000, payloadType: 0)
    public static let pcma = CodecDescription(name: "PCMA", clockRate: 8000, payloadType: 8)
    /// RFC 7741, with retransmissions beside it.
    public static let vp8 = CodecDescription(name: "VP8", clockRate: 90000, payloadType: 97, rtxPayloadType: 98)
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

/// How a section of our offer takes part in BUNDLE (RFC 9143).
public enum BundleUse: String, Hashable, Sendable {
    /// It has a transport of its own. The first such section lends it to the others.
    case own
    /// It shared the transport before, and goes on with the same port (§7.5).
    case shared
    /// It can only be taken in the group: port 0 and a=bundle-only (§6). Whoever does not know BUNDLE sees a section that is not in use.
    case bundleOnly
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
    /// The profile name of offers with DTLS: one of `MediaProfile.namesForDTLS`.
    public var profileForDTLS: String
    public var fingerprints: [Fingerprint]
    /// Of offers; an answer's comes from the negotiation.
    public var setup: SetupRole
    /// Of offers: in order of preference. Of answers: the key for the suite chosen.
    public var cryptos: [CryptoLine]
    /// A quirk of old browsers: an answer with DTLS repeats one offered crypto line with a key from `cryptos`, which is never used.
    public var cryptoInAnswer: Bool
    public var iceUfrag: String?
    public var icePwd: String?
    /// "ice2", "trickle". In an answer "trickle" only when it was offered (RFC 8838 §4).
    public var iceOptions: [String]
    public var candidates: [SDPCandidate]
    public var endOfCandidates: Bool
    public var rtcpMux: Bool
    /// Of offers: there is no port for RTCP alone (RFC 8858), and an answer that does not share ours is refused.
    public var rtcpMuxOnly: Bool
    public var rtcpRsize: Bool
    /// Of offers: the extended reports that we ask for.
    public var extendedReports: ExtendedReportAttribute
    /// RFC 8842. In an answer only when the offer has one.
    public var tlsID: String?
    public var msid: MediaStreamIdentification?
    /// b=
    public var bandwidths: [Bandwidth]
    /// Nil: no a=mid and no BUNDLE in our offers.
    public var mid: String?
    public var cname: String
    public var ssrc: UInt32
    /// Of the retransmissions, written where the section has them (RFC 4588 §8.7: FID).
    public var rtxSSRC: UInt32?
    /// Of offers.
    public var bundle: BundleUse
    /// In a section on another one's transport the ICE credentials and the DTLS role are said again. RFC 9143 §7.1.3 takes them from the tagged
    /// section alone; browsers repeat them, and some peers look for them in every section.
    public var repeatsCredentials: Bool
    /// Milliseconds.
    public var ptime: Int?
    /// Of offers, e.g. `HeaderExtension.offered`.
    public var extensionMaps: [ExtensionMap]
    /// Of offers: a=rtcp-fb types for every codec, e.g. "transport-cc".
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
        cryptoInAnswer = false
        iceOptions = []
        rtcpMuxOnly = false
        rtcpRsize = true
        extendedReports = ExtendedReportAttribute()
        bandwidths = []
        extensionMaps = []
        feedback = []
        bundle = .own
        repeatsCredentials = true
    }

    /// The profile that an offer names. Video is of no use without feedback.
    public var offeredProfile: String {
        let name =
            switch security {
            case .dtls: profileForDTLS
            case .sdes: "RTP/SAVP"
            case .none: "RTP/AVP"
            }
        return kind == .audio || name.hasSuffix("F") ? name : name + "F"
    }
}

/// The video that we accept beside audio, on its transport.
public struct VideoPolicy: Hashable, Sendable {
    /// In order of preference.
    public var codecs: [CodecDescription]
    /// URIs of the header extensions that we know.
    public var extensions: [String]
    /// a=rtcp-fb types that we know.
    public var feedback: [String]

    public init(
        codecs: [CodecDescription] = [.vp8], extensions: [String] = HeaderExtension.knownForVideo, feedback: [String] = RTCPFeedback.forVideo
    ) {
        self.codecs = codecs
        self.extensions = extensions
        self.feedback = feedback
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
    /// URIs of the header extensions that we know, e.g. `HeaderExtension.known`.
    public var extensions: [String]
    /// a=rtcp-fb types that we know.
    public var feedback: [String]
    /// The extended reports that we can send.
    public var extendedReports: ExtendedReportAttribute
    /// Nil: an offer's video is refused in its place.
    public var video: VideoPolicy?
    /// What is in force: a re-offer of actpass then keeps the DTLS roles (RFC 8842 §5.3), and one with weaker security is refused.
    public var current: NegotiatedMedia?

    public init(
        kind: MediaKind = .audio, security: SecurityPolicy, codecs: [CodecDescription], iceEnabled: Bool, rtcpMux: Bool = true,
        rtcpRsize: Bool = true, suites: [CryptoSuite] = CryptoSuite.preferred, acceptsSHA1: Bool = false, extensions: [String] = [],
        feedback: [String] = [], extendedReports: ExtendedReportAttribute = ExtendedReportAttribute(), video: VideoPolicy? = nil,
        current: NegotiatedMedia? = nil
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
        self.extendedReports = extendedReports
        self.video = video
        self.current = current
    }
}
