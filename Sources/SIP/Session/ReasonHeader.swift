/// The Reason header field (RFC 3326).
enum ReasonHeader {
    /// `SIP;cause=…;text="…"`, or nil without a text.
    static func value(text: String?, cause: Int = 200) -> String? {
        guard let text, !text.isEmpty else { return nil }
        var parameters = SIPParameters()
        parameters.append("cause", String(cause))
        parameters.appendQuoted("text", text)
        return "SIP" + parameters.headerText
    }

    /// The text of the first value that has one, else `protocol;cause`.
    static func text(_ headers: SIPHeaders) -> String? {
        var fallback: String?
        for value in headers.values(.reason) {
            guard let semicolon = value.firstIndex(of: ";") else {
                fallback = fallback ?? value
                continue
            }
            var scanner = ByteScanner(value[semicolon...])
            guard let parameters = scanner.headerParameters() else { continue }
            if let text = parameters["text"], !text.isEmpty { return text }
            if fallback == nil { fallback = value }
        }
        return fallback
    }
}
