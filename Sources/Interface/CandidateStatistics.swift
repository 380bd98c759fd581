/// One ICE candidate under the names of the outside contract. What is not known is nil, never a made-up zero.
public struct CandidateDescription: Sendable, Equatable {
    /// "host", "srflx", "prflx" or "relay".
    public var candidateType: String
    /// An IP address, or the name of a remote candidate that was not resolved ("….local").
    public var address: String
    public var port: UInt16
    /// "udp" or "tcp".
    public var `protocol`: String
    /// RFC 8445 §5.1.2.
    public var priority: UInt32?
    /// The base of a reflexive or the mapped address of a relayed candidate.
    public var relatedAddress: String?
    public var relatedPort: UInt16?

    public init(
        candidateType: String, address: String, port: UInt16, protocol: String = "udp", priority: UInt32? = nil, relatedAddress: String? = nil,
        relatedPort: UInt16? = nil
    ) {
        self.candidateType = candidateType
        self.address = address
        self.port = port
        self.protocol = `protocol`
        self.priority = priority
        self.relatedAddress = relatedAddress
        self.relatedPort = relatedPort
    }
}

/// W3C RTCIceCandidatePairStats.
public struct CandidatePairStatistics: Sendable, Equatable {
    public var local: CandidateDescription
    public var remote: CandidateDescription
    /// "frozen", "waiting", "in-progress", "failed" or "succeeded".
    public var state: String
    public var nominated: Bool
    public var currentRoundTripTimeMs: Double?
    public var requestsSent = 0
    public var responsesReceived = 0
    public var requestsReceived = 0
    public var responsesSent = 0
    public var consentRequestsSent = 0

    public init(local: CandidateDescription, remote: CandidateDescription, state: String, nominated: Bool, currentRoundTripTimeMs: Double?) {
        self.local = local
        self.remote = remote
        self.state = state
        self.nominated = nominated
        self.currentRoundTripTimeMs = currentRoundTripTimeMs
    }
}
