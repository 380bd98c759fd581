/// `scheme name=value, name="value", …` of WWW-Authenticate, Authorization and Authentication-Info.
struct AuthenticationParameters: Sendable, Equatable {
    /// As written: "Digest"; empty for Authentication-Info, which has none.
    var scheme: String
    var parameters: SIPParameters

    /// The value of a parameter; nil when absent.
    subscript(name: String) -> String? { parameters[name] }

    var isDigest: Bool { SIPSyntax.equalIgnoringCase(scheme, "Digest") }

    /// All challenges or credentials of one field line: several may stand in it, apart by commas like their parameters.
    /// What is malformed ends the list.
    static func parse(_ line: String) -> [AuthenticationParameters] {
        var scanner = ByteScanner(line)
        var out: [AuthenticationParameters] = []
        while true {
            scanner.skipSeparators()
            guard let word = scanner.token() else { return out }
            let blank = scanner.position
            guard scanner.takeSeparator(SIPSyntax.equals) else {
                guard scanner.position == blank else { return out }
                out.append(AuthenticationParameters(scheme: word, parameters: SIPParameters()))
                continue
            }
            if out.isEmpty { out.append(AuthenticationParameters(scheme: "", parameters: SIPParameters())) }
            guard let value = scanner.authenticationValue() else { return out }
            out[out.count - 1].parameters.append(word, value)
        }
    }
}

extension ByteScanner {
    fileprivate mutating func skipSeparators() {
        skipWhite()
        while take(SIPSyntax.comma) { skipWhite() }
    }

    /// A quoted string, or what stands before the next comma or blank.
    fileprivate mutating func authenticationValue() -> String? {
        if peek == SIPSyntax.quote { return quotedString() }
        return run { !SIPSyntax.isWhite($0) && $0 != SIPSyntax.comma && $0 != SIPSyntax.quote }.map(text) ?? ""
    }
}
