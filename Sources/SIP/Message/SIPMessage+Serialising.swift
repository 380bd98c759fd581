extension SIPRequest {
    /// The bytes on the wire: Content-Length is always there and right, and no value can smuggle in a line of its own.
    public func serialize() -> [UInt8] {
        var writer = MessageWriter(body: body)
        writer.word(method.rawValue)
        writer.bytes.append(SIPSyntax.space)
        writer.word(uri.description)
        writer.text(" SIP/2.0")
        return writer.finish(headers, body)
    }
}

extension SIPResponse {
    /// The bytes on the wire; see `SIPRequest.serialize`.
    public func serialize() -> [UInt8] {
        var writer = MessageWriter(body: body)
        writer.text("SIP/2.0 \(min(max(status, 100), 699)) \(reason)")
        return writer.finish(headers, body)
    }
}

private struct MessageWriter {
    var bytes: [UInt8] = []

    init(body: [UInt8]) { bytes.reserveCapacity(1024 + body.count) }

    /// A line's text: CR and LF become blanks.
    mutating func text(_ text: String) {
        var text = text
        let start = bytes.count
        text.withUTF8 { bytes.append(contentsOf: $0) }
        for i in start..<bytes.count where bytes[i] == SIPSyntax.cr || bytes[i] == SIPSyntax.lf { bytes[i] = SIPSyntax.space }
    }

    /// A part of the start line or a name: blanks and controls are left out.
    mutating func word(_ word: String) {
        for c in word.utf8 where c > SIPSyntax.space && c != 0x7F { bytes.append(c) }
    }

    mutating func endLine() {
        bytes.append(SIPSyntax.cr)
        bytes.append(SIPSyntax.lf)
    }

    mutating func finish(_ headers: SIPHeaders, _ body: [UInt8]) -> [UInt8] {
        endLine()
        for field in headers.fields where field.name != .contentLength {
            let start = bytes.count
            if let known = field.name.known {
                text(known.rawValue)
            } else {
                for c in field.name.text.utf8 where SIPSyntax.isToken(c) { bytes.append(c) }
                guard bytes.count > start else { continue }
            }
            bytes.append(SIPSyntax.colon)
            bytes.append(SIPSyntax.space)
            text(field.value)
            endLine()
        }
        text("Content-Length: \(body.count)")
        endLine()
        endLine()
        bytes.append(contentsOf: body)
        return bytes
    }
}
