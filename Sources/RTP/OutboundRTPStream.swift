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

    /// Takes a block about our SSRC. Round trip = now − LSR − DLSR (RFC 3550 §6.4.1), in steps of 1/65536 s.
    public mutating func receive(_ block: ReportBlock, clock: NTPClock, at now: Instant) {
        remotePacketsLost = Int(block.cumulativeLost)
        fractionLost = Double(block.fractionLost) / 256
        if let anchor { remoteJitterMs = Double(block.jitter) * 1000 / Double(anchor.clockRate) }
        guard block.lastSenderReport != 0 else { return }
        let elapsed = Int32(bitPattern: clock.middle(at: now) &- block.lastSenderReport &- block.delaySinceLastSenderReport)
        // Rounding at the far end can give a little less than nothing: then the trip took less than a step of this clock.
        // Far outside it is a report that did not echo ours.
        guard (-Self.tolerance...Self.longestTrip).contains(elapsed) else { return }
        roundTripTimeMs = Double(max(1, elapsed)) * 1000 / 65536
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

    /// 20 ms and 60 s in units of 1/65536 s.
    private static let tolerance: Int32 = 1311
    private static let longestTrip: Int32 = 60 * 65536

    private static func drawSSRC(_ random: RandomSource) -> UInt32 { max(1, UInt32(truncatingIfNeeded: random.next() >> 32)) }
}
