import Core

/// A SIP message as plain text, for scripts: nothing is checked, so that a script can be as wrong as it likes.
public struct SIPText: Sendable {
    public var start: String
    public var headers: [(name: String, value: String)]
    public var body: String

    public init(start: String, headers: [(name: String, value: String)] = [], body: String = "") {
        self.start = start
        self.headers = headers
        self.body = body
    }

    public init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        guard let first = lines.popFirst(), !first.isEmpty else { return nil }
        start = String(first)
        headers = []
        while let line = lines.popFirst(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.append((String(line[..<colon]), String(value)))
        }
        body = lines.joined(separator: "\r\n")
    }

    /// The bytes, with Content-Length corrected.
    public var bytes: [UInt8] {
        var out = start + "\r\n"
        for header in headers where header.name.lowercased() != "content-length" { out += "\(header.name): \(header.value)\r\n" }
        return Array((out + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8)
    }

    /// Of a request; nil for a response.
    public var method: String? { start.hasPrefix("SIP/2.0") ? nil : start.split(separator: " ").first.map(String.init) }
    /// Of a response; nil for a request.
    public var status: Int? { start.hasPrefix("SIP/2.0") ? start.split(separator: " ").dropFirst().first.flatMap { Int($0) } : nil }
    public var requestURI: String { start.split(separator: " ").dropFirst().first.map(String.init) ?? "" }

    /// The first header of this name; setting replaces it or adds it.
    public subscript(name: String) -> String? {
        get { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
        set {
            let index = headers.firstIndex { $0.name.lowercased() == name.lowercased() }
            switch (index, newValue) {
            case (let index?, let value?): headers[index].value = value
            case (let index?, nil): headers.remove(at: index)
            case (nil, let value?): headers.append((name, value))
            case (nil, nil): break
            }
        }
    }

    public var cseqMethod: String { self["CSeq"]?.split(separator: " ").last.map(String.init) ?? "" }

    /// The parameter `tag` of From or To.
    public func tag(_ header: String) -> String? {
        guard let value = self[header], let at = value.end(of: ";tag=") else { return nil }
        return String(value[at...].prefix { $0 != ";" && $0 != ">" && $0 != "," })
    }

    /// A response to this request with its Vias, From, To, Call-ID and CSeq.
    public func response(_ status: Int, _ reason: String, tag: String? = nil, contact: String? = nil, body: String = "") -> SIPText {
        var out = SIPText(start: "SIP/2.0 \(status) \(reason)", body: body)
        for header in headers {
            switch header.name.lowercased() {
            case "via", "from", "call-id", "cseq", "record-route": out.headers.append(header)
            case "to": out.headers.append(("To", tag == nil || header.value.contains(";tag=") ? header.value : "\(header.value);tag=\(tag ?? "")"))
            default: break
            }
        }
        if let contact { out.headers.append(("Contact", "<\(contact)>")) }
        if !body.isEmpty { out.headers.append(("Content-Type", "application/sdp")) }
        return out
    }

    // MARK: the body as SDP lines

    public var lines: [String] {
        get { body.split(separator: "\r\n").map(String.init) }
        set { body = newValue.map { $0 + "\r\n" }.joined() }
    }

    public mutating func removeLines(_ prefix: String) { lines.removeAll { $0.hasPrefix(prefix) } }
    public mutating func replaceLines(_ prefix: String, with line: String) { lines = lines.map { $0.hasPrefix(prefix) ? line : $0 } }
    /// The first attribute or line with this prefix, without it.
    public func line(_ prefix: String) -> String? { lines.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) } }
}

extension String {
    /// Where the first occurrence of `needle` ends.
    fileprivate func end(of needle: String) -> String.Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
