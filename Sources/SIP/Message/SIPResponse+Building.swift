extension SIPResponse {
    /// An answer to `request` (RFC 3261 §8.2.6): its Vias, From, To, Call-ID and CSeq are copied as they came.
    /// - Parameters: toTag: added to To when it has no tag yet; a 100 gets none.
    public init(to request: SIPRequest, status: Int, reason: String? = nil, toTag: String? = nil) {
        self.init(status: status, reason: reason)
        headers.copy(.via, from: request.headers)
        if let from = request.headers.first(.from) { headers.add(.from, from) }
        if let to = request.headers.first(.to) {
            headers.add(.to, status == 100 ? to : SIPResponse.tagged(to, toTag))
        }
        if let callID = request.headers.first(.callID) { headers.add(.callID, callID) }
        if let cSeq = request.headers.first(.cSeq) { headers.add(.cSeq, cSeq) }
        if status == 100, let timestamp = request.headers.first(.timestamp) { headers.add(.timestamp, timestamp) }
    }

    private static func tagged(_ to: String, _ tag: String?) -> String {
        guard let tag, let address = NameAddress(to), address.tag == nil else { return to }
        return "\(to);tag=\(tag)"
    }

    /// The default phrases of RFC 3261 §21 and later documents; the class's phrase for an unknown status.
    public static func defaultReason(_ status: Int) -> String {
        if let reason = reasons[status] { return reason }
        return switch status / 100 {
        case 1: "Session Progress"
        case 2: "OK"
        case 3: "Redirection"
        case 4: "Bad Request"
        case 5: "Server Internal Error"
        default: "Global Failure"
        }
    }

    private static let reasons: [Int: String] = [
        100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
        199: "Early Dialog Terminated", 200: "OK", 202: "Accepted", 204: "No Notification",
        300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy", 380: "Alternative Service",
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
        410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
        415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 417: "Unknown Resource-Priority", 420: "Bad Extension",
        421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
        424: "Bad Location Information", 428: "Use Identity Header", 429: "Provide Referrer Identity", 430: "Flow Failed",
        433: "Anonymity Disallowed", 436: "Bad Identity Info", 437: "Unsupported Credential",
        438: "Invalid Identity Header", 439: "First Hop Lacks Outbound Support", 440: "Max-Breadth Exceeded",
        469: "Bad Info Package", 470: "Consent Needed", 480: "Temporarily Unavailable",
        481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete",
        485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event",
        491: "Request Pending", 493: "Undecipherable", 494: "Security Agreement Required",
        500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large", 555: "Push Notification Service Not Supported",
        580: "Precondition Failure", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
        606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
    ]
}
