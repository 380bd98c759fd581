import Interface

/// One line for a person for each event; nil for those that would only be noise (figures each second).
public enum HumanLines {
    /// The line as a log may keep it: without a link's token, which is as good as a password until it is used or has expired.
    public static func logged(_ event: Event) -> String? {
        guard case .link(_, let expires) = event else { return line(event) }
        return "a link for one call was made, \(lifetime(expires))"
    }

    public static func line(_ event: Event) -> String? {
        switch event {
        case .listening(let transport, let address, let port):
            return "listening on \(transport) \(address)" + (port.map { " port \($0)" } ?? "")
        case .registration(let account, let state, let status, let expires):
            return "\(account): \(state.rawValue)" + (status.map { " (\($0))" } ?? "") + (expires.map { ", expires in \($0) s" } ?? "")
        case .link(let url, let expires): return "link for one call, \(lifetime(expires)): \(url)"
        case .callIncoming(let id, let from, let name, _, let security, _):
            return "call \(id): incoming from \(name.map { "\"\($0)\" " } ?? "")\(from) (\(security.rawValue))"
        case .callState(let id, let state, let held, let reason):
            return "call \(id): \(state.rawValue)" + (held.map { " by \($0.rawValue)" } ?? "")
                + (reason.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? "")
        case .callIce(let id, let component, let state, _): return "call \(id): ICE \(state) (\(component))"
        case .callDtls(let id, let transport):
            guard let cipher = transport.dtlsCipher else { return "call \(id): DTLS \(transport.dtlsState) (\(transport.component))" }
            return "call \(id): DTLS \(transport.dtlsState) (\(transport.component)), \(cipher), SRTP \(transport.srtpCipher ?? "?"), fingerprint "
                + (transport.remoteFingerprint?.verified == true ? "verified" : "not verified")
        case .callStats: return nil
        case .callDTMF(let id, let digit, let duration, let direction): return "call \(id): digit \(digit) \(direction.rawValue), \(duration) ms"
        case .notice(let severity, _, let message, let call): return "\(severity.rawValue): " + (call.map { "call \($0): " } ?? "") + message
        case .result(let result): return self.result(result)
        }
    }

    private static func lifetime(_ seconds: Int) -> String { "good for \(max(1, seconds / 60)) minutes" }

    private static func result(_ result: CallResult) -> String {
        var line = "call \(result.call): \(result.outcome.word)"
        if let status = result.status { line += ", \(status)" + (result.reason.map { " \($0)" } ?? "") }
        if let security = result.security { line += ", \(security.rawValue)" }
        if let stream = result.streams.first {
            line += ", \(stream.codec) \(stream.outbound.packetsSent) sent, \(stream.inbound.packetsReceived) received"
            if let lost = stream.inbound.packetsLost { line += ", \(lost) lost" }
        }
        return line
    }
}
