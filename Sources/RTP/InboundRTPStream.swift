import Core

/// Reception of one remote source: validation, counts, loss, jitter, report blocks (RFC 3550 §6.4, A.1, A.3, A.8).
public struct InboundRTPStream: Sendable {
    /// What a packet was.
    public enum Arrival: Sendable, Equatable {
        case inOrder
        /// Late, but not seen before.
        case reordered
        case duplicate
        /// The second packet of a new run of sequence numbers: earlier ones have no meaning any more.
        case restarted
        /// The source, or its jump, is not believed until the next packet follows on.
        case probation
    }

    // unheard ──first──▶ valid ──jump──▶ jumped ──next in line──▶ valid (new epoch)
    //    └─first─▶ candidate ──next in line──▶ valid   └──old run goes on──▶ valid
    private enum State {
        case unheard(needsProbation: Bool)
        case candidate(next: UInt16, octets: Int)
        case valid(SequenceWindow)
        case jumped(SequenceWindow, next: UInt16, octets: Int)
    }

    public let ssrc: UInt32
    /// Duplicates included (A.3).
    public private(set) var packetsReceived = 0
    /// Payload bytes.
    public private(set) var bytesReceived = 0
    public private(set) var packetsDuplicated = 0
    public private(set) var lastPacketAt: Instant?
    /// The newest sender report: its arrival and what it said. Maps the media clock to wall-clock time.
    public private(set) var lastSenderReport: (info: SenderInfo, at: Instant)?
    /// Fraction lost of the interval reported last, 0 to 1; nil before the first report block.
    public private(set) var fractionLost: Double?
    private var state: State
    private var lostBefore = 0
    /// Of numberings that ended since the last report block.
    private var ended = (expected: 0, lost: 0)
    private var jitter = InterarrivalJitter()
    private(set) var bursts = LossBursts()

    /// - Parameter needsProbation: believe the source only after two packets in sequence.
    public init(ssrc: UInt32, needsProbation: Bool = false) {
        self.ssrc = ssrc
        state = .unheard(needsProbation: needsProbation)
    }

    /// Whether at least one packet was believed.
    public var isValid: Bool { window != nil }

    /// Expected minus received since the beginning, negative when duplicates outnumber losses.
    public var packetsLost: Int { lostBefore + (window?.lost ?? 0) }

    /// Nil until two packets could be compared.
    public var jitterMs: Double? { jitter.seconds.map { $0 * 1000 } }

    public var extendedHighestSequence: UInt32? { window?.extendedHighest }

    private var window: SequenceWindow? {
        switch state {
        case .valid(let window), .jumped(let window, _, _): window
        case .unheard, .candidate: nil
        }
    }

    /// Takes one authenticated packet.
    /// - Parameter clockRate: Hz of its payload type; nil when its timestamp says nothing about arrival (telephone-event, unknown types).
    public mutating func receive(_ header: RTPHeader, payloadLength: Int, clockRate: UInt32?, at now: Instant) -> Arrival {
        lastPacketAt = now
        let arrival = advance(header.sequenceNumber, octets: payloadLength)
        switch arrival {
        case .inOrder, .reordered: break
        case .restarted:
            jitter.forgetReference()
            bursts.restart()
            bursts.receive(header.sequenceNumber &- 1)
        case .duplicate, .probation: return arrival
        }
        bursts.receive(header.sequenceNumber)
        if let clockRate { jitter.update(timestamp: header.timestamp, clockRate: clockRate, at: now) }
        return arrival
    }

    /// This many of the packets that came lately were not played.
    mutating func discard(_ count: Int) { bursts.discard(count) }

    public mutating func receive(_ info: SenderInfo, at now: Instant) { lastSenderReport = (info, now) }

    /// A report block for this source. Ends the interval of `fractionLost`. Nil while the source is not believed.
    public mutating func reportBlock(at now: Instant) -> ReportBlock? {
        var interval = ended
        switch state {
        case .valid(var window):
            interval += window.takeInterval()
            state = .valid(window)
        case .jumped(var window, let next, let octets):
            interval += window.takeInterval()
            state = .jumped(window, next: next, octets: octets)
        case .unheard, .candidate: return nil
        }
        ended = (0, 0)
        // 0 when nothing was expected or duplicates outnumber losses (A.3).
        let fraction = interval.expected > 0 && interval.lost > 0 ? UInt8(clamping: interval.lost * 256 / interval.expected) : 0
        fractionLost = Double(fraction) / 256
        return ReportBlock(
            ssrc: ssrc, fractionLost: fraction, cumulativeLost: Int32(min(max(packetsLost, -0x80_0000), 0x7F_FFFF)),
            extendedHighestSequence: extendedHighestSequence ?? 0, jitter: jitter.timestampUnits,
            lastSenderReport: lastSenderReport.map { NTPClock.middle(of: $0.info.ntpTimestamp) } ?? 0,
            delaySinceLastSenderReport: lastSenderReport.map { NTPClock.shortFormat(now - $0.at) } ?? 0)
    }

    private mutating func advance(_ sequence: UInt16, octets: Int) -> Arrival {
        switch state {
        case .unheard(let needsProbation):
            if needsProbation {
                state = .candidate(next: sequence &+ 1, octets: octets)
                return .probation
            }
            state = .valid(SequenceWindow(first: sequence))
            count(octets)
            return .inOrder
        case .candidate(let next, let pending):
            guard sequence == next else {
                state = .candidate(next: sequence &+ 1, octets: octets)
                return .probation
            }
            begin(at: sequence, pending: pending, octets: octets)
            return .inOrder
        case .valid(let window):
            return step(window, sequence, octets: octets)
        case .jumped(var window, let next, let pending):
            guard sequence == next else { return step(window, sequence, octets: octets) }
            lostBefore += window.lost
            ended += window.takeInterval()
            begin(at: sequence, pending: pending, octets: octets)
            return .restarted
        }
    }

    private mutating func step(_ old: SequenceWindow, _ sequence: UInt16, octets: Int) -> Arrival {
        var window = old
        let step = window.update(sequence)
        if step == .jump {
            state = .jumped(window, next: sequence &+ 1, octets: octets)
            return .probation
        }
        state = .valid(window)
        count(octets)
        switch step {
        case .inOrder: return .inOrder
        case .reordered: return .reordered
        case .duplicate, .jump:
            packetsDuplicated += 1
            return .duplicate
        }
    }

    /// A run that starts one packet before `sequence`: the packet that was on probation counts.
    private mutating func begin(at sequence: UInt16, pending: Int, octets: Int) {
        var window = SequenceWindow(first: sequence &- 1)
        _ = window.update(sequence)
        state = .valid(window)
        count(pending)
        count(octets)
    }

    private mutating func count(_ octets: Int) {
        packetsReceived += 1
        bytesReceived += max(0, octets)
    }
}

private func += (sum: inout (expected: Int, lost: Int), interval: (expected: Int, lost: Int)) {
    sum.expected += interval.expected
    sum.lost += interval.lost
}
