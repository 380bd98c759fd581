/// The value of From, To, Contact, Route and their like: `"Name" <uri>;parameters` (RFC 3261 §20.10).
public struct NameAddress: Hashable, Sendable, CustomStringConvertible {
    /// Without quotes and their escapes; nil when absent or empty.
    public var displayName: String?
    public var uri: SIPURI
    /// The header's parameters, outside of `<>`.
    public var parameters: SIPParameters

    public init(displayName: String? = nil, uri: SIPURI, parameters: SIPParameters = SIPParameters()) {
        self.displayName = displayName
        self.uri = uri
        self.parameters = parameters
    }

    /// One value, not a list. In the form without `<>` all parameters belong to the header, and the URI may hold neither
    /// comma nor question mark.
    public init?(_ text: some StringProtocol) {
        var scanner = ByteScanner(text)
        guard let value = scanner.nameAddress(), scanner.isAtEnd else { return nil }
        self = value
    }

    /// The `tag` parameter of From and To; nil when absent.
    public var tag: String? {
        get { parameters["tag"].flatMap { $0.isEmpty ? nil : $0 } }
        set { parameters["tag"] = newValue }
    }

    /// The `expires` parameter of a Contact, in seconds; a malformed value counts as absent (RFC 3261 §10.2.1.1).
    public var expires: UInt32? {
        guard let text = parameters["expires"], !text.isEmpty, text.utf8.allSatisfy(SIPSyntax.isDigit) else { return nil }
        return UInt32(text) ?? .max
    }

    /// The `q` parameter of a Contact, 0 to 1; 1 when absent or malformed.
    public var q: Double {
        guard let text = parameters["q"], let value = Double(text), value >= 0, value <= 1 else { return 1 }
        return value
    }

    /// Always with `<>`, so that the URI's own parameters cannot be taken for the header's.
    public var description: String {
        var out = ""
        if let displayName, !displayName.isEmpty { out += SIPSyntax.quoted(displayName) + " " }
        out += "<\(uri)>"
        if !parameters.isEmpty { out += parameters.headerText }
        return out
    }
}

extension ByteScanner {
    /// One name-addr or addr-spec with its parameters; stops before a comma.
    mutating func nameAddress() -> NameAddress? {
        skipWhite()
        var displayName: String?
        if peek == SIPSyntax.quote {
            guard let name = quotedString() else { return nil }
            displayName = name
            skipWhite()
            guard peek == SIPSyntax.less else { return nil }
        } else if let less = unquotedDisplayNameEnd() {
            var last = less
            while last > position, SIPSyntax.isWhite(bytes[last - 1]) { last -= 1 }
            if last > position { displayName = text(position..<last) }
            position = less
        }
        let uri: SIPURI
        if take(SIPSyntax.less) {
            let start = position
            guard run({ $0 != SIPSyntax.greater }) != nil, let parsed = SIPURI(bytes, start..<position), take(SIPSyntax.greater) else { return nil }
            uri = parsed
        } else {
            guard let range = run(ByteScanner.isBareURIByte), let parsed = SIPURI(bytes, range), parsed.headers.isEmpty else { return nil }
            uri = parsed
        }
        guard let parameters = headerParameters() else { return nil }
        return NameAddress(displayName: displayName == "" ? nil : displayName, uri: uri, parameters: parameters)
    }

    /// Where `<` stands after `*(token LWS)`; nil when something else comes first.
    private func unquotedDisplayNameEnd() -> Int? {
        var i = position
        while i < end {
            let c = bytes[i]
            if c == SIPSyntax.less { return i }
            // UTF-8 outside quotes is not in the grammar, but common.
            guard SIPSyntax.isToken(c) || SIPSyntax.isWhite(c) || c >= 0x80 else { return nil }
            i += 1
        }
        return nil
    }

    private static func isBareURIByte(_ c: UInt8) -> Bool {
        SIPSyntax.isURIByte(c) && c != SIPSyntax.semicolon && c != SIPSyntax.comma && c != SIPSyntax.question
    }
}
