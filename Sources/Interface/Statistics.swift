/// W3C webrtc-stats values under the names of the outside contract. What is not known is nil, never a made-up zero.
public struct CandidateDescription: Sendable, Equatable {
    /// "host", "srflx", "prflx" or "relay".
    public var candidateType: String
    public var address: String
    public var port: UInt16
    /// "udp" or "tcp".
    public var `protocol`: String

    public init(candidateType: String, address: String, port: UInt16, protocol: String = "udp") {
        self.candidateType = candidateType
        self.address = address
        self.port = port
        self.protocol = `protocol`
    }
}

public struct CandidatePairStatistics: Sendable, Equatable {
    public var local: CandidateDescription
    public var remote: CandidateDescription
    /// "frozen", "waiting", "in-progress", "failed" or "succeeded".
    public var state: String
    public var nominated: Bool
    public var currentRoundTripTimeMs: Double?

    public init(local: CandidateDescription, remote: CandidateDescription, state: String, nominated: Bool, currentRoundTripTimeMs: Double?) {
        self.local = local
        self.remote = remote
        self.state = state
        self.nominated = nominated
        self.currentRoundTripTimeMs = currentRoundTripTimeMs
    }
}

public struct FingerprintStatistics: Sendable, Equatable {
    public var algorithm: String
    /// Upper-case pairs joined by colons.
    public var value: String
    public var verified: Bool

    public init(algorithm: String, value: String, verified: Bool) {
        self.algorithm = algorithm
        self.value = value
        self.verified = verified
    }
}

/// One transport: RTP (with RTCP when muxed), or RTCP alone.
public struct TransportStatistics: Sendable, Equatable {
    /// "rtp" or "rtcp".
    public var component: String
    public var media: [String] = ["audio"]
    /// W3C RTCIceTransportState, or "none" without ICE.
    public var iceState = "none"
    /// "controlling", "controlled", or nil without ICE.
    public var iceRole: String?
    public var selectedCandidatePair: CandidatePairStatistics?
    public var pairs: [CandidatePairStatistics] = []
    /// W3C RTCDtlsTransportState, or "none" without DTLS.
    public var dtlsState = "none"
    /// "client" or "server".
    public var dtlsRole: String?
    /// Four hexadecimal digits, e.g. "FEFD".
    public var tlsVersion: String?
    /// The IANA name.
    public var dtlsCipher: String?
    public var srtpCipher: String?
    public var rtcpMux: Bool
    public var localFingerprint: FingerprintStatistics?
    public var remoteFingerprint: FingerprintStatistics?
    /// Packets dropped because they came from an address that proved nothing.
    public var unknownSourceDropped = 0

    public init(component: String, rtcpMux: Bool) {
        self.component = component
        self.rtcpMux = rtcpMux
    }
}

public struct InboundStatistics: Sendable, Equatable {
    public var ssrc: UInt32?
    public var packetsReceived = 0
    public var packetsLost: Int?
    public var bytesReceived = 0
    public var jitterMs: Double?
    public var jitterBufferDelayMs: Double?
    public var concealedSamples: Int?
    public var totalSamplesReceived: Int?
    public var audioLevelDbov: Double?
    public var unprotectErrors = 0
    public var nackCount = 0
    public var pliCount = 0
    public init() {}
}

public struct OutboundStatistics: Sendable, Equatable {
    public var ssrc: UInt32
    public var packetsSent = 0
    public var bytesSent = 0
    public var roundTripTimeMs: Double?
    public var remotePacketsLost: Int?
    public var remoteJitterMs: Double?
    /// RMS of what is sent, −127…0.
    public var audioLevelDbov: Double?
    public init(ssrc: UInt32) { self.ssrc = ssrc }
}

public struct StreamStatistics: Sendable, Equatable {
    /// "audio" or "video".
    public var kind: String
    public var codec: String
    public var clockRate: Int
    /// "sendrecv", "sendonly", "recvonly" or "inactive".
    public var direction: String
    public var inbound: InboundStatistics
    public var outbound: OutboundStatistics
    public var mos: Double?

    public init(kind: String, codec: String, clockRate: Int, direction: String, inbound: InboundStatistics, outbound: OutboundStatistics) {
        self.kind = kind
        self.codec = codec
        self.clockRate = clockRate
        self.direction = direction
        self.inbound = inbound
        self.outbound = outbound
    }
}

/// Milliseconds from the first INVITE sent or received.
public struct SetupTimes: Sendable, Equatable {
    public var ringingMs: Double?
    public var answeredMs: Double?
    public var iceConnectedMs: Double?
    public var dtlsConnectedMs: Double?
    public var firstMediaReceivedMs: Double?
    public var firstMediaSentMs: Double?
    public init() {}
}
