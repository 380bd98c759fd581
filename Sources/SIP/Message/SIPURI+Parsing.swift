extension SIPURI {
    /// Parses a whole URI; nil when it is malformed. `scheme:anything` parses for any other scheme.
    public init?(_ text: some StringProtocol) {
        let scanner = ByteScanner(text)
        self.init(scanner.bytes, 0..<scanner.end)
    }

    init?(_ bytes: [UInt8], _ range: Range<Int>) {
        guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        var userEnd: Int?
        var hasEscapes = false
        for i in range {
            let c = bytes[i]
            guard SIPSyntax.isURIByte(c) else { return nil }
            if c == SIPSyntax.at, userEnd == nil { userEnd = i }
            if c == SIPSyntax.percent { hasEscapes = true }
        }
        var scanner = ByteScanner(bytes, range)
        guard SIPSyntax.isAlpha(bytes[range.lowerBound]), let name = scanner.run(SIPURI.isSchemeByte) else { return nil }
        guard scanner.take(SIPSyntax.colon) else { return nil }
        guard let scheme = SIPURI.sipScheme(bytes, name) else {
            guard !scanner.isAtEnd else { return nil }
            self.init(scheme: SIPSyntax.lowercased(scanner.text(name)), opaque: scanner.text(scanner.position..<range.upperBound))
            return
        }
        guard !hasEscapes || SIPSyntax.hasValidEscapes(bytes[range]) else { return nil }
        var rawUser: String?
        var rawPassword: String?
        if let userEnd {
            guard userEnd > scanner.position else { return nil }
            let colon = (scanner.position..<userEnd).first { bytes[$0] == SIPSyntax.colon }
            guard colon != scanner.position else { return nil }
            rawUser = scanner.text(scanner.position..<(colon ?? userEnd))
            if let colon { rawPassword = scanner.text(colon + 1..<userEnd) }
            scanner.position = userEnd + 1
        }
        var isValid = true
        guard let host = scanner.host() else { return nil }
        let port = scanner.port(isValid: &isValid)
        guard isValid else { return nil }
        self.init(scheme: scheme, host: host, port: port)
        self.rawUser = rawUser
        self.rawPassword = rawPassword
        guard let parameters = scanner.uriParameters(), let headers = scanner.uriHeaders(), scanner.isAtEnd else { return nil }
        self.parameters = parameters
        self.headers = headers
    }

    private static func isSchemeByte(_ c: UInt8) -> Bool { SIPSyntax.isAlphanumeric(c) || c == 0x2B || c == 0x2D || c == 0x2E }

    private static func sipScheme(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        let i = range.lowerBound
        guard range.count == 3 || range.count == 4 else { return nil }
        guard bytes[i] | 0x20 == 0x73, bytes[i + 1] | 0x20 == 0x69, bytes[i + 2] | 0x20 == 0x70 else { return nil }
        if range.count == 3 { return "sip" }
        return bytes[i + 3] | 0x20 == 0x73 ? "sips" : nil
    }
}

extension ByteScanner {
    fileprivate mutating func uriParameters() -> SIPParameters? {
        guard peek == SIPSyntax.semicolon else { return SIPParameters() }
        var elements: [SIPParameters.Element] = []
        while take(SIPSyntax.semicolon) {
            guard let name = run({ ByteScanner.isParameterByte($0) && $0 != SIPSyntax.equals }) else { return nil }
            // `%6Cr` is `lr`: names are looked up, so their needless escapes are resolved here.
            var element = SIPParameters.Element(name: SIPSyntax.normalisedEscapes(text(name)))
            if take(SIPSyntax.equals) {
                guard let value = run(ByteScanner.isParameterByte) else { return nil }
                element.value = text(value)
            }
            elements.append(element)
        }
        return SIPParameters(elements)
    }

    fileprivate mutating func uriHeaders() -> [SIPURI.Header]? {
        guard take(SIPSyntax.question) else { return [] }
        var headers: [SIPURI.Header] = []
        repeat {
            guard let name = run({ $0 != SIPSyntax.ampersand && $0 != SIPSyntax.equals }), take(SIPSyntax.equals) else { return nil }
            let value = run { $0 != SIPSyntax.ampersand }
            headers.append(SIPURI.Header(name: text(name), value: value.map(text) ?? ""))
        } while take(SIPSyntax.ampersand)
        return headers
    }

    private static func isParameterByte(_ c: UInt8) -> Bool {
        c != SIPSyntax.semicolon && c != SIPSyntax.question && c != SIPSyntax.at
    }
}
