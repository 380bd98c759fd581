/// a=rtcp-xr (RFC 3611 §5.1): the extended report blocks that its writer asks for.
public struct ExtendedReportAttribute: Hashable, Sendable {
    /// Who sends receiver reference times: those that send no media either, or senders of media only.
    public enum RoundTripMode: String, Hashable, Sendable {
        case all, sender
    }

    /// rcvr-rtt.
    public var roundTrip: RoundTripMode?
    /// voip-metrics.
    public var voipMetrics: Bool

    public init(roundTrip: RoundTripMode? = nil, voipMetrics: Bool = false) {
        self.roundTrip = roundTrip
        self.voipMetrics = voipMetrics
    }

    /// What our offers ask for and what our answers take.
    public static let supported = ExtendedReportAttribute(roundTrip: .all, voipMetrics: true)

    /// Receiver reference times are exchanged.
    public var rcvrRTT: Bool { roundTrip != nil }

    /// Block types that are not known, and sizes, are left out.
    public init(_ value: some StringProtocol) {
        self.init()
        for field in value.fields {
            let (name, rest) = field.cut(.equals)
            if name.matches("voip-metrics") {
                voipMetrics = true
            } else if name.matches("rcvr-rtt"), roundTrip == nil {
                roundTrip = RoundTripMode(rawValue: (rest ?? "").cut(.colon).0.lowercased())
            }
        }
    }

    /// What both ask for. Of the two modes the narrower one: it is in both.
    public func intersection(_ other: ExtendedReportAttribute) -> ExtendedReportAttribute {
        var out = ExtendedReportAttribute(voipMetrics: voipMetrics && other.voipMetrics)
        if let a = roundTrip, let b = other.roundTrip { out.roundTrip = a == b ? a : .sender }
        return out
    }

    public var isEmpty: Bool { roundTrip == nil && !voipMetrics }

    /// The attribute's value.
    public var value: String {
        ([roundTrip.map { "rcvr-rtt=\($0.rawValue)" }, voipMetrics ? "voip-metrics" : nil] as [String?]).compactMap { $0 }.joined(separator: " ")
    }
}
