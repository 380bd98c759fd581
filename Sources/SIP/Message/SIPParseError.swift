/// Why bytes from the wire are no acceptable message, and what to answer.
public struct SIPParseError: Error, Sendable, Equatable {
    public enum Problem: Sendable, Hashable {
        /// Nothing but line ends: a keep-alive.
        case empty
        case malformedStartLine
        case unsupportedVersion
        case malformedRequestURI
        case malformedHeaderLine
        /// No empty line after the header fields, or a body shorter than Content-Length.
        case truncated
        case malformed(HeaderName)
        case missing(HeaderName)
        case repeated(HeaderName)
        case cSeqMethodMismatch
        case tooManyFields
        case headerTooLarge
        case bodyTooLarge
    }

    public var problem: Problem
    /// The request as far as it could be read, for `SIPResponse(to:status:reason:)`. Nil when the bytes were a response or an
    /// ACK, which nobody answers, or when not even the topmost Via could be read.
    public var recoveredRequest: SIPRequest?

    public init(_ problem: Problem, recoveredRequest: SIPRequest? = nil) {
        self.problem = problem
        self.recoveredRequest = recoveredRequest
    }

    /// The status to answer a request with.
    public var status: Int {
        switch problem {
        case .unsupportedVersion: 505
        case .headerTooLarge, .bodyTooLarge: 513
        default: 400
        }
    }

    /// The reason phrase of that answer, which names the fault (RFC 3261 §21.4.1).
    public var reason: String {
        switch problem {
        case .empty: "Empty Message"
        case .malformedStartLine: "Malformed Request Line"
        case .unsupportedVersion: "Version Not Supported"
        case .malformedRequestURI: "Malformed Request-URI"
        case .malformedHeaderLine: "Malformed Header Field"
        case .truncated: "Truncated Message"
        case .malformed(let name): "Malformed \(name) Header Field"
        case .missing(let name): "Missing \(name) Header Field"
        case .repeated(let name): "Repeated \(name) Header Field"
        case .cSeqMethodMismatch: "CSeq Method Mismatch"
        case .tooManyFields: "Too Many Header Fields"
        case .headerTooLarge, .bodyTooLarge: "Message Too Large"
        }
    }

    /// The answer to send, when one can be sent.
    /// - Parameters: toTag: our tag for the To header field.
    public func rejection(toTag: String?) -> SIPResponse? {
        recoveredRequest.map { SIPResponse(to: $0, status: status, reason: reason, toTag: toTag) }
    }
}
