import Core

/// What we send under one SSRC: headers, counts, sender reports, and what the far end reports back (RFC 3550 §5.1, §6.4).
public struct OutboundRTPStream: Sendable {
    public private(set) var ssrc: UInt32
    public private(set) var packetsSent = 0
    /// Payload bytes.
    public private(set) var bytesSent = 0
    public private(set) var lastPacketAt: Instant?
    /// From the newest report block about us; nil until one came.
    public private(set) var remotePacketsLost: Int?
    public private(set) var remoteJitterMs: Double?
    /// 0 to 1, of the interval reported last.
    public private(set) var fractionLost: Double?
    /// Nil until a block answered a sender report of ours.
    public private(set) var roundTripTimeMs: Double?

    private var nextSequence: UInt16
    private var timestampOffset: UInt32
    /// Counts under the present SSRC, as a sender report wants them.
    private var reportedPackets: UInt32 = 0
    private var reportedOctets: UInt32 = 0
    /// Ties the media clock to an instant: the newest packet whose timestamp is the time of sending.
    private var anchor: (timestamp: UInt32, at: Instant, clockRate: UInt32)?

    /// SSRC (unless given), first sequence number and timestamp offset are drawn. The sequence starts in the lower half, so that
    /// a receiver that loses the first packets cannot mistake SRTP's roll-over counter (RFC 3711 §3.3.1).
    public init(ssrc: UInt32? = nil, random: RandomSource) {
        self.ssrc = ssrc ?? Self.drawSSRC(random)
        nextSequence = UInt16(truncatingIfNeeded: random.next()) & 0x7FFF
        timestampOffset = UInt32(truncatingIfNeeded: random.next())
    }

    /// A stream that begins with these numbers, whatever half they are in.
    init(ssrc: UInt32, firstSequence: UInt16, timestampOffset: UInt32) {
        self.ssrc = ssrc
        nextSequence = firstSequence
        self.timestampOffset = timestampOffset
    }

    /// The header of the packet that is sent now, and counts it.
    /// - Parameters:
    ///   - timestamp: media time in the payload's clock, without the random offset.
    ///   - clockRate: Hz; nil when the timestamp is not the time of sending (telephone-event).
    public mutating func nextHeader(
        payloadType: UInt8, payloadLength: Int, timestamp: UInt32, marker: Bool = false, clockRate: UInt32?, at now: Instant
    ) -> RTPHeader {
        let header = RTPHeader(
            payloadType: payloadType, sequenceNumber: nextSequence, timestamp: timestamp &+ timestampOffset, ssrc: ssrc, marker: marker)
        nextSequence &+= 1
        packetsSent += 1
        bytesSent += max(0, payloadLength)
        reportedPackets &+= 1
        reportedOctets &+= UInt32(truncatingIfNeeded: max(0, payloadLength))
        lastPacketAt = now
        if let clockRate, clockRate > 0 { anchor = (header.timestamp, now, clockRate) }
        return header
    }

    /// What the next header will carry.
    var upcoming: (sequence: UInt16, timestampOffset: UInt32) { (nextSequence, timestampOffset) }

    /// The header of a packet that is passed on under numbers of its own, the stream's offset included, and counts it.
    mutating func forwardedHeader(
        payloadType: UInt8, payloadLength: Int, sequence: UInt16, timestamp: UInt32, marker: Bool, clockRate: UInt32?, at now: Instant
    ) -> RTPHeader {
        let isNewest = !nextSequence.isNewerSequence(than: sequence)
        let kept = (nextSequence, anchor)
        nextSequence = sequence
        var header = nextHeader(
            payloadType: payloadType, payloadLength: payloadLength, timestamp: timestamp &- timestampOffset, marker: marker, clockRate: clockRate,
            at: now)
        header.sequenceNumber = sequence
        // What comes late changes neither what follows nor the clock.
        if !isNewest { (nextSequence, anchor) = kept }
        return header
    }

    /// The sender's part of a report; its RTP timestamp is the media clock carried on to `now`.
    public func senderInfo(clock: NTPClock, at now: Instant) -> SenderInfo {
        var timestamp = timestampOffset
        if let anchor {
            let elapsed = UInt64(max(0, (now - anchor.at).totalNanoseconds))
            let (seconds, rest) = elapsed.quotientAndRemainder(dividingBy: 1_000_000_000)
            let units = seconds &* UInt64(anchor.clockRate) &+ rest &* UInt64(anchor.clockRate) / 1_000_000_000
            timestamp = anchor.timestamp &+ UInt32(truncatingIfNeeded: units)
        }
        return SenderInfo(
            ntpTimestamp: clock.timestamp(at: now), rtpTimestamp: timestamp, packetCount: reportedPackets, octetCount: reportedOctets)
    }

    /// Takes a block about our SSRC. The round trip comes from LSR and DLSR.
    public mutating func receive(_ block: ReportBlock, clock: NTPClock, at now: Instant) {
        remotePacketsLost = Int(block.cumulativeLost)
        fractionLost = Double(block.fractionLost) / 256
        if let anchor { remoteJitterMs = Double(block.jitter) * 1000 / Double(anchor.clockRate) }
        let trip = clock.roundTripMs(echo: block.lastSenderReport, delay: block.delaySinceLastSenderReport, at: now)
        if let trip { roundTripTimeMs = trip }
    }

    /// After a collision: new identifier, sequence and timestamps (RFC 3550 §8.2). The totals go on.
    mutating func changeSSRC(random: RandomSource) {
        let old = ssrc
        ssrc = Self.drawSSRC(random)
        if ssrc == old { ssrc = old == .max ? 1 : old + 1 }
        nextSequence = UInt16(truncatingIfNeeded: random.next()) & 0x7FFF
        timestampOffset = UInt32(truncatingIfNeeded: random.next())
        reportedPackets = 0
        reportedOctets = 0
        anchor = nil
    }

    private static func drawSSRC(_ random: RandomSource) -> UInt32 { max(1, UInt32(truncatingIfNeeded: random.next() >> 32)) }
}
