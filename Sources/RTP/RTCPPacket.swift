import Core

/// One reception report block (RFC 3550 §6.4.1).
public struct ReportBlock: Equatable, Sendable {
    /// The source reported on.
    public var ssrc: UInt32
    /// Lost since the report before, in 1/256.
    public var fractionLost: UInt8
    /// Since the beginning; 24 bits, signed: duplicates make it negative.
    public var cumulativeLost: Int32
    public var extendedHighestSequence: UInt32
    /// In timestamp units.
    public var jitter: UInt32
    /// Middle 32 bits of the last sender report's NTP timestamp, 0 for none.
    public var lastSenderReport: UInt32
    /// In 1/65536 s.
    public var delaySinceLastSenderReport: UInt32

    public init(
        ssrc: UInt32, fractionLost: UInt8, cumulativeLost: Int32, extendedHighestSequence: UInt32, jitter: UInt32,
        lastSenderReport: UInt32 = 0, delaySinceLastSenderReport: UInt32 = 0
    ) {
        self.ssrc = ssrc
        self.fractionLost = fractionLost
        self.cumulativeLost = cumulativeLost
        self.extendedHighestSequence = extendedHighestSequence
        self.jitter = jitter
        self.lastSenderReport = lastSenderReport
        self.delaySinceLastSenderReport = delaySinceLastSenderReport
    }
}

/// The sender's part of a sender report (RFC 3550 §6.4.1).
public struct SenderInfo: Equatable, Sendable {
    public var ntpTimestamp: UInt64
    /// The media clock at the same instant.
    public var rtpTimestamp: UInt32
    public var packetCount: UInt32
    /// Payload bytes.
    public var octetCount: UInt32

    public init(ntpTimestamp: UInt64, rtpTimestamp: UInt32, packetCount: UInt32, octetCount: UInt32) {
        self.ntpTimestamp = ntpTimestamp
        self.rtpTimestamp = rtpTimestamp
        self.packetCount = packetCount
        self.octetCount = octetCount
    }
}

/// One chunk of a source description (RFC 3550 §6.5).
public struct SourceDescription: Equatable, Sendable {
    /// Item types by number; CNAME is 1, TOOL is 6, MID is 15 (RFC 9143 §15).
    public struct Item: Equatable, Sendable {
        public var type: UInt8
        /// As received: it has not been through the sanitiser.
        public var text: String

        public init(type: UInt8, text: String) {
            self.type = type
            self.text = text
        }
    }

    public var ssrc: UInt32
    public var items: [Item]

    public init(ssrc: UInt32, items: [Item]) {
        self.ssrc = ssrc
        self.items = items
    }

    public init(ssrc: UInt32, cname: String, mid: String? = nil) {
        self.init(ssrc: ssrc, items: [Item(type: Self.cnameType, text: cname)] + (mid.map { [Item(type: Self.midType, text: $0)] } ?? []))
    }

    static let cnameType: UInt8 = 1
    static let midType: UInt8 = 15

    public var cname: String? { items.first { $0.type == Self.cnameType }?.text }
    public var mid: String? { items.first { $0.type == Self.midType }?.text }
}

/// The feedback control information of an RTPFB or PSFB packet (RFC 4585 §6, RFC 5104 §4.3).
public enum RTCPFeedback: Equatable, Sendable {
    /// Lost sequence numbers, in the order they were written.
    case genericNACK([UInt16])
    /// Transport-wide congestion control.
    case transportWide(TransportWideFeedback)
    case pictureLossIndication
    case fullIntraRequest([FullIntraRequest])
    /// Receiver estimated maximum bit rate, in bit/s.
    case maximumBitrate(UInt64, ssrcs: [UInt32])
    /// Any other format, opaque. `packetType` is 205 or 206.
    case other(packetType: UInt8, format: UInt8, information: [UInt8])
}

/// One entry of a FIR packet (RFC 5104 §4.3.1).
public struct FullIntraRequest: Equatable, Sendable {
    public var ssrc: UInt32
    /// A repeated number is a repetition of the same request.
    public var sequenceNumber: UInt8

    public init(ssrc: UInt32, sequenceNumber: UInt8) {
        self.ssrc = ssrc
        self.sequenceNumber = sequenceNumber
    }
}

/// One packet of a compound (RFC 3550 §6, RFC 4585 §6.1, RFC 3611).
public enum RTCPPacket: Equatable, Sendable {
    case senderReport(ssrc: UInt32, info: SenderInfo, blocks: [ReportBlock])
    case receiverReport(ssrc: UInt32, blocks: [ReportBlock])
    case sourceDescription([SourceDescription])
    case goodbye(ssrcs: [UInt32], reason: String?)
    /// `name` is four bytes, `data` a multiple of four bytes.
    case application(subtype: UInt8, ssrc: UInt32, name: UInt32, data: [UInt8])
    case feedback(sender: UInt32, media: UInt32, RTCPFeedback)
    case extendedReport(ssrc: UInt32, blocks: [XRBlock])
}

/// Packet type numbers.
enum RTCPType {
    static let senderReport: UInt8 = 200
    static let receiverReport: UInt8 = 201
    static let sourceDescription: UInt8 = 202
    static let goodbye: UInt8 = 203
    static let application: UInt8 = 204
    static let transportFeedback: UInt8 = 205
    static let payloadFeedback: UInt8 = 206
    static let extendedReport: UInt8 = 207
}
