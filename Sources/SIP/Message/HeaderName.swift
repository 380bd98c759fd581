/// The name of a header field: compact and long form, and every spelling of the case, are equal (RFC 3261 §7.3.1, §7.3.3).
public struct HeaderName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    private enum Storage: Sendable {
        case known(KnownHeader)
        case other(String)
    }

    private let storage: Storage

    init(_ known: KnownHeader) { storage = .known(known) }

    public init(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes, 0..<bytes.count)
    }

    public init(stringLiteral text: String) { self.init(text) }

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        if let known = KnownHeader(bytes, range) {
            storage = .known(known)
        } else {
            storage = .other(String(decoding: bytes[range], as: UTF8.self))
        }
    }

    /// The long form; as it was written when the name is unknown.
    public var text: String {
        switch storage {
        case .known(let known): known.rawValue
        case .other(let text): text
        }
    }

    public var description: String { text }

    var known: KnownHeader? { if case .known(let known) = storage { known } else { nil } }

    public static func == (a: HeaderName, b: HeaderName) -> Bool {
        switch (a.storage, b.storage) {
        case (.known(let x), .known(let y)): x == y
        case (.other(let x), .other(let y)): SIPSyntax.equalIgnoringCase(x, y)
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch storage {
        case .known(let known): hasher.combine(known)
        case .other(let text): hasher.combine(SIPSyntax.lowercased(text))
        }
    }
}

extension HeaderName {
    public static var accept: HeaderName { HeaderName(.accept) }
    public static var acceptEncoding: HeaderName { HeaderName(.acceptEncoding) }
    public static var acceptLanguage: HeaderName { HeaderName(.acceptLanguage) }
    public static var alertInfo: HeaderName { HeaderName(.alertInfo) }
    public static var allow: HeaderName { HeaderName(.allow) }
    public static var allowEvents: HeaderName { HeaderName(.allowEvents) }
    public static var authenticationInfo: HeaderName { HeaderName(.authenticationInfo) }
    public static var authorization: HeaderName { HeaderName(.authorization) }
    public static var callID: HeaderName { HeaderName(.callID) }
    public static var callInfo: HeaderName { HeaderName(.callInfo) }
    public static var contact: HeaderName { HeaderName(.contact) }
    public static var contentDisposition: HeaderName { HeaderName(.contentDisposition) }
    public static var contentEncoding: HeaderName { HeaderName(.contentEncoding) }
    public static var contentLanguage: HeaderName { HeaderName(.contentLanguage) }
    public static var contentLength: HeaderName { HeaderName(.contentLength) }
    public static var contentType: HeaderName { HeaderName(.contentType) }
    public static var cSeq: HeaderName { HeaderName(.cSeq) }
    public static var date: HeaderName { HeaderName(.date) }
    public static var errorInfo: HeaderName { HeaderName(.errorInfo) }
    public static var event: HeaderName { HeaderName(.event) }
    public static var expires: HeaderName { HeaderName(.expires) }
    public static var flowTimer: HeaderName { HeaderName(.flowTimer) }
    public static var from: HeaderName { HeaderName(.from) }
    public static var infoPackage: HeaderName { HeaderName(.infoPackage) }
    public static var inReplyTo: HeaderName { HeaderName(.inReplyTo) }
    public static var maxForwards: HeaderName { HeaderName(.maxForwards) }
    public static var mimeVersion: HeaderName { HeaderName(.mimeVersion) }
    public static var minExpires: HeaderName { HeaderName(.minExpires) }
    public static var minSE: HeaderName { HeaderName(.minSE) }
    public static var organization: HeaderName { HeaderName(.organization) }
    public static var path: HeaderName { HeaderName(.path) }
    public static var priority: HeaderName { HeaderName(.priority) }
    public static var proxyAuthenticate: HeaderName { HeaderName(.proxyAuthenticate) }
    public static var proxyAuthorization: HeaderName { HeaderName(.proxyAuthorization) }
    public static var proxyRequire: HeaderName { HeaderName(.proxyRequire) }
    public static var rAck: HeaderName { HeaderName(.rAck) }
    public static var reason: HeaderName { HeaderName(.reason) }
    public static var recordRoute: HeaderName { HeaderName(.recordRoute) }
    public static var recvInfo: HeaderName { HeaderName(.recvInfo) }
    public static var referredBy: HeaderName { HeaderName(.referredBy) }
    public static var referSub: HeaderName { HeaderName(.referSub) }
    public static var referTo: HeaderName { HeaderName(.referTo) }
    public static var replaces: HeaderName { HeaderName(.replaces) }
    public static var replyTo: HeaderName { HeaderName(.replyTo) }
    public static var require: HeaderName { HeaderName(.require) }
    public static var retryAfter: HeaderName { HeaderName(.retryAfter) }
    public static var route: HeaderName { HeaderName(.route) }
    public static var rSeq: HeaderName { HeaderName(.rSeq) }
    public static var server: HeaderName { HeaderName(.server) }
    public static var serviceRoute: HeaderName { HeaderName(.serviceRoute) }
    public static var sessionExpires: HeaderName { HeaderName(.sessionExpires) }
    public static var subject: HeaderName { HeaderName(.subject) }
    public static var subscriptionState: HeaderName { HeaderName(.subscriptionState) }
    public static var supported: HeaderName { HeaderName(.supported) }
    public static var timestamp: HeaderName { HeaderName(.timestamp) }
    public static var to: HeaderName { HeaderName(.to) }
    public static var unsupported: HeaderName { HeaderName(.unsupported) }
    public static var userAgent: HeaderName { HeaderName(.userAgent) }
    public static var via: HeaderName { HeaderName(.via) }
    public static var warning: HeaderName { HeaderName(.warning) }
    public static var wwwAuthenticate: HeaderName { HeaderName(.wwwAuthenticate) }
}
