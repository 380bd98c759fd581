import Core

/// RFC 8445 §5.1.1; the words are those of the SDP (RFC 8839 §5.1) and of W3C webrtc-stats.
public enum IceCandidateKind: String, Sendable, CaseIterable {
    case host
    case serverReflexive = "srflx"
    case peerReflexive = "prflx"
    case relayed = "relay"

    /// RFC 8445 §5.1.2.2.
    public var typePreference: UInt32 {
        switch self {
        case .host: 126
        case .peerReflexive: 110
        case .serverReflexive: 100
        case .relayed: 0
        }
    }
}

public enum IceTransportProtocol: String, Sendable {
    case udp
}

/// A transport address that may be used to reach an agent (RFC 8445 §4, RFC 8839 §5.1).
public struct IceCandidate: Hashable, Sendable {
    /// 1 to 32 ice-chars; equal for candidates of one kind, base address and server.
    public var foundation: String
    /// 1 is RTP (and RTCP with rtcp-mux), 2 is RTCP.
    public var component: Int
    public var `protocol`: IceTransportProtocol
    public var priority: UInt32
    public var address: SocketAddress
    public var kind: IceCandidateKind
    /// raddr and rport: the base of a reflexive candidate.
    public var relatedAddress: SocketAddress?
    /// Where a local candidate sends from. Of a remote candidate: its own address.
    public var base: SocketAddress

    public init(
        foundation: String, component: Int, protocol: IceTransportProtocol = .udp, priority: UInt32, address: SocketAddress,
        kind: IceCandidateKind, relatedAddress: SocketAddress? = nil, base: SocketAddress? = nil
    ) {
        self.foundation = foundation
        self.component = component
        self.protocol = `protocol`
        self.priority = priority
        self.address = address
        self.kind = kind
        self.relatedAddress = relatedAddress
        self.base = base ?? address
    }

    /// RFC 8445 §5.1.2.1: 24 bits up the kind, 8 bits up the local preference, 256 − component.
    public static func priority(_ kind: IceCandidateKind, localPreference: UInt16, component: Int) -> UInt32 {
        kind.typePreference << 24 | UInt32(localPreference) << 8 | UInt32(256 - min(256, max(1, component)))
    }
}

/// The user name fragment and password of one side (RFC 8445 §5.3).
public struct IceCredentials: Hashable, Sendable {
    public var ufrag: String
    public var pwd: String

    public init(ufrag: String, pwd: String) {
        self.ufrag = ufrag
        self.pwd = pwd
    }

    /// 48 and 142 random bits; the RFC asks for at least 24 and 128.
    static func fresh(_ random: RandomSource) -> IceCredentials { IceCredentials(ufrag: random.token(8), pwd: random.token(24)) }

    var key: StunKey { .shortTerm(password: pwd) }
}
