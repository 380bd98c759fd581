import Core

/// One media stream of one call: both directions of RTP, and the RTCP that belongs to them (RFC 3550, 4585, 5506).
///
/// Packets enter by `receiveRTP` and `receiveRTCP`, decrypted; `willSend` gives the header of each packet sent; `poll` gives
/// compounds to send and what the far end asked for.
public struct RTPSession: StateMachine {
    public struct Configuration: Sendable {
        /// Names this end in SDES (RFC 7022: random and short-lived).
        public var cname: String
        /// Nil draws one.
        public var ssrc: UInt32?
        /// RTP/AVPF or SAVPF: feedback is allowed and reports are quicker.
        public var isAVPF: Bool
        /// `a=rtcp-rsize`: feedback goes without a report around it.
        public var reducedSize: Bool
        /// Hz by payload type, as negotiated; G.722 says 8000.
        public var clockRates: [UInt8: UInt32]
        /// Payload types of telephone-event: their timestamps stand still, so they say nothing about jitter.
        public var eventPayloadTypes: Set<UInt8>
        /// Bit/s of media, of which RTCP takes 5 %.
        public var bandwidth: Int
        /// `b=RS` and `b=RR` in bit/s, in place of the 5 % (RFC 3556).
        public var senderBandwidth: Int?
        public var receiverBandwidth: Int?
        /// `trr-int` of `a=rtcp-fb` (RFC 4585 §4.2).
        public var minimumReportInterval: Duration
        /// Negotiated header extensions.
        public var extensions: RTPExtensionMap
        /// The media description's tag; sent when `extensions` has an identifier for it.
        public var mid: String?
        /// `a=rtcp-fb:… transport-cc` both ways: we tell when packets arrived.
        public var transportFeedback: Bool
        /// `a=rtcp-xr:rcvr-rtt`: reports carry a reference time (RFC 3611 §4.4). A peer's is answered in any case.
        public var xrReceiverReferenceTime: Bool
        /// `a=rtcp-xr:voip-metrics` (RFC 3611 §4.7), once `setConditions` was called.
        public var xrVoIPMetrics: Bool

        public init(
            cname: String, ssrc: UInt32? = nil, isAVPF: Bool = false, reducedSize: Bool = false, clockRates: [UInt8: UInt32],
            eventPayloadTypes: Set<UInt8> = [], bandwidth: Int = 64_000, senderBandwidth: Int? = nil, receiverBandwidth: Int? = nil,
            minimumReportInterval: Duration = .zero, extensions: RTPExtensionMap = RTPExtensionMap(), mid: String? = nil,
            transportFeedback: Bool = false, xrReceiverReferenceTime: Bool = false, xrVoIPMetrics: Bool = false
        ) {
            self.cname = cname
            self.ssrc = ssrc
            self.isAVPF = isAVPF
            self.reducedSize = reducedSize
            self.clockRates = clockRates
            self.eventPayloadTypes = eventPayloadTypes
            self.bandwidth = bandwidth
            self.senderBandwidth = senderBandwidth
            self.receiverBandwidth = receiverBandwidth
            self.minimumReportInterval = minimumReportInterval
            self.extensions = extensions
            self.mid = mid
            self.transportFeedback = transportFeedback
            self.xrReceiverReferenceTime = xrReceiverReferenceTime
            self.xrVoIPMetrics = xrVoIPMetrics
        }

        /// Nil for telephone-event and for types that were not negotiated.
        func mediaClock(of payloadType: UInt8) -> UInt32? {
            eventPayloadTypes.contains(payloadType) ? nil : clockRates[payloadType]
        }
    }

    public enum Input: Sendable {
        /// Start reporting before any media flows.
        case join
        /// Ask for a key frame: PLI. Ignored without AVPF.
        case requestKeyFrame
        /// The same by a Full Intra Request (RFC 5104 §4.3.1), for those who know no PLI.
        case requestFullIntra
        /// Tell what we can take, in bit/s: REMB. Ignored without AVPF.
        case announceMaximumBitrate(UInt64)
        /// Ask for these packets again: generic NACK. Ignored without AVPF.
        case requestRetransmission([UInt16])
        /// Say BYE.
        case close(reason: String?)
    }

    public enum Output: Sendable, Equatable {
        /// A compound (or a reduced-size packet) to protect and send.
        case transmit([UInt8])
        /// PLI, or a new FIR.
        case keyFrameRequested
        case retransmissionRequested([UInt16])
        /// REMB, in bit/s.
        case maximumBitrate(UInt64)
        /// A source said BYE. The reason is as received, not yet through the sanitiser.
        case goodbye(ssrc: UInt32, reason: String?)
        /// Another source had our identifier: later headers carry the new one.
        case collision(old: UInt32, new: UInt32)
    }

    enum State {
        case open
        case closed
    }

    /// Outputs kept at most; a stranger's feedback cannot make the queue grow.
    static let outputCapacity = 64
    /// Identifier changes at most in a session: beyond it our own packets are looping back.
    static let maximumCollisions = 4

    var state = State.open
    var configuration: Configuration
    let clock: NTPClock
    let random: RandomSource
    var outbound: OutboundRTPStream
    var table = RemoteSourceTable()
    var current: UInt32?
    var reports: RTCPSession
    /// When the last two reports went out, the newest first: "sent" and "heard" mean since the older one (RFC 3550 §6.4).
    var reportTimes: (last: Instant?, previous: Instant?)
    var formerSSRCs: [UInt32] = []
    var outputs: [Output] = []
    var sentFeedback = (nack: 0, pli: 0, fir: 0)
    var fullIntraRequests: UInt8 = 0
    // Packets of another session in our stream.
    var relay = AudioRelay()
    var lastSent: VP8Forwarder.Sent?
    var isRelaying = false
    var ownShift: UInt32 = 0
    var receivedFeedback = (nack: 0, pli: 0, fir: 0)
    let rtcpBandwidth: RTCPBandwidth

    // Header extensions.
    var midBytes: [UInt8]
    /// A report showed that the far end has packets of the present SSRC: it knows where they belong.
    var isMIDKnown = false

    // Transport-wide feedback.
    var sentTransport: TransportFeedbackHistory
    var receivedTransport = TransportFeedbackRecorder()
    var feedbackDue: Instant?
    var lastFeedbackAt: Instant?
    var lastFeedbackSize = 32

    // Extended reports.
    var conditions: VoIPConditions?
    var lastMetricsAt: Instant?
    /// By DLRR: known even when we send no media.
    var referenceRoundTripMs: Double?
    var remoteMetrics: VoIPMetrics?

    public init(configuration: Configuration, random: RandomSource, clock: NTPClock) {
        self.configuration = configuration
        self.clock = clock
        self.random = random
        outbound = OutboundRTPStream(ssrc: configuration.ssrc, random: random)
        rtcpBandwidth = RTCPBandwidth(
            session: configuration.bandwidth, senders: configuration.senderBandwidth, receivers: configuration.receiverBandwidth)
        var profile = configuration.isAVPF ? RTCPProfile.avpf : .avp
        if configuration.isAVPF { profile.minimumReportInterval = configuration.minimumReportInterval }
        reports = RTCPSession(profile: profile, bandwidth: rtcpBandwidth, random: random)
        sentTransport = TransportFeedbackHistory(random: random)
        midBytes = Array((configuration.mid ?? "").utf8)
    }

    /// Our identifier at present.
    public var ssrc: UInt32 { outbound.ssrc }
    /// The remote source that is played.
    public var remoteSSRC: UInt32? { current }
    public var remoteSourceCount: Int { table.sources.count }
    public var deadline: Instant? {
        guard let regular = reports.deadline, let feedbackDue else { return reports.deadline ?? feedbackDue }
        return min(regular, feedbackDue)
    }

    /// The CNAME of a remote source, as received.
    public func cname(of ssrc: UInt32) -> String? { table.index(of: ssrc).flatMap { table[$0].cname } }

    public func inboundStream(_ ssrc: UInt32) -> InboundRTPStream? { table.index(of: ssrc).map { table[$0].stream } }

    /// After a new offer and answer: payload types may have changed.
    public mutating func setPayloadTypes(clockRates: [UInt8: UInt32], events: Set<UInt8>) {
        configuration.clockRates = clockRates
        configuration.eventPayloadTypes = events
    }

    /// The header of a packet that is sent now; counts it.
    /// - Parameter timestamp: media time in the payload's clock; the stream adds its random offset.
    public mutating func willSend(
        payloadType: UInt8, payloadLength: Int, timestamp: UInt32, marker: Bool = false, at now: Instant
    ) -> RTPHeader {
        reports.handle(.joined, at: now)
        let clockRate = configuration.mediaClock(of: payloadType)
        let header = outbound.nextHeader(
            payloadType: payloadType, payloadLength: payloadLength, timestamp: ownTimestamp(timestamp, clockRate: clockRate, at: now), marker: marker,
            clockRate: clockRate, at: now)
        lastSent = VP8Forwarder.Sent(sequence: header.sequenceNumber, timestamp: header.timestamp, at: now)
        return header
    }

    public mutating func handle(_ input: consuming Input, at now: Instant) {
        guard case .open = state else { return }
        switch input {
        case .join: reports.handle(.joined, at: now)
        case .requestKeyFrame:
            if sendFeedback(.pictureLossIndication, at: now) { sentFeedback.pli += 1 }
        case .requestFullIntra:
            fullIntraRequests &+= 1
            if let current, sendFeedback(.fullIntraRequest([FullIntraRequest(ssrc: current, sequenceNumber: fullIntraRequests)]), at: now) {
                sentFeedback.fir += 1
            }
        case .announceMaximumBitrate(let rate):
            if let current { _ = sendFeedback(.maximumBitrate(rate, ssrcs: [current]), at: now) }
        case .requestRetransmission(let lost):
            if !lost.isEmpty, sendFeedback(.genericNACK(lost), at: now) { sentFeedback.nack += 1 }
        case .close(let reason):
            if let bytes = close(reason: reason, at: now) { emit(.transmit(bytes)) }
        }
    }

    public mutating func handleTimeout(at now: Instant) {
        guard case .open = state, let deadline, deadline <= now else { return }
        updateMembership(at: now)
        reports.handleTimeout(at: now)
        guard reports.poll() != nil else {
            if let feedbackDue, feedbackDue <= now { sendTransportFeedback(at: now) }
            return
        }
        table.sweep(silentFor: max(.seconds(25), reports.deterministicInterval * 5), keeping: current, at: now)
        let bytes = RTCPPacket.bytes(of: report(at: now) + extendedReport(at: now) + takeTransportFeedback(at: now))
        reports.handle(.compound(octets: bytes.count), at: now)
        reportTimes = (now, reportTimes.last)
        emit(.transmit(bytes))
    }

    public mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func emit(_ output: Output) {
        if outputs.count < Self.outputCapacity { outputs.append(output) }
    }

    public var statistics: RTPStatistics {
        var inbound: InboundRTPStatistics?
        if let current, let index = table.index(of: current) {
            let stream = table[index].stream
            var total = table.retired
            for source in table.sources {
                total.packetsReceived += source.stream.packetsReceived
                total.packetsLost += source.stream.packetsLost
                total.bytesReceived += source.stream.bytesReceived
                total.packetsDuplicated += source.stream.packetsDuplicated
            }
            inbound = InboundRTPStatistics(
                ssrc: current, packetsReceived: total.packetsReceived, packetsLost: total.packetsLost, bytesReceived: total.bytesReceived,
                packetsDuplicated: total.packetsDuplicated, jitterMs: stream.jitterMs, fractionLost: stream.fractionLost,
                nackCount: sentFeedback.nack, pliCount: sentFeedback.pli, roundTripTimeMs: referenceRoundTripMs, voipMetrics: voipMetrics)
        }
        return RTPStatistics(
            inbound: inbound,
            outbound: OutboundRTPStatistics(
                ssrc: outbound.ssrc, packetsSent: outbound.packetsSent, bytesSent: outbound.bytesSent, roundTripTimeMs: outbound.roundTripTimeMs,
                remotePacketsLost: outbound.remotePacketsLost, remoteJitterMs: outbound.remoteJitterMs, fractionLost: outbound.fractionLost,
                nackCount: receivedFeedback.nack, pliCount: receivedFeedback.pli, firCount: receivedFeedback.fir,
                transportPacketsAcknowledged: sentTransport.feedbackReceived > 0 ? sentTransport.packetsAcknowledged : nil,
                transportPacketsLost: sentTransport.feedbackReceived > 0 ? sentTransport.packetsLost : nil, voipMetrics: remoteMetrics))
    }
}
