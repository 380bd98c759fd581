/// The header fields that have a name of their own here; the raw value is the long form.
enum KnownHeader: String, CaseIterable, Sendable {
    case accept = "Accept"
    case acceptContact = "Accept-Contact"
    case acceptEncoding = "Accept-Encoding"
    case acceptLanguage = "Accept-Language"
    case alertInfo = "Alert-Info"
    case allow = "Allow"
    case allowEvents = "Allow-Events"
    case authenticationInfo = "Authentication-Info"
    case authorization = "Authorization"
    case callID = "Call-ID"
    case callInfo = "Call-Info"
    case contact = "Contact"
    case contentDisposition = "Content-Disposition"
    case contentEncoding = "Content-Encoding"
    case contentLanguage = "Content-Language"
    case contentLength = "Content-Length"
    case contentType = "Content-Type"
    case cSeq = "CSeq"
    case date = "Date"
    case errorInfo = "Error-Info"
    case event = "Event"
    case expires = "Expires"
    case flowTimer = "Flow-Timer"
    case from = "From"
    case identity = "Identity"
    case identityInfo = "Identity-Info"
    case infoPackage = "Info-Package"
    case inReplyTo = "In-Reply-To"
    case maxForwards = "Max-Forwards"
    case mimeVersion = "MIME-Version"
    case minExpires = "Min-Expires"
    case minSE = "Min-SE"
    case organization = "Organization"
    case path = "Path"
    case priority = "Priority"
    case proxyAuthenticate = "Proxy-Authenticate"
    case proxyAuthorization = "Proxy-Authorization"
    case proxyRequire = "Proxy-Require"
    case rAck = "RAck"
    case reason = "Reason"
    case recvInfo = "Recv-Info"
    case recordRoute = "Record-Route"
    case referredBy = "Referred-By"
    case referSub = "Refer-Sub"
    case referTo = "Refer-To"
    case rejectContact = "Reject-Contact"
    case replaces = "Replaces"
    case replyTo = "Reply-To"
    case requestDisposition = "Request-Disposition"
    case require = "Require"
    case retryAfter = "Retry-After"
    case route = "Route"
    case rSeq = "RSeq"
    case server = "Server"
    case serviceRoute = "Service-Route"
    case sessionExpires = "Session-Expires"
    case subject = "Subject"
    case subscriptionState = "Subscription-State"
    case supported = "Supported"
    case timestamp = "Timestamp"
    case to = "To"
    case unsupported = "Unsupported"
    case userAgent = "User-Agent"
    case via = "Via"
    case warning = "Warning"
    case wwwAuthenticate = "WWW-Authenticate"

    /// The name in `bytes[range]`, long or compact, in any case; nil when it is none of these.
    init?(_ bytes: [UInt8], _ range: Range<Int>) {
        if range.count == 1 {
            guard let compact = KnownHeader.compact(SIPSyntax.lowercase(bytes[range.lowerBound])) else { return nil }
            self = compact
            return
        }
        guard range.count <= 24, let candidate = KnownHeader.table[KnownHeader.key(bytes, range)] else { return nil }
        var name = candidate.rawValue
        let isEqual = name.withUTF8 { name in
            guard name.count == range.count else { return false }
            for i in 0..<name.count where SIPSyntax.lowercase(name[i]) != SIPSyntax.lowercase(bytes[range.lowerBound + i]) { return false }
            return true
        }
        guard isEqual else { return nil }
        self = candidate
    }

    /// One bit for each field that may stand only once in a message; nil for the others.
    var singleBit: UInt32? {
        switch self {
        case .from: 1
        case .to: 2
        case .callID: 4
        case .cSeq: 8
        case .maxForwards: 16
        case .contentLength: 32
        case .contentType: 64
        case .expires: 128
        case .minExpires: 256
        case .event: 512
        case .sessionExpires: 1024
        case .referTo: 2048
        case .replaces: 4096
        default: nil
        }
    }

    /// Compact forms: RFC 3261 §20, 3515, 3841, 3892, 4028, 4474, 6665, 8224.
    private static func compact(_ letter: UInt8) -> KnownHeader? {
        switch letter {
        case 0x61: .acceptContact
        case 0x62: .referredBy
        case 0x63: .contentType
        case 0x64: .requestDisposition
        case 0x65: .contentEncoding
        case 0x66: .from
        case 0x69: .callID
        case 0x6A: .rejectContact
        case 0x6B: .supported
        case 0x6C: .contentLength
        case 0x6D: .contact
        case 0x6E: .identityInfo
        case 0x6F: .event
        case 0x72: .referTo
        case 0x73: .subject
        case 0x74: .to
        case 0x75: .allowEvents
        case 0x76: .via
        case 0x78: .sessionExpires
        case 0x79: .identity
        default: nil
        }
    }

    /// FNV-1a of the lower-case name. Only our own names are in the table, so a peer cannot make it collide for others.
    private static func key(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for i in range { hash = (hash ^ UInt32(SIPSyntax.lowercase(bytes[i]))) &* 0x0100_0193 }
        return hash
    }

    private static let table = Dictionary(
        allCases.map { name in
            let bytes = Array(name.rawValue.utf8)
            return (key(bytes, 0..<bytes.count), name)
        }, uniquingKeysWith: { first, _ in first })
}
