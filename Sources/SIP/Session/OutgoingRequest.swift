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
    /// Tried last: where the dialog was heard.
    var fallback: SIPFlow?
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
