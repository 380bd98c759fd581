/// How often reports go out.
public struct RTCPProfile: Sendable, Equatable {
    /// Before randomisation (half to one and a half times) and its compensation.
    public var minimumInterval: Duration
    public var minimumInitialInterval: Duration
    /// `trr-int` (RFC 4585 §3.4): at least this between two regular reports, whatever the bandwidth allows.
    public var minimumReportInterval: Duration
    /// A report may go before its time when there is something to say (RFC 4585 §3.3).
    public var allowsEarly: Bool

    public init(
        minimumInterval: Duration, minimumInitialInterval: Duration, minimumReportInterval: Duration = .zero, allowsEarly: Bool = false
    ) {
        self.minimumInterval = minimumInterval
        self.minimumInitialInterval = minimumInitialInterval
        self.minimumReportInterval = minimumReportInterval
        self.allowsEarly = allowsEarly
    }

    /// RFC 3550 §6.2: 5 s, half of it before the first report.
    public static let avp = RTCPProfile(minimumInterval: .seconds(5), minimumInitialInterval: .milliseconds(2500))
    /// RFC 4585 §3.4 has no minimum of 5 s. 1 s is what a screen with live round-trip times wants: 0.4 to 1.2 s after
    /// randomisation, and 0.2 to 0.6 s before the first report.
    public static let avpf = RTCPProfile(minimumInterval: .seconds(1), minimumInitialInterval: .milliseconds(500), allowsEarly: true)
}

/// What RTCP may take of the network.
public struct RTCPBandwidth: Sendable, Equatable {
    /// Bit/s for all that send media together, and for all that only receive.
    public var senders: Double
    public var receivers: Double

    /// 5 % of the media's bit/s, a quarter of it for senders (RFC 3550 §6.2).
    public init(session: Int) {
        let total = max(1, Double(session) * 0.05)
        self.init(senders: total / 4, receivers: total * 3 / 4)
    }

    init(senders: Double, receivers: Double) {
        self.senders = senders
        self.receivers = receivers
    }

    /// With `b=RS` and `b=RR` (RFC 3556 §2), in bit/s; the one that is missing keeps its share of the 5 %.
    public init(session: Int, senders: Int?, receivers: Int?) {
        self.init(session: session)
        if let senders { self.senders = Double(max(0, senders)) }
        if let receivers { self.receivers = Double(max(0, receivers)) }
    }

    public var total: Double { senders + receivers }

    /// Bytes a second for a group, and how many share it. While senders are few they have their own part (RFC 3550 §6.3.1, RFC 3556 §2).
    func share(members: Int, senders count: Int, isSender: Bool) -> (octets: Double, members: Int) {
        guard total > 0 else { return (0, 1) }
        // More senders than their part allows for: all share everything. So b=RS:0 silences nobody, and b=RR:0 those that only receive.
        guard count > 0, Double(count) <= Double(members) * senders / total else { return (total / 8, members) }
        return ((isSender ? senders : receivers) / 8, isSender ? count : members - count)
    }
}
