import Core

/// Transport-wide feedback about what we receive (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).
extension RTPSession {
    static let shortestFeedbackInterval: Duration = .milliseconds(50)
    static let longestFeedbackInterval: Duration = .milliseconds(250)
    /// Each datagram has IP, UDP and SRTCP around it.
    private static let overhead = 28 + 14

    /// How long between two feedback packets: what three quarters of RTCP's bandwidth allow, within bounds. With a whole compound
    /// around each of them the upper bound is twice as long.
    var feedbackInterval: Duration {
        let octets = rtcpBandwidth.total * 0.75 / 8
        let longest = configuration.reducedSize ? Self.longestFeedbackInterval : Self.longestFeedbackInterval * 2
        guard octets > 0 else { return longest }
        return min(max(Self.shortestFeedbackInterval, .seconds(Double(lastFeedbackSize + Self.overhead) / octets)), longest)
    }

    var sendsTransportFeedback: Bool { configuration.transportFeedback && configuration.isAVPF && rtcpBandwidth.total > 0 }

    /// After a new offer and answer: whether any section of the transport has the numbers and their feedback.
    public mutating func setTransportFeedback(_ isOn: Bool) {
        configuration.transportFeedback = isOn
        if !isOn { feedbackDue = nil }
    }

    mutating func receiveTransportSequence(_ number: UInt16, at now: Instant) {
        guard sendsTransportFeedback else { return }
        receivedTransport.receive(number, at: now)
        guard receivedTransport.hasNews, feedbackDue == nil else { return }
        let earliest = now + Self.shortestFeedbackInterval
        feedbackDue = max(earliest, lastFeedbackAt.map { $0 + feedbackInterval } ?? earliest)
    }

    /// What arrived since the last feedback, as packets of a compound.
    mutating func takeTransportFeedback(at now: Instant) -> [RTCPPacket] {
        feedbackDue = nil
        // The base of each is one packet's; any source of the transport names it.
        guard sendsTransportFeedback else { return [] }
        let media = current ?? table.sources.first?.ssrc ?? 0
        let packets = receivedTransport.takeFeedback().map { RTCPPacket.feedback(sender: ssrc, media: media, .transportWide($0)) }
        if !packets.isEmpty { lastFeedbackAt = now }
        return packets
    }

    mutating func sendTransportFeedback(at now: Instant) {
        let feedback = takeTransportFeedback(at: now)
        guard !feedback.isEmpty else { return }
        let packets = (configuration.reducedSize ? [] : report(at: now)) + feedback
        let bytes = RTCPPacket.bytes(of: packets)
        lastFeedbackSize = bytes.count
        reports.handle(.compound(octets: bytes.count), at: now)
        emit(.transmit(bytes))
    }
}
