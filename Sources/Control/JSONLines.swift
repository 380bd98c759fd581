import Core
import Interface

/// The outside contract's JSON Lines: one object for each event.
public enum JSONLines {
    /// Without the line end.
    public static func line(_ event: TimedEvent) -> String {
        var members: [(String, JSONValue)] = [("type", .string(type(event.event))), ("timestamp", .string(event.time.description))]
        if let call = event.event.call { members.append(("call", .string(call.description))) }
        members += fields(event.event)
        return JSONValue.object(members).text
    }

    private static func type(_ event: Event) -> String {
        switch event {
        case .listening: "listening"
        case .registration: "registration"
        case .link: "link"
        case .callIncoming: "call.incoming"
        case .callState: "call.state"
        case .callIce: "call.ice"
        case .callDtls: "call.dtls"
        case .callStats: "call.stats"
        case .callDTMF: "call.dtmf"
        case .notice(let severity, _, _, _): severity.rawValue
        case .result: "result"
        }
    }

    private static func fields(_ event: Event) -> [(String, JSONValue)] {
        switch event {
        case .listening(let transport, let address, let port):
            return [("transport", .string(transport)), ("address", .string(address)), ("port", JSONValue(port.map { Int($0) }))]
        case .registration(let account, let state, let status, let expires):
            return [
                ("account", .string(account.name)), ("state", .string(state.rawValue)), ("status", JSONValue(status)),
                ("expiresSeconds", JSONValue(expires)),
            ]
        case .link(let url, let expires): return [("url", .string(url)), ("expiresSeconds", JSONValue(expires))]
        case .callIncoming(_, let from, let name, let to, let security, let video):
            return [
                ("from", .string(from)), ("displayName", JSONValue(name)), ("to", .string(to)), ("security", .string(security.rawValue)),
                ("video", .bool(video)),
            ]
        case .callState(_, let state, let held, let reason):
            var out: [(String, JSONValue)] = [("state", .string(state.rawValue))]
            if let held { out.append(("by", .string(held.rawValue))) }
            // An empty reason phrase says nothing.
            if state == .ended { out.append(("reason", JSONValue(reason.flatMap { $0.isEmpty ? nil : $0 }))) }
            return out
        case .callIce(_, let component, let state, let pairs):
            return [("component", .string(component)), ("iceState", .string(state)), ("pairs", .array(pairs.map(pair)))]
        case .callDtls(_, let transport):
            return [
                ("component", .string(transport.component)), ("dtlsState", .string(transport.dtlsState)), ("dtlsRole", JSONValue(transport.dtlsRole)),
                ("tlsVersion", JSONValue(transport.tlsVersion)), ("dtlsCipher", JSONValue(transport.dtlsCipher)),
                ("srtpCipher", JSONValue(transport.srtpCipher)), ("remoteFingerprint", fingerprint(transport.remoteFingerprint)),
            ]
        case .callStats(_, let transports, let streams):
            return [("transports", .array(transports.map(JSONLines.transport))), ("streams", .array(streams.map(stream)))]
        case .callDTMF(_, let digit, let duration, let direction):
            return [("digit", .string(digit)), ("durationMs", JSONValue(duration)), ("direction", .string(direction.rawValue))]
        case .notice(_, let code, let message, _): return [("code", .string(code)), ("message", .string(message))]
        case .result(let result): return self.result(result)
        }
    }

    private static func result(_ result: CallResult) -> [(String, JSONValue)] {
        var sip: [(String, JSONValue)] = [
            ("status", JSONValue(result.status)), ("reason", JSONValue(result.reason)), ("remoteUri", .string(result.remoteUri)),
            ("endedBy", .string(result.endedBy)),
        ]
        if !result.redirectedTo.isEmpty { sip.append(("redirectedTo", .array(result.redirectedTo.map { .string($0) }))) }
        let setup: [(String, JSONValue)] = [
            ("ringingMs", JSONValue(result.setup.ringingMs)), ("answeredMs", JSONValue(result.setup.answeredMs)),
            ("iceConnectedMs", JSONValue(result.setup.iceConnectedMs)), ("dtlsConnectedMs", JSONValue(result.setup.dtlsConnectedMs)),
            ("firstMediaReceivedMs", JSONValue(result.setup.firstMediaReceivedMs)), ("firstMediaSentMs", JSONValue(result.setup.firstMediaSentMs)),
        ]
        return [
            ("outcome", .string(result.outcome.word)), ("exitCode", JSONValue(Int(result.outcome.exitCode))),
            ("security", JSONValue(result.security?.rawValue)), ("securityOffered", JSONValue(result.securityOffered?.rawValue)),
            ("sip", .object(sip)),
            ("setup", .object(setup)), ("transports", .array(result.transports.map(transport))), ("streams", .array(result.streams.map(stream))),
        ]
    }
}
