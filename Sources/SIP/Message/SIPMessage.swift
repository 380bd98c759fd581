/// A request (RFC 3261 §7.1).
public struct SIPRequest: Sendable, Equatable {
    public var method: SIPMethod
    /// The Request-URI.
    public var uri: SIPURI
    public var headers: SIPHeaders
    public var body: [UInt8]

    public init(method: SIPMethod, uri: SIPURI, headers: SIPHeaders = SIPHeaders(), body: [UInt8] = []) {
        self.method = method
        self.uri = uri
        self.headers = headers
        self.body = body
    }

    /// `METHOD uri SIP/2.0`
    public var startLine: String { "\(method) \(uri) SIP/2.0" }
}

/// A response (RFC 3261 §7.2).
public struct SIPResponse: Sendable, Equatable {
    /// 100 to 699.
    public var status: Int
    /// The reason phrase; may be empty.
    public var reason: String
    public var headers: SIPHeaders
    public var body: [UInt8]

    public init(status: Int, reason: String? = nil, headers: SIPHeaders = SIPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.reason = reason ?? SIPResponse.defaultReason(status)
        self.headers = headers
        self.body = body
    }

    public var isProvisional: Bool { status < 200 }
    public var isSuccess: Bool { (200..<300).contains(status) }
    public var isFinal: Bool { status >= 200 }

    /// `SIP/2.0 status reason`
    public var startLine: String { "SIP/2.0 \(status) \(reason)" }
}

/// A request or a response.
public enum SIPMessage: Sendable, Equatable {
    case request(SIPRequest)
    case response(SIPResponse)

    public var headers: SIPHeaders {
        get {
            switch self {
            case .request(let request): request.headers
            case .response(let response): response.headers
            }
        }
        set {
            switch self {
            case .request(var request):
                request.headers = newValue
                self = .request(request)
            case .response(var response):
                response.headers = newValue
                self = .response(response)
            }
        }
    }

    public var body: [UInt8] {
        switch self {
        case .request(let request): request.body
        case .response(let response): response.body
        }
    }

    public var startLine: String {
        switch self {
        case .request(let request): request.startLine
        case .response(let response): response.startLine
        }
    }

    /// The bytes on the wire; see `SIPRequest.serialize`.
    public func serialize() -> [UInt8] {
        switch self {
        case .request(let request): request.serialize()
        case .response(let response): response.serialize()
        }
    }
}
