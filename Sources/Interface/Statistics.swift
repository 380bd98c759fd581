public struct FingerprintStatistics: Sendable, Equatable {
    public var algorithm: String
    /// Upper-case pairs joined by colons.
    public var value: String
    public var verified: Bool
    /// A hash that is accepted by a quirk only (SHA-1).
    public var isWeak = false

    public init(algorithm: String, value: String, verified: Bool) {
        self.algorithm = algorithm
        self.value = value
        self.verified = verified
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
    /// Of video; nil of audio.
    public var video: InboundVideoStatistics?
    public init() {}
}

/// What W3C's RTCInboundRtpStreamStats has for video alone. Nothing is decoded on the way, so frames count as complete, not as decoded.
public struct InboundVideoStatistics: Sendable, Equatable {
    public var firCount = 0
    public var framesReceived = 0
    public var keyFramesReceived = 0
    /// Came, but could not be used: a piece, or a frame before it, was lost for good.
    public var framesDropped = 0
    /// Of the newest key frame, pixels.
    public var frameWidth: Int?
    public var frameHeight: Int?
    public var retransmittedPacketsReceived = 0
    /// Payloads that are no VP8, or more than is taken.
    public var packetsDiscarded = 0
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
    /// Of video; nil of audio.
    public var video: OutboundVideoStatistics?
    public init(ssrc: UInt32) { self.ssrc = ssrc }
}

/// What W3C's RTCOutboundRtpStreamStats has for video alone. The counts are of what the peer asked for.
public struct OutboundVideoStatistics: Sendable, Equatable {
    public var nackCount = 0
    public var pliCount = 0
    public var firCount = 0
    public var framesSent = 0
    public var keyFramesSent = 0
    public var retransmittedPacketsSent = 0
    /// REMB, in bit/s; nil until the peer said one.
    public var maximumBitrateBps: Int?
    public init() {}
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
