/// Who sent a request and gets its responses.
enum RequestOwner: Hashable, Sendable {
    case session(SessionID)
    case registration(String)
}

/// Names one request of ours from its first try to its end, over all targets and challenges.
struct RequestToken: Hashable, Sendable {
    let owner: RequestOwner
    let number: UInt64
}

/// A request as its owner wants it: without Via, Contact and what the user agent says about itself.
struct OutgoingRequest: Sendable {
    let token: RequestToken
    var request: SIPRequest
    /// The URI that is resolved: the first route or the Request-URI.
    var nextHop: SIPURI
    var account: String?
    /// INVITE, UPDATE and REGISTER carry a Contact.
    var hasContact: Bool
    /// From stands for nobody yet: its host becomes our address towards the first target.
    var isAnonymous = false
    /// Where the dialog was heard: tried last, or first when `prefers` says so.
    var fallback: SIPFlow?
    /// The flow by which the account is registered: used when the next hop is the same server.
    var preferred: SIPFlow?

    /// The next hop's URI leads nowhere by itself, or to something less secure than the dialog's own flow.
    func prefers(_ flow: SIPFlow) -> Bool {
        switch (flow.transport, nextHop.transport) {
        case (.ws, "ws"), (.wss, "ws"), (.wss, "wss"): true
        case (.ws, nil), (.wss, nil), (.tls, nil): !nextHop.isSecure || flow.transport.isSecure
        default: false
        }
    }
}

/// Why a request has no final response.
enum RequestFailure: Error, Sendable, Equatable {
    case timeout
    case unreachable(String)
    case tls(String)
    /// Cancelled before it left, or its CANCEL stayed without effect.
    case abandoned

    var cause: SessionEnd.Cause {
        switch self {
        case .timeout: .timeout
        case .unreachable: .unreachable
        case .tls(let text): .tls(text)
        case .abandoned: .cancelled
        }
    }

    var text: String {
        switch self {
        case .timeout: "no response"
        case .unreachable(let text), .tls(let text): text
        case .abandoned: "cancelled"
        }
    }
}
