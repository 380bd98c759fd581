/// One datagram of a DTLS handshake.
public struct DTLSFlightStatistics: Sendable, Equatable {
    /// Milliseconds from the first INVITE sent or received.
    public var timeMs: Double?
    public var isSent: Bool
    /// The handshake messages and records in it, e.g. "ClientHello", "ChangeCipherSpec".
    public var messages: [String]
    /// The datagram's length.
    public var bytes: Int
    /// The same messages went, or came, before.
    public var isRepeated: Bool

    public init(timeMs: Double?, isSent: Bool, messages: [String], bytes: Int, isRepeated: Bool) {
        self.timeMs = timeMs
        self.isSent = isSent
        self.messages = messages
        self.bytes = bytes
        self.isRepeated = isRepeated
    }
}

/// Packets that came and were not taken, by reason.
public struct DroppedPackets: Sendable, Equatable {
    /// The tag was wrong: another key, or a changed packet.
    public var authentication = 0
    /// A packet with this index came before, or is older than the replay window.
    public var replay = 0
    /// SRTP before the keys were there.
    public var noKey = 0
    /// From an address that proved nothing.
    public var unknownSource = 0
    /// Too short or malformed, of a payload type that was never agreed on, or refused by the library for another reason.
    public var other = 0

    public init() {}
    public var total: Int { authentication + replay + noKey + unknownSource + other }
}

/// One transport: RTP (with RTCP when muxed), or RTCP alone. W3C RTCTransportStats.
public struct TransportStatistics: Sendable, Equatable {
    /// "rtp" or "rtcp".
    public var component: String
    public var media: [String] = ["audio"]
    /// W3C RTCIceTransportState, or "none" without ICE.
    public var iceState = "none"
    /// "controlling", "controlled", or nil without ICE.
    public var iceRole: String?
    public var selectedCandidatePair: CandidatePairStatistics?
    public var localCandidates: [CandidateDescription] = []
    public var remoteCandidates: [CandidateDescription] = []
    public var pairs: [CandidatePairStatistics] = []
    /// Remote candidates that are names (mDNS, `….local`): never looked up; the peer's own checks show where it is.
    public var remoteNamesIgnored = 0
    /// W3C RTCDtlsTransportState, or "none" without DTLS.
    public var dtlsState = "none"
    /// "client" or "server".
    public var dtlsRole: String?
    /// Four hexadecimal digits, e.g. "FEFD".
    public var tlsVersion: String?
    /// The IANA name.
    public var dtlsCipher: String?
    /// The datagrams of the handshake in order, the newest 64.
    public var dtlsFlights: [DTLSFlightStatistics] = []
    public var srtpCipher: String?
    /// What was on offer, in the offerer's order; nil when not known.
    public var srtpProfilesOffered: [String]?
    public var rtcpMux: Bool
    public var localFingerprint: FingerprintStatistics?
    public var remoteFingerprint: FingerprintStatistics?
    public var packetsSent = 0
    public var packetsReceived = 0
    public var bytesSent = 0
    public var bytesReceived = 0
    public var dropped = DroppedPackets()

    public init(component: String, rtcpMux: Bool) {
        self.component = component
        self.rtcpMux = rtcpMux
    }
}
