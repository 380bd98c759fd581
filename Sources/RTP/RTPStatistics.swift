/// What a media stream's two directions have done; names are those of W3C webrtc-stats. Nil is "not known", never zero.
public struct RTPStatistics: Sendable, Equatable {
    /// Nil until a source was believed.
    public var inbound: InboundRTPStatistics?
    public var outbound: OutboundRTPStatistics

    public init(inbound: InboundRTPStatistics?, outbound: OutboundRTPStatistics) {
        self.inbound = inbound
        self.outbound = outbound
    }
}

/// Counts cover all sources heard in the session; `ssrc`, jitter and loss fraction belong to the present one.
public struct InboundRTPStatistics: Sendable, Equatable {
    public var ssrc: UInt32
    public var packetsReceived: Int
    /// May be negative.
    public var packetsLost: Int
    /// Payload bytes.
    public var bytesReceived: Int
    public var packetsDuplicated: Int
    public var jitterMs: Double?
    /// 0 to 1, of the interval reported last.
    public var fractionLost: Double?
    /// Feedback packets sent.
    public var nackCount: Int
    public var pliCount: Int
    /// By receiver reference time and DLRR (RFC 3611 §4.4–4.5): known also when we send nothing.
    public var roundTripTimeMs: Double?
    /// What we report, or would report, about the source.
    public var voipMetrics: VoIPMetrics?

    public init(
        ssrc: UInt32, packetsReceived: Int, packetsLost: Int, bytesReceived: Int, packetsDuplicated: Int = 0, jitterMs: Double? = nil,
        fractionLost: Double? = nil, nackCount: Int = 0, pliCount: Int = 0, roundTripTimeMs: Double? = nil, voipMetrics: VoIPMetrics? = nil
    ) {
        self.ssrc = ssrc
        self.packetsReceived = packetsReceived
        self.packetsLost = packetsLost
        self.bytesReceived = bytesReceived
        self.packetsDuplicated = packetsDuplicated
        self.jitterMs = jitterMs
        self.fractionLost = fractionLost
        self.nackCount = nackCount
        self.pliCount = pliCount
        self.roundTripTimeMs = roundTripTimeMs
        self.voipMetrics = voipMetrics
    }
}

public struct OutboundRTPStatistics: Sendable, Equatable {
    public var ssrc: UInt32
    public var packetsSent: Int
    /// Payload bytes.
    public var bytesSent: Int
    public var roundTripTimeMs: Double?
    public var remotePacketsLost: Int?
    public var remoteJitterMs: Double?
    /// 0 to 1, as the far end reported last.
    public var fractionLost: Double?
    /// Feedback packets received.
    public var nackCount: Int
    public var pliCount: Int
    public var firCount: Int
    /// By transport-wide feedback; nil before the first.
    public var transportPacketsAcknowledged: Int?
    public var transportPacketsLost: Int?
    /// What the far end reported about us last (RFC 3611 §4.7).
    public var voipMetrics: VoIPMetrics?

    public init(
        ssrc: UInt32, packetsSent: Int, bytesSent: Int, roundTripTimeMs: Double? = nil, remotePacketsLost: Int? = nil,
        remoteJitterMs: Double? = nil, fractionLost: Double? = nil, nackCount: Int = 0, pliCount: Int = 0, firCount: Int = 0,
        transportPacketsAcknowledged: Int? = nil, transportPacketsLost: Int? = nil, voipMetrics: VoIPMetrics? = nil
    ) {
        self.ssrc = ssrc
        self.packetsSent = packetsSent
        self.bytesSent = bytesSent
        self.roundTripTimeMs = roundTripTimeMs
        self.remotePacketsLost = remotePacketsLost
        self.remoteJitterMs = remoteJitterMs
        self.fractionLost = fractionLost
        self.nackCount = nackCount
        self.pliCount = pliCount
        self.firCount = firCount
        self.transportPacketsAcknowledged = transportPacketsAcknowledged
        self.transportPacketsLost = transportPacketsLost
        self.voipMetrics = voipMetrics
    }
}
