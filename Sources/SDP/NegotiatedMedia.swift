import Core

/// A codec both sides have. Payload types may differ by direction (RFC 3264 §5.1).
public struct NegotiatedCodec: Hashable, Sendable {
    /// Our spelling.
    public var name: String
    public var clockRate: Int
    public var channels: Int
    /// In what we send: the peer's number.
    public var sendPayloadType: UInt8
    /// In what we get: the number in our description.
    public var receivePayloadType: UInt8
    /// The peer's a=fmtp: what it wants to receive.
    public var remoteFmtp: String?

    public init(name: String, clockRate: Int, channels: Int, sendPayloadType: UInt8, receivePayloadType: UInt8, remoteFmtp: String? = nil) {
        self.name = name
        self.clockRate = clockRate
        self.channels = channels
        self.sendPayloadType = sendPayloadType
        self.receivePayloadType = receivePayloadType
        self.remoteFmtp = remoteFmtp
    }
}

/// telephone-event (RFC 4733) at one clock rate.
public struct NegotiatedDTMF: Hashable, Sendable {
    public var clockRate: Int
    public var sendPayloadType: UInt8
    public var receivePayloadType: UInt8

    public init(clockRate: Int, sendPayloadType: UInt8, receivePayloadType: UInt8) {
        self.clockRate = clockRate
        self.sendPayloadType = sendPayloadType
        self.receivePayloadType = receivePayloadType
    }
}

/// Retransmissions (RFC 4588) of the first codec, as packets of a source of their own.
public struct NegotiatedRTX: Hashable, Sendable {
    public var sendPayloadType: UInt8
    public var receivePayloadType: UInt8

    public init(sendPayloadType: UInt8, receivePayloadType: UInt8) {
        self.sendPayloadType = sendPayloadType
        self.receivePayloadType = receivePayloadType
    }
}

/// The peer's ICE parameters.
public struct RemoteICE: Hashable, Sendable {
    public var ufrag: String
    public var pwd: String
    public var isLite: Bool
    public var candidates: [SDPCandidate]
    public var endOfCandidates: Bool
    public var options: [String]

    public init(ufrag: String, pwd: String, isLite: Bool, candidates: [SDPCandidate], endOfCandidates: Bool, options: [String]) {
        self.ufrag = ufrag
        self.pwd = pwd
        self.isLite = isLite
        self.candidates = candidates
        self.endOfCandidates = endOfCandidates
        self.options = options
    }
}

/// The peer's b= lines: what it wants to receive at most.
public struct RemoteBandwidth: Hashable, Sendable {
    /// The session's share of the network in bit/s: TIAS, or else AS, which counts lower layers too.
    public var media: UInt64?
    /// RTCP of those that send and of those that only receive, in bit/s (RFC 3556 §2). 0: none.
    public var rtcpSenders: UInt64?
    public var rtcpReceivers: UInt64?

    public init(media: UInt64? = nil, rtcpSenders: UInt64? = nil, rtcpReceivers: UInt64? = nil) {
        self.media = media
        self.rtcpSenders = rtcpSenders
        self.rtcpReceivers = rtcpReceivers
    }

    init(_ section: MediaSection) {
        media =
            section.bandwidth("TIAS")
            ?? section.bandwidth("AS").map { $0.multipliedReportingOverflow(by: 1000) }.flatMap { $0.overflow ? nil : $0.partialValue }
        rtcpSenders = section.bandwidth("RS")
        rtcpReceivers = section.bandwidth("RR")
    }
}

/// Our part in the DTLS handshake: active is the client.
public enum DTLSRole: String, Hashable, Sendable {
    case active, passive
}

public struct DTLSParameters: Hashable, Sendable {
    /// The peer's, all of one hash: the certificate must match one of them.
    public var fingerprints: [Fingerprint]
    /// Ours.
    public var role: DTLSRole
    /// The peer's a=tls-id (RFC 8842).
    public var tlsID: String?

    /// Only SHA-1 vouches for the certificate.
    public var isWeak: Bool { fingerprints.contains(where: \.isWeak) }

    /// True when `other` describes the association of these parameters (RFC 8842 §5.1): the same certificates and role, and no other tls-id.
    /// One that is missing on either side says nothing.
    public func isSameAssociation(as other: DTLSParameters) -> Bool {
        role == other.role && hasSameIdentity(fingerprints: other.fingerprints, tlsID: other.tlsID)
    }

    func hasSameIdentity(fingerprints others: [Fingerprint], tlsID other: String?) -> Bool {
        Set(fingerprints) == Set(others) && (tlsID == nil || other == nil || tlsID == other)
    }

    public init(fingerprints: [Fingerprint], role: DTLSRole, tlsID: String? = nil) {
        self.fingerprints = fingerprints
        self.role = role
        self.tlsID = tlsID
    }
}

public struct SDESParameters: Hashable, Sendable {
    /// Protects what we send; nil until our answer is made.
    public var local: CryptoLine?
    /// Protects what the peer sends.
    public var remote: CryptoLine
    public var suite: CryptoSuite

    public init(local: CryptoLine?, remote: CryptoLine, suite: CryptoSuite) {
        self.local = local
        self.remote = remote
        self.suite = suite
    }
}

/// What offer and answer came to, for one m= line in use.
public struct NegotiatedMedia: Hashable, Sendable {
    public var index: Int
    public var mid: String?
    public var kind: MediaKind
    /// As in the answer.
    public var profile: String
    public var security: MediaSecurity
    /// Ours.
    public var localDirection: MediaDirection
    /// The first is the one to send.
    public var codecs: [NegotiatedCodec]
    public var dtmf: [NegotiatedDTMF]
    /// Nil: a lost packet is sent again as it was, if at all.
    public var rtx: NegotiatedRTX?
    /// Milliseconds; what the peer wants to receive.
    public var ptime: Int?
    public var maxptime: Int?
    /// Nil when not known yet (0.0.0.0, port 9, a name) or on hold by 0.0.0.0.
    public var remoteAddress: SocketAddress?
    /// With rtcp-mux the same.
    public var remoteRTCPAddress: SocketAddress?
    /// c= when it is a name.
    public var remoteHost: String?
    public var rtcpMux: Bool
    public var isAVPF: Bool
    public var rtcpRsize: Bool
    /// Nil: no ICE.
    public var ice: RemoteICE?
    /// The peer's default address is none of its candidates, or it says so of ours: no ICE.
    public var iceMismatch: Bool
    /// With security dtls.
    public var dtls: DTLSParameters?
    /// With security sdes.
    public var sdes: SDESParameters?
    public var remoteSSRC: UInt32?
    /// Of the peer's retransmissions, where it says so (a=ssrc-group:FID).
    public var remoteRTXSSRC: UInt32?
    public var remoteCname: String?
    /// The peer does not want our media.
    public var isRemoteHold: Bool
    /// Header extensions in force, their directions from our view.
    public var extensionMaps: [ExtensionMap]
    /// a=rtcp-fb types in force for a codec in use.
    public var feedback: [String]
    /// Extended reports that both sides know.
    public var xr: ExtendedReportAttribute
    public var remoteMsid: MediaStreamIdentification?
    public var remoteBandwidth: RemoteBandwidth
    /// The section whose lines describe the transport: in a BUNDLE the tagged one (RFC 9143 §7.1.2), otherwise this one.
    public var transport: TransportSection

    public struct TransportSection: Hashable, Sendable {
        public var index: Int
        public var mid: String?
        public var kind: MediaKind
    }

    /// The peer takes candidates one by one (RFC 8838 §4).
    public var remoteSupportsTrickle: Bool { ice?.options.contains { $0.matches("trickle") } == true }

    /// Everything else begins as absent.
    public init(index: Int, mid: String? = nil, kind: MediaKind = .audio, profile: String, security: MediaSecurity, isAVPF: Bool = false) {
        self.index = index
        self.mid = mid
        self.kind = kind
        self.profile = profile
        self.security = security
        self.isAVPF = isAVPF
        localDirection = .inactive
        codecs = []
        dtmf = []
        rtcpMux = false
        rtcpRsize = false
        iceMismatch = false
        isRemoteHold = false
        extensionMaps = []
        feedback = []
        xr = ExtendedReportAttribute()
        remoteBandwidth = RemoteBandwidth()
        transport = TransportSection(index: index, mid: mid, kind: kind)
    }
}

/// What a new negotiation changed.
public struct NegotiationChanges: OptionSet, Hashable, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let direction = NegotiationChanges(rawValue: 1)
    public static let address = NegotiationChanges(rawValue: 2)
    public static let codecs = NegotiationChanges(rawValue: 4)
    /// New ufrag or password, or ICE came or went.
    public static let ice = NegotiationChanges(rawValue: 8)
    /// New candidates under the same credentials.
    public static let candidates = NegotiationChanges(rawValue: 16)
    /// A new DTLS association is due: another fingerprint, role or tls-id.
    public static let dtls = NegotiationChanges(rawValue: 32)
    /// Another SDES key.
    public static let sdes = NegotiationChanges(rawValue: 64)
    /// The kind of security itself.
    public static let security = NegotiationChanges(rawValue: 128)
    public static let rtcpMux = NegotiationChanges(rawValue: 256)
}

extension NegotiatedMedia {
    public func changes(since old: NegotiatedMedia) -> NegotiationChanges {
        var out: NegotiationChanges = []
        if localDirection != old.localDirection || isRemoteHold != old.isRemoteHold { out.insert(.direction) }
        if remoteAddress != old.remoteAddress || remoteRTCPAddress != old.remoteRTCPAddress { out.insert(.address) }
        if codecs != old.codecs || dtmf != old.dtmf || rtx != old.rtx { out.insert(.codecs) }
        if ice?.ufrag != old.ice?.ufrag || ice?.pwd != old.ice?.pwd {
            out.insert(.ice)
        } else if ice?.candidates != old.ice?.candidates {
            out.insert(.candidates)
        }
        switch (dtls, old.dtls) {
        case (nil, nil): break
        case (let new?, let old?): if !new.isSameAssociation(as: old) { out.insert(.dtls) }
        default: out.insert(.dtls)
        }
        if sdes != old.sdes { out.insert(.sdes) }
        if security != old.security { out.insert(.security) }
        if rtcpMux != old.rtcpMux { out.insert(.rtcpMux) }
        return out
    }
}
