import Core

/// What the caller knows about the play-out of received speech, for VoIP metrics (RFC 3611 §4.7). Nil is "not known".
public struct VoIPConditions: Sendable, Equatable {
    public enum Concealment: UInt8, Sendable {
        case unspecified = 0
        /// Silence in place of what is lost.
        case disabled = 1
        case enhanced = 2
        case standard = 3
    }

    /// Nil for a codec without published constants: then there is no rating.
    public var codec: EModel.Codec?
    public var concealment: Concealment
    public var isAdaptive: Bool?
    /// Media time in a packet.
    public var packetDuration: Duration
    /// Since the beginning: packets that came but were not played.
    public var packetsDiscarded: Int
    /// Of this end, sending and receiving together.
    public var endSystemDelayMs: Double?
    public var jitterBufferNominalMs: Double
    public var jitterBufferMaximumMs: Double
    public var jitterBufferAbsoluteMaximumMs: Double
    /// dBm0.
    public var signalLevel: Int8?
    public var noiseLevel: Int8?

    public init(
        codec: EModel.Codec?, concealment: Concealment = .unspecified, isAdaptive: Bool? = nil, packetDuration: Duration = .milliseconds(20),
        packetsDiscarded: Int = 0, endSystemDelayMs: Double? = nil, jitterBufferNominalMs: Double = 0, jitterBufferMaximumMs: Double = 0,
        jitterBufferAbsoluteMaximumMs: Double = 0, signalLevel: Int8? = nil, noiseLevel: Int8? = nil
    ) {
        self.codec = codec
        self.concealment = concealment
        self.isAdaptive = isAdaptive
        self.packetDuration = packetDuration
        self.packetsDiscarded = packetsDiscarded
        self.endSystemDelayMs = endSystemDelayMs
        self.jitterBufferNominalMs = jitterBufferNominalMs
        self.jitterBufferMaximumMs = jitterBufferMaximumMs
        self.jitterBufferAbsoluteMaximumMs = jitterBufferAbsoluteMaximumMs
        self.signalLevel = signalLevel
        self.noiseLevel = noiseLevel
    }
}

/// Extended reports (RFC 3611).
extension RTPSession {
    /// Between two VoIP metrics blocks.
    static let metricsInterval: Duration = .seconds(5)
    /// A reference time older than this is not answered any more.
    static let longestReply: Duration = .seconds(60)

    /// Tells how play-out goes; the discarded packets since the last call count as discarded now.
    public mutating func setConditions(_ conditions: VoIPConditions) {
        let before = self.conditions?.packetsDiscarded ?? 0
        if conditions.packetsDiscarded > before, let current, let index = table.index(of: current) {
            table[index].stream.discard(conditions.packetsDiscarded - before)
        }
        self.conditions = conditions
    }

    /// VoIP metrics of the source that is played; nil before one is, and before `setConditions`.
    public var voipMetrics: VoIPMetrics? {
        guard let conditions, let current, let index = table.index(of: current) else { return nil }
        let counts = table[index].stream.bursts.counts
        var out = VoIPMetrics(ssrc: current)
        out.lossRate = Self.share(counts.lost, of: counts.expected)
        out.discardRate = Self.share(counts.discarded, of: counts.expected)
        out.burstDensity = Self.share(counts.burstLosses, of: counts.burstPackets)
        out.gapDensity = Self.share(counts.gapLosses, of: counts.gapPackets)
        let packetMs = conditions.packetDuration.milliseconds
        out.burstDurationMs = Self.mean(Double(counts.burstPackets) * packetMs, counts.bursts)
        out.gapDurationMs = Self.mean(Double(counts.gapPackets) * packetMs, counts.gaps)
        let roundTrip = outbound.roundTripTimeMs ?? referenceRoundTripMs
        out.roundTripDelayMs = roundTrip.map { Self.clamped($0) }
        out.endSystemDelayMs = conditions.endSystemDelayMs.map { Self.clamped($0) }
        out.signalLevel = conditions.signalLevel
        out.noiseLevel = conditions.noiseLevel
        out.receiverConfiguration = conditions.concealment.rawValue << 6 | (conditions.isAdaptive.map { $0 ? 0x30 : 0x20 } ?? 0)
        out.jitterBufferNominalMs = Self.clamped(conditions.jitterBufferNominalMs)
        out.jitterBufferMaximumMs = Self.clamped(conditions.jitterBufferMaximumMs)
        out.jitterBufferAbsoluteMaximumMs = Self.clamped(conditions.jitterBufferAbsoluteMaximumMs)
        if let codec = conditions.codec, counts.expected > 0 {
            let loss = 100 * Double(counts.lost + counts.discarded) / Double(counts.expected)
            let model = EModel(codec: codec, lossPercent: loss)
            out.mosListening = EModel.meanOpinionScore(rating: model.rating())
            // A rating of the conversation needs the whole way: half of the round trip and of both ends' own delay (§4.7.3).
            // An end that does not tell its own is taken to be like ours.
            if let roundTrip, let own = conditions.endSystemDelayMs {
                let other = remoteMetrics?.endSystemDelayMs.map { Double($0) } ?? own
                let rating = model.rating(oneWayMs: (roundTrip + own + other) / 2)
                out.rFactor = UInt8(exactly: rating.rounded())
                out.mosConversational = EModel.meanOpinionScore(rating: rating)
            }
        }
        return out
    }

    /// The blocks of the regular report that goes out now.
    mutating func extendedReport(at now: Instant) -> [RTCPPacket] {
        var blocks: [XRBlock] = []
        if configuration.xrReceiverReferenceTime { blocks.append(.receiverReferenceTime(clock.timestamp(at: now))) }
        let replies = table.sources.compactMap { source -> ReferenceTimeReply? in
            guard let reference = source.referenceTime, source.leftAt == nil, now - reference.at < Self.longestReply else { return nil }
            return ReferenceTimeReply(
                ssrc: source.ssrc, lastReceiverReport: NTPClock.middle(of: reference.timestamp),
                delaySinceLastReceiverReport: NTPClock.shortFormat(now - reference.at))
        }
        if !replies.isEmpty { blocks.append(.referenceTimeReplies(replies)) }
        if configuration.xrVoIPMetrics, lastMetricsAt.map({ now - $0 >= Self.metricsInterval }) ?? true, let voipMetrics {
            blocks.append(.voipMetrics(voipMetrics))
            lastMetricsAt = now
        }
        return blocks.isEmpty ? [] : [.extendedReport(ssrc: ssrc, blocks: blocks)]
    }

    /// - Parameter index: the sender's entry.
    mutating func receive(_ blocks: [XRBlock], from index: Int, at now: Instant) {
        for block in blocks {
            switch block {
            case .receiverReferenceTime(let timestamp): table[index].referenceTime = (timestamp, now)
            case .referenceTimeReplies(let replies):
                guard let reply = replies.first(where: { $0.ssrc == outbound.ssrc }) else { continue }
                let trip = clock.roundTripMs(echo: reply.lastReceiverReport, delay: reply.delaySinceLastReceiverReport, at: now)
                if let trip { referenceRoundTripMs = trip }
            case .voipMetrics(let metrics): if metrics.ssrc == outbound.ssrc { remoteMetrics = metrics }
            case .other: break
            }
        }
    }

    /// In 1/256, at most 255.
    private static func share(_ part: Int, of whole: Int) -> UInt8 { whole > 0 ? UInt8(clamping: part * 256 / whole) : 0 }

    private static func mean(_ sum: Double, _ count: Int) -> UInt16 { count > 0 ? clamped(sum / Double(count)) : 0 }

    private static func clamped(_ milliseconds: Double) -> UInt16 { UInt16(exactly: min(max(0, milliseconds), 65535).rounded()) ?? 0 }
}
