/// The audio codecs of this version. Raw values travel in packet rings.
public enum AudioCodecKind: UInt8, Sendable, CaseIterable {
    case opus = 1
    case pcmu = 2
    case pcma = 3
    case g722 = 4

    /// Samples a second of the decoded signal (mono).
    public var sampleRate: Int {
        switch self {
        case .opus: 48000
        case .g722: 16000
        case .pcmu, .pcma: 8000
        }
    }

    /// The RTP clock (RFC 7587 §4.1, RFC 3551 §4.5.14). G.722 says 8000, an old mistake that stays (RFC 3551 §4.5.2).
    public var clockRate: Int { self == .g722 ? 8000 : sampleRate }

    /// Decoded samples for each unit of the RTP clock.
    public var samplesPerClockUnit: Int { sampleRate / clockRate }

    /// The encoding name of `a=rtpmap`.
    public var encodingName: String {
        switch self {
        case .opus: "opus"
        case .pcmu: "PCMU"
        case .pcma: "PCMA"
        case .g722: "G722"
        }
    }

    /// The channel count of `a=rtpmap`; Opus always says 2 (RFC 7587 §7).
    public var rtpmapChannels: Int { self == .opus ? 2 : 1 }

    /// The static payload type (RFC 3551 table 4), or nil.
    public var staticPayloadType: UInt8? {
        switch self {
        case .opus: nil
        case .pcmu: 0
        case .pcma: 8
        case .g722: 9
        }
    }

    /// Decoded samples of 20 ms.
    public var samplesPerTick: Int { sampleRate / 50 }

    /// From the encoding name of `a=rtpmap`, in any case.
    public init?(encodingName: some StringProtocol) {
        guard let kind = Self.allCases.first(where: { $0.encodingName.lowercased() == encodingName.lowercased() }) else { return nil }
        self = kind
    }

    /// Decoded samples of a payload; nil when no decoder would take it (empty, malformed, over 120 ms).
    public func samples(in payload: UnsafeRawBufferPointer) -> Int? {
        switch self {
        case .opus: return OpusPacket.samples(in: payload)
        // Eight bytes a millisecond, whatever the sample rate.
        case .pcmu, .pcma, .g722: return payload.isEmpty || payload.count > 960 ? nil : payload.count * samplesPerClockUnit
        }
    }

    /// Whether the payload carries a copy of the frame before it (Opus LBRR, RFC 6716 §2.1.7).
    public func carriesRedundancy(_ payload: UnsafeRawBufferPointer) -> Bool {
        self == .opus && OpusPacket.carriesRedundancy(payload)
    }
}
