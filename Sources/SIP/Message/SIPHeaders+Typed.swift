/// Typed views: parsed when asked for; a malformed value is nil or left out. Setting nil or an empty list removes the field.
extension SIPHeaders {
    public var vias: [Via] {
        get { list(.via) { $0.via() } }
        set { set(.via, all: newValue.map(\.description)) }
    }

    /// The first Via value; setting it replaces only that one.
    public var topVia: Via? {
        get {
            guard let line = first(.via) else { return nil }
            var scanner = ByteScanner(line)
            guard let via = scanner.via(), scanner.isAtEnd || scanner.peek == SIPSyntax.comma else { return nil }
            return via
        }
        set {
            removeFirstValue(.via)
            if let newValue { prepend(.via, newValue) }
        }
    }

    public var from: NameAddress? {
        get { first(.from).flatMap { NameAddress($0) } }
        set { self[.from] = newValue?.description }
    }

    public var to: NameAddress? {
        get { first(.to).flatMap { NameAddress($0) } }
        set { self[.to] = newValue?.description }
    }

    public var callID: String? {
        get { first(.callID) }
        set { self[.callID] = newValue }
    }

    public var cSeq: CSeq? {
        get { first(.cSeq).flatMap { CSeq($0) } }
        set { self[.cSeq] = newValue?.description }
    }

    /// Empty for `Contact: *`; see `isContactStar`.
    public var contacts: [NameAddress] {
        get { list(.contact) { $0.nameAddress() } }
        set { set(.contact, all: newValue.map(\.description)) }
    }

    /// `Contact: *`, which removes all bindings with `Expires: 0` (RFC 3261 §10.2.2).
    public var isContactStar: Bool { all(.contact) == ["*"] }

    public var routes: [NameAddress] {
        get { list(.route) { $0.nameAddress() } }
        set { set(.route, all: newValue.map(\.description)) }
    }

    public var recordRoutes: [NameAddress] {
        get { list(.recordRoute) { $0.nameAddress() } }
        set { set(.recordRoute, all: newValue.map(\.description)) }
    }

    /// RFC 3608.
    public var serviceRoutes: [NameAddress] { list(.serviceRoute) { $0.nameAddress() } }

    /// Seconds after which a server takes a silent flow for dead (RFC 5626 §11).
    public var flowTimer: UInt32? { number(.flowTimer).map { UInt32(clamping: $0) } }

    /// The INFO packages that the sender takes, in lower case, without parameters; nil without the header field (RFC 6086 §10.3).
    public var recvInfo: [String]? {
        guard contains(.recvInfo) else { return nil }
        return values(.recvInfo).map { value in
            SIPSyntax.lowercased(String(decoding: value.utf8.prefix { $0 != SIPSyntax.semicolon && !SIPSyntax.isWhite($0) }, as: UTF8.self))
        }
    }

    /// 0 to 255; nil when absent or out of range.
    public var maxForwards: Int? {
        get { number(.maxForwards).flatMap { $0 <= 255 ? Int($0) : nil } }
        set { self[.maxForwards] = newValue.map(String.init) }
    }

    /// In seconds; a value over 32 bits counts as 2^32 − 1, a malformed one as absent (RFC 3261 §20.19).
    public var expires: UInt32? {
        get { number(.expires).map { UInt32(clamping: $0) } }
        set { self[.expires] = newValue.map(String.init) }
    }

    public var minExpires: UInt32? {
        get { number(.minExpires).map { UInt32(clamping: $0) } }
        set { self[.minExpires] = newValue.map(String.init) }
    }

    /// In seconds; a comment and parameters after the number are left out (RFC 3261 §20.33).
    public var retryAfter: UInt32? {
        get {
            guard let line = first(.retryAfter) else { return nil }
            var scanner = ByteScanner(line)
            scanner.skipWhite()
            return scanner.number().map { UInt32(clamping: $0) }
        }
        set { self[.retryAfter] = newValue.map(String.init) }
    }

    /// Of the first such line; nil when absent or malformed.
    public var contentLength: Int? { number(.contentLength).flatMap { Int(exactly: $0) } }

    /// Option tags, in lower case (they are tokens, compared without case).
    public var supported: [String] {
        get { values(.supported).map(SIPSyntax.lowercased) }
        set { setList(.supported, newValue) }
    }

    public var require: [String] {
        get { values(.require).map(SIPSyntax.lowercased) }
        set { setList(.require, newValue) }
    }

    public var unsupported: [String] {
        get { values(.unsupported).map(SIPSyntax.lowercased) }
        set { setList(.unsupported, newValue) }
    }

    public var allow: [SIPMethod] {
        get { values(.allow).map { SIPMethod(rawValue: $0) } }
        set { setList(.allow, newValue.map(\.rawValue)) }
    }

    /// The whole value, parameters included.
    public var contentType: String? {
        get { first(.contentType) }
        set { self[.contentType] = newValue }
    }

    /// The media type in lower case without parameters: "application/sdp".
    public var mediaType: String? {
        guard let line = first(.contentType) else { return nil }
        let bytes = line.utf8.prefix { $0 != SIPSyntax.semicolon }.filter { !SIPSyntax.isWhite($0) }
        return String(decoding: bytes.map(SIPSyntax.lowercase), as: UTF8.self)
    }

    private mutating func setList(_ name: HeaderName, _ values: [String]) {
        self[name] = values.isEmpty ? nil : values.joined(separator: ", ")
    }

    private func number(_ name: HeaderName) -> UInt64? {
        guard let line = first(name) else { return nil }
        var scanner = ByteScanner(line)
        scanner.skipWhite()
        guard let value = scanner.number() else { return nil }
        scanner.skipWhite()
        return scanner.isAtEnd ? value : nil
    }

    /// All values that parse; a broken one ends its own line.
    private func list<Value>(_ name: HeaderName, _ parse: (inout ByteScanner) -> Value?) -> [Value] {
        var out: [Value] = []
        for field in fields where field.name == name {
            _ = SIPHeaders.parseList(field.value, into: &out, parse)
        }
        return out
    }

    /// False when something in the list is malformed. Empty elements are malformed too.
    static func parseList<Value>(_ line: String, into out: inout [Value], _ parse: (inout ByteScanner) -> Value?) -> Bool {
        var scanner = ByteScanner(line)
        while true {
            guard let value = parse(&scanner) else { return false }
            scanner.skipWhite()
            guard scanner.isAtEnd || scanner.peek == SIPSyntax.comma else { return false }
            out.append(value)
            guard scanner.take(SIPSyntax.comma) else { return true }
        }
    }
}
