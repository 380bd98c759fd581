import Core

/// One question of DNS (RFC 1035 §4.1.2), class IN.
public struct DNSQuestion: Hashable, Sendable {
    public enum RecordType: String, Sendable { case a, aaaa, srv, naptr }

    /// In lower case, without a dot at the end.
    public let name: String
    public let type: RecordType

    public init(_ name: String, _ type: RecordType) {
        self.name = DNSName.normalised(name)
        self.type = type
    }
}

/// What a server said, as the codec parsed it. Sections other than the answer are left out.
public struct DNSAnswer: Sendable, Equatable {
    /// The header's identifier.
    public var id: UInt16
    /// As the answer repeats it.
    public var question: DNSQuestion
    /// 0 no error, 3 no such name (RFC 1035 §4.1.1).
    public var rcode: Int
    /// The TC bit: the rest did not fit the datagram.
    public var truncated: Bool
    public var records: [DNSRecord]

    public init(id: UInt16, question: DNSQuestion, rcode: Int = 0, truncated: Bool = false, records: [DNSRecord] = []) {
        self.id = id
        self.question = question
        self.rcode = rcode
        self.truncated = truncated
        self.records = records
    }
}

/// One record of an answer; `ttl` in seconds.
public enum DNSRecord: Hashable, Sendable {
    case a(IPAddress, ttl: UInt32)
    case aaaa(IPAddress, ttl: UInt32)
    /// RFC 2782.
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: String, ttl: UInt32)
    /// RFC 3403.
    case naptr(order: UInt16, preference: UInt16, flags: String, service: String, regexp: String, replacement: String, ttl: UInt32)
    case cname(String, ttl: UInt32)

    var ttl: UInt32 {
        switch self {
        case .a(_, let ttl), .aaaa(_, let ttl), .srv(_, _, _, _, let ttl), .naptr(_, _, _, _, _, _, let ttl), .cname(_, let ttl): ttl
        }
    }

    /// Answers a question of this type; an address of the wrong family answers none.
    func answers(_ type: DNSQuestion.RecordType) -> Bool {
        switch (self, type) {
        case (.a(let ip, _), .a): ip.isV4
        case (.aaaa(let ip, _), .aaaa): ip.isV6
        case (.srv, .srv), (.naptr, .naptr): true
        default: false
        }
    }

    var isAlias: Bool { if case .cname = self { true } else { false } }
}

/// Domain names as DNS takes them.
enum DNSName {
    static func normalised(_ name: String) -> String {
        let lower = SIPSyntax.lowercased(name)
        return lower.utf8.last == UInt8(ascii: ".") ? String(lower.dropLast()) : lower
    }

    /// Letters, digits, `-`, `_`; labels of 1 to 63 bytes, 253 in all (RFC 1035 §2.3.4).
    static func isValid(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count), name.utf8.allSatisfy(SIPHost.isNameByte) else { return false }
        return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { (1...63).contains($0.count) }
    }

    static func isUnder(_ name: String, _ domain: String) -> Bool { name == domain || name.hasSuffix("." + domain) }
}
