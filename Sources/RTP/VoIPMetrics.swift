import Core

/// The VoIP metrics report block (RFC 3611 §4.7). Nil is "unavailable" (127 on the wire).
public struct VoIPMetrics: Equatable, Sendable {
    /// The source reported on.
    public var ssrc: UInt32
    /// All four in 1/256, since the beginning of reception.
    public var lossRate: UInt8
    public var discardRate: UInt8
    public var burstDensity: UInt8
    public var gapDensity: UInt8
    /// Means, in ms; 0 when there was none.
    public var burstDurationMs: UInt16
    public var gapDurationMs: UInt16
    /// Nil when it was not measured (0 on the wire).
    public var roundTripDelayMs: UInt16?
    /// Of this end: sending and receiving. Nil when not known (0 on the wire).
    public var endSystemDelayMs: UInt16?
    /// dBm0.
    public var signalLevel: Int8?
    public var noiseLevel: Int8?
    /// dB.
    public var residualEchoReturnLoss: UInt8?
    public var minimumGap: UInt8
    /// 0 to 100 by ITU-T G.107.
    public var rFactor: UInt8?
    public var externalRFactor: UInt8?
    /// 1.0 to 5.0: listening only, and as a conversation with its delay.
    public var mosListening: Double?
    public var mosConversational: Double?
    /// Concealment, kind of jitter buffer and its rate, as §4.7.6 packs them.
    public var receiverConfiguration: UInt8
    public var jitterBufferNominalMs: UInt16
    public var jitterBufferMaximumMs: UInt16
    public var jitterBufferAbsoluteMaximumMs: UInt16

    static let unavailable: UInt8 = 127
    /// Bytes behind the block's head.
    static let length = 32

    public init(ssrc: UInt32, minimumGap: UInt8 = 16) {
        self.ssrc = ssrc
        self.minimumGap = minimumGap
        lossRate = 0
        discardRate = 0
        burstDensity = 0
        gapDensity = 0
        burstDurationMs = 0
        gapDurationMs = 0
        receiverConfiguration = 0
        jitterBufferNominalMs = 0
        jitterBufferMaximumMs = 0
        jitterBufferAbsoluteMaximumMs = 0
    }

    /// Nil when `bytes` do not hold the 32 bytes from `offset`.
    init?(_ bytes: RawSpan, at offset: Int) {
        guard bytes.copy(at: offset, count: Self.length) != nil, let ssrc = bytes.u32(at: offset) else { return nil }
        func octet(_ at: Int) -> UInt8 { bytes.u8(at: offset + at) ?? 0 }
        func word(_ at: Int) -> UInt16 { bytes.u16(at: offset + at) ?? 0 }
        func optional(_ at: Int) -> UInt8? { octet(at) == Self.unavailable ? nil : octet(at) }
        func opinion(_ at: Int) -> Double? { optional(at).map { Double($0) / 10 } }
        self.init(ssrc: ssrc, minimumGap: octet(19))
        lossRate = octet(4)
        discardRate = octet(5)
        burstDensity = octet(6)
        gapDensity = octet(7)
        burstDurationMs = word(8)
        gapDurationMs = word(10)
        roundTripDelayMs = word(12) == 0 ? nil : word(12)
        endSystemDelayMs = word(14) == 0 ? nil : word(14)
        signalLevel = optional(16).map { Int8(bitPattern: $0) }
        noiseLevel = optional(17).map { Int8(bitPattern: $0) }
        residualEchoReturnLoss = optional(18)
        rFactor = optional(20)
        externalRFactor = optional(21)
        mosListening = opinion(22)
        mosConversational = opinion(23)
        receiverConfiguration = octet(24)
        jitterBufferNominalMs = word(26)
        jitterBufferMaximumMs = word(28)
        jitterBufferAbsoluteMaximumMs = word(30)
    }

    func write(to writer: inout ByteWriter) {
        func opinion(_ value: Double?) -> UInt8 { value.flatMap { UInt8(exactly: ($0 * 10).rounded()) } ?? Self.unavailable }
        writer.u32(ssrc)
        for rate in [lossRate, discardRate, burstDensity, gapDensity] { writer.u8(rate) }
        writer.u16(burstDurationMs)
        writer.u16(gapDurationMs)
        writer.u16(roundTripDelayMs ?? 0)
        writer.u16(endSystemDelayMs ?? 0)
        writer.u8(signalLevel.map { UInt8(bitPattern: $0) } ?? Self.unavailable)
        writer.u8(noiseLevel.map { UInt8(bitPattern: $0) } ?? Self.unavailable)
        writer.u8(residualEchoReturnLoss ?? Self.unavailable)
        writer.u8(minimumGap)
        writer.u8(rFactor ?? Self.unavailable)
        writer.u8(externalRFactor ?? Self.unavailable)
        writer.u8(opinion(mosListening))
        writer.u8(opinion(mosConversational))
        writer.u8(receiverConfiguration)
        writer.u8(0)
        writer.u16(jitterBufferNominalMs)
        writer.u16(jitterBufferMaximumMs)
        writer.u16(jitterBufferAbsoluteMaximumMs)
    }
}
