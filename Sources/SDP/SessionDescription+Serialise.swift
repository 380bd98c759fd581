import Core

extension SessionDescription: CustomStringConvertible {
    /// The text, lines in the order of RFC 8866 §5, each ended by CRLF.
    public var description: String {
        var out = SDPWriter()
        out.line("v", "0")
        out.line("o", "\(origin.username) \(origin.sessionID) \(origin.sessionVersion) IN \(origin.addressType) \(origin.address)")
        out.line("s", name.isEmpty ? "-" : name)
        out.line("i", information)
        out.line("u", uri)
        for email in emails { out.line("e", email) }
        for phone in phones { out.line("p", phone) }
        out.line("c", connection?.description)
        for bandwidth in bandwidths { out.line("b", "\(bandwidth.type):\(bandwidth.value)") }
        for timing in timings.isEmpty ? [.unbounded] : timings {
            out.line("t", "\(timing.start) \(timing.stop)")
            for text in timing.repeats { out.line("r", text) }
        }
        out.line("z", zones)
        out.line("k", key)
        for attribute in attributes { out.line("a", attribute.description) }
        for section in media { section.write(to: &out) }
        return out.text
    }

    /// The text as UTF-8.
    public var bytes: [UInt8] { Array(description.utf8) }
}

extension MediaDescription {
    fileprivate func write(to out: inout SDPWriter) {
        let ports = portCount == 1 ? "\(port)" : "\(port)/\(portCount)"
        out.line("m", ([media, ports, profile] + formats).joined(separator: " "))
        out.line("i", title)
        for connection in connections { out.line("c", connection.description) }
        for bandwidth in bandwidths { out.line("b", "\(bandwidth.type):\(bandwidth.value)") }
        out.line("k", key)
        for attribute in attributes { out.line("a", attribute.description) }
    }
}

/// Writes `x=value` lines; a line break or NUL in a value is left out, so that no value can add a line.
private struct SDPWriter {
    var text = ""

    mutating func line(_ type: Character, _ value: String?) {
        guard let value else { return }
        text.append(type)
        text.append("=")
        let forbidden: (UInt8) -> Bool = { $0 == 0x0A || $0 == 0x0D || $0 == 0 }
        text += value.utf8.contains(where: forbidden) ? String(decoding: value.utf8.filter { !forbidden($0) }, as: UTF8.self) : value
        text += "\r\n"
    }
}
