import Core

/// The video of one call: VP8 both ways (RFC 7741) with repair (RFC 4585, RFC 4588) and its own RTCP, on a transport that it may share with audio.
///
/// Packets enter by `receiveRTP` and `receiveRTCP`, decrypted; what is to be sent and what came out of it leaves by `poll`.
public struct VideoSession: StateMachine {
    public struct Configuration: Sendable {
        public var cname: String
        public var ssrc: UInt32
        /// Of our retransmissions.
        public var rtxSSRC: UInt32
        /// Of VP8 in what we send, and of its retransmissions; nil without them.
        public var sendPayloadType: UInt8 = 0
        public var sendRTXPayloadType: UInt8?
        /// Of VP8 in what we receive.
        public var receivePayloadTypes: Set<UInt8> = []
        /// Of retransmissions in what we receive.
        public var receiveRTXPayloadType: UInt8?
        public var isAVPF = true
        public var reducedSize = false
        public var extensions = RTPExtensionMap()
        public var mid: String?
        /// `a=rtcp-fb` types in force.
        public var repairs = false
        public var takesPLI = false
        public var takesFIR = false
        /// REMB is wanted, and there is no transport-wide feedback.
        public var announcesBitrate = false
        /// Bytes of a payload that we cut frames into.
        public var maximumPayload = 1100

        public init(cname: String, ssrc: UInt32, rtxSSRC: UInt32) {
            self.cname = cname
            self.ssrc = ssrc
            self.rtxSSRC = rtxSSRC
        }
    }

    public enum Input: Sendable {
        /// Somebody needs a key frame of the peer.
        case requestKeyFrame
        /// The round trip to the peer, where it is known by other means than reports.
        case roundTrip(Duration)
        case close
    }

    public enum Output: Sendable, Equatable {
        /// A packet to protect and send. At `transportNumberAt` the number of the transport is to be written.
        case rtp([UInt8], transportNumberAt: Int?)
        case rtcp([UInt8])
        case frame(VP8Frame)
        /// A packet that was not there before, when `passesPackets`.
        case packet(VideoPacket)
        /// The peer needs a key frame of ours.
        case keyFrameRequested
        /// REMB, in bit/s.
        case maximumBitrate(UInt64)
    }

    /// Packets received are given out one by one.
    public var passesPackets = false

    var configuration: Configuration
    var rtp: RTPSession
    var receiver: VideoReceiver
    var packetizer: VP8Packetizer
    var history = SentPacketHistory()
    var forwarder = VP8Forwarder()
    var outputs: [Output] = []
    /// What left last under our SSRC.
    var sent: VP8Forwarder.Sent?
    /// Added to the media time of our own frames; nil when another source's packets went between.
    var timestampOffset: UInt32?
    var rtxSequence: UInt16
    /// Packets of our frames that wait for their turn.
    var paced: [Output] = []
    var pacedAt: Instant?
    var roundTrip: Duration?
    var keyFrameRequest = KeyFrameRequest()
    var lastRequestedAt: Instant?
    var bitrate = BitrateEstimate()
    var framesSent = 0
    var keyFramesSent = 0
    var retransmittedPacketsSent = 0
    var packetsDiscarded = 0
    var peerMaximumBitrate: UInt64?

    /// Where the streams of a session that was closed have stopped.
    public struct Numbers: Sendable {
        fileprivate var sequence: UInt16
        fileprivate var rtxSequence: UInt16
        fileprivate var timestampOffset: UInt32
    }

    /// - Parameter former: of the session before it under the same SSRCs: SRTP sends no number of theirs again (RFC 3711 §3.3.1).
    public init(configuration: Configuration, after former: Numbers? = nil, random: RandomSource, clock: NTPClock) {
        self.configuration = configuration
        rtp = RTPSession(configuration: Self.session(configuration), random: random, clock: clock)
        receiver = VideoReceiver(repairs: configuration.repairs)
        packetizer = VP8Packetizer(pictureID: UInt16(truncatingIfNeeded: random.next()))
        rtxSequence = former?.rtxSequence ?? UInt16(truncatingIfNeeded: random.next()) & 0x7FFF
        if let former {
            rtp.outbound = OutboundRTPStream(
                ssrc: configuration.ssrc, firstSequence: former.sequence, timestampOffset: former.timestampOffset)
        }
    }

    public var numbers: Numbers {
        let upcoming = rtp.outbound.upcoming
        return Numbers(sequence: upcoming.sequence, rtxSequence: rtxSequence, timestampOffset: upcoming.timestampOffset)
    }

    /// Reports and feedback of video may take 5 % of this, in bit/s.
    private static let bandwidth = 1_000_000

    private static func session(_ configuration: Configuration) -> RTPSession.Configuration {
        RTPSession.Configuration(
            cname: configuration.cname, ssrc: configuration.ssrc, isAVPF: configuration.isAVPF, reducedSize: configuration.reducedSize,
            clockRates: clockRates(configuration), bandwidth: bandwidth, extensions: configuration.extensions, mid: configuration.mid)
    }

    private static func clockRates(_ configuration: Configuration) -> [UInt8: UInt32] {
        var rates: [UInt8: UInt32] = [configuration.sendPayloadType: 90_000]
        for payloadType in configuration.receivePayloadTypes { rates[payloadType] = 90_000 }
        return rates
    }

    /// After a new offer and answer.
    public mutating func setConfiguration(_ new: Configuration) {
        configuration = new
        rtp.setPayloadTypes(clockRates: Self.clockRates(new), events: [])
        rtp.setExtensions(new.extensions)
        rtp.setMID(new.mid)
        if receiver.repairs != new.repairs { receiver.repairs = new.repairs }
    }

    /// Our identifier at present.
    public var ssrc: UInt32 { rtp.ssrc }
    public var remoteSSRC: UInt32? { rtp.remoteSSRC }

    public var deadline: Instant? {
        [
            rtp.deadline, receiver.deadline, pacedAt, canAskForKeyFrame ? keyFrameRequest.deadline : nil,
            configuration.announcesBitrate ? bitrate.deadline : nil,
        ]
        .compactMap { $0 }.min()
    }

    public mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    public mutating func handle(_ input: consuming Input, at now: Instant) {
        switch input {
        case .requestKeyFrame:
            keyFrameRequest.want(at: now)
            askForKeyFrame(at: now)
        case .roundTrip(let duration): roundTrip = duration
        case .close:
            paced = []
            pacedAt = nil
            rtp.handle(.close(reason: nil), at: now)
        }
        pump(at: now)
    }

    public mutating func handleTimeout(at now: Instant) {
        rtp.handleTimeout(at: now)
        receiver.roundTrip = currentRoundTrip
        receiver.handleTimeout(at: now)
        drainReceiver(at: now)
        if let due = pacedAt, due <= now { releasePaced(at: now) }
        askForKeyFrame(at: now)
        if configuration.announcesBitrate, let rate = bitrate.take(lost: rtp.statistics.inbound?.packetsLost ?? 0, at: now) {
            rtp.handle(.announceMaximumBitrate(rate), at: now)
        }
        pump(at: now)
    }

    var currentRoundTrip: Duration {
        rtp.outbound.roundTripTimeMs.map { .nanoseconds(Int64($0 * 1e6)) } ?? roundTrip ?? .milliseconds(100)
    }

    // MARK: received

    /// Takes one decrypted packet of this section.
    public mutating func receiveRTP(_ header: RTPHeader, in packet: RawSpan, at now: Instant) {
        let payload = packet.extracting(header.payloadRange)
        bitrate.receive(payload.byteCount, at: now)
        if header.payloadType == configuration.receiveRTXPayloadType {
            guard let ssrc = rtp.remoteSSRC, let original = RTXPayload.originalSequence(payload) else { return }
            deliver(
                VideoPacketHead(sequence: original, timestamp: header.timestamp, ssrc: ssrc, marker: header.marker, isRetransmission: true),
                payload.extracting(RTXPayload.headLength..<payload.byteCount), at: now)
        } else if configuration.receivePayloadTypes.contains(header.payloadType) {
            let reception = rtp.receiveRTP(header, in: packet, at: now)
            switch reception {
            case .restarted, .ssrcChanged(previous: .some): receiver.restart()
            default: break
            }
            guard reception.isPlayable else { return }
            deliver(
                VideoPacketHead(
                    sequence: header.sequenceNumber, timestamp: header.timestamp, ssrc: header.ssrc, marker: header.marker, isRetransmission: false),
                payload, at: now)
        } else {
            packetsDiscarded += 1
        }
        askForKeyFrame(at: now)
        pump(at: now)
    }

    private struct VideoPacketHead {
        var sequence: UInt16
        var timestamp: UInt32
        var ssrc: UInt32
        var marker: Bool
        var isRetransmission: Bool
    }

    private mutating func deliver(_ head: VideoPacketHead, _ payload: RawSpan, at now: Instant) {
        let isNew = receiver.receive(
            head.sequence, timestamp: head.timestamp, marker: head.marker, payload: payload, isRetransmission: head.isRetransmission, at: now)
        if isNew, passesPackets {
            outputs.append(
                .packet(
                    VideoPacket(
                        sequenceNumber: head.sequence, timestamp: head.timestamp, ssrc: head.ssrc, marker: head.marker, payload: payload.copy(),
                        isRetransmission: head.isRetransmission)))
        }
        keyFrameRequest.heard(at: now)
        drainReceiver(at: now)
    }

    private mutating func drainReceiver(at now: Instant) {
        while let output = receiver.poll() {
            switch output {
            case .frame(let frame):
                if frame.isKeyFrame { keyFrameRequest.fulfil() }
                outputs.append(.frame(frame))
            case .missing(let numbers): rtp.handle(.requestRetransmission(numbers), at: now)
            case .keyFrameNeeded: keyFrameRequest.want(at: now)
            }
        }
    }

    /// A wish that cannot be told must not be due either: it would stay due.
    private var canAskForKeyFrame: Bool { rtp.remoteSSRC != nil && (configuration.takesPLI || configuration.takesFIR) }

    private mutating func askForKeyFrame(at now: Instant) {
        guard canAskForKeyFrame, keyFrameRequest.takeDue(at: now) else { return }
        rtp.handle(configuration.takesPLI ? .requestKeyFrame : .requestFullIntra, at: now)
    }

    /// Takes one decrypted RTCP datagram of the transport; what is not about this video is passed over.
    public mutating func receiveRTCP(_ bytes: RawSpan, at now: Instant) {
        rtp.receiveRTCP(bytes, at: now)
        pump(at: now)
    }

    mutating func pump(at now: Instant) {
        while let output = rtp.poll() {
            switch output {
            case .transmit(let bytes): outputs.append(.rtcp(bytes))
            case .keyFrameRequested:
                // A flood of requests is one request.
                if let last = lastRequestedAt, now - last < KeyFrameRequest.shortestInterval { continue }
                lastRequestedAt = now
                outputs.append(.keyFrameRequested)
            case .retransmissionRequested(let lost): resend(lost, at: now)
            case .maximumBitrate(let rate):
                peerMaximumBitrate = rate
                outputs.append(.maximumBitrate(rate))
            // The numbers start anew under another SSRC, and so does what is passed on.
            case .collision:
                forwarder.stop()
                history = SentPacketHistory()
                sent = nil
                timestampOffset = nil
            case .goodbye: break
            }
        }
    }
}
