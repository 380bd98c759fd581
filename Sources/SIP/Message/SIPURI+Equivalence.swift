extension SIPURI {
    /// The comparison of RFC 3261 §19.1.4, which is not transitive; `==` compares the parts as written.
    public func isEquivalent(to other: SIPURI) -> Bool {
        guard scheme == other.scheme else { return false }
        if opaque != nil || other.opaque != nil { return opaque == other.opaque }
        guard host == other.host, port == other.port else { return false }
        guard rawUser.map(SIPSyntax.normalisedEscapes) == other.rawUser.map(SIPSyntax.normalisedEscapes) else { return false }
        guard rawPassword.map(SIPSyntax.normalisedEscapes) == other.rawPassword.map(SIPSyntax.normalisedEscapes) else { return false }
        return parametersMatch(other) && headersMatch(other)
    }

    // A parameter in one URI only is ignored, except those that change where or how a request goes.
    private static let neverIgnored = ["user", "ttl", "method", "maddr", "transport"]

    private func parametersMatch(_ other: SIPURI) -> Bool {
        for name in SIPURI.neverIgnored where parameters.contains(name) != other.parameters.contains(name) { return false }
        for element in parameters.elements {
            guard let theirs = other.parameters[element.name] else { continue }
            let a = SIPSyntax.normalisedEscapes(element.value ?? "")
            guard SIPSyntax.equalIgnoringCase(a, SIPSyntax.normalisedEscapes(theirs)) else { return false }
        }
        return true
    }

    private func headersMatch(_ other: SIPURI) -> Bool {
        guard headers.count == other.headers.count else { return false }
        let key = { (h: Header) in
            SIPSyntax.lowercased(SIPSyntax.normalisedEscapes(h.name)) + "=" + SIPSyntax.normalisedEscapes(h.value)
        }
        return headers.map(key).sorted() == other.headers.map(key).sorted()
    }
}
