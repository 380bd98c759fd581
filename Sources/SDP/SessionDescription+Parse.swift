import Core

extension SessionDescription {
    /// Reads a session description. Lines end in LF or CRLF, may come in any order within their section, and lines of
    /// unknown types are left out. A missing s= or t= is taken as "-" and "0 0".
    public init(parsing bytes: some Collection<UInt8>) throws(SDPError) {
        guard bytes.count <= SessionDescription.maximumLength else { throw .tooLong(bytes.count) }
        var parser = SessionParser()
        var number = 0
        for raw in Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            var line = raw
            while line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            if line.isEmpty { continue }
            guard !line.contains(0), !line.contains(UInt8(ascii: "\r")) else { throw .forbiddenByte(line: number) }
            guard line.count >= 2, line[line.startIndex + 1] == .equals else { throw .malformedLine(number) }
            let text = String(decoding: line.dropFirst(2), as: UTF8.self)
            try parser.read(type: line[line.startIndex], text: text, line: number)
        }
        self = try parser.finish()
    }

    public init(parsing text: String) throws(SDPError) {
        try self.init(parsing: Array(text.utf8))
    }
}

/// Collects the lines of a description one by one.
private struct SessionParser {
    private var description = SessionDescription(origin: Origin(sessionID: "0", sessionVersion: "0", address: "0.0.0.0"), timings: [])
    private var hasVersion = false
    private var hasOrigin = false
    private var attributeCount = 0

    mutating func read(type: UInt8, text: String, line: Int) throws(SDPError) {
        if type == UInt8(ascii: "a") {
            attributeCount += 1
            guard attributeCount <= SessionDescription.maximumAttributes else { throw .tooManyAttributes }
        }
        if type == UInt8(ascii: "m") {
            guard description.media.count < SessionDescription.maximumMediaSections else { throw .tooManyMediaSections }
            description.media.append(try MediaDescription(line: text, number: line))
        } else if let last = description.media.indices.last {
            try description.media[last].read(type: type, text: text, line: line)
        } else {
            try readSession(type: type, text: text, line: line)
        }
    }

    private mutating func readSession(type: UInt8, text: String, line: Int) throws(SDPError) {
        switch Character(UnicodeScalar(type)) {
        case "v":
            guard text.trimmed == "0" else { throw .unsupportedVersion }
            hasVersion = true
        case "o":
            guard let origin = Origin(text) else { throw .malformedField("o", line: line) }
            description.origin = origin
            hasOrigin = true
        case "s": description.name = text
        case "i": description.information = text
        case "u": description.uri = text
        case "e": description.emails.append(text)
        case "p": description.phones.append(text)
        case "c":
            guard let connection = Connection(text) else { throw .malformedField("c", line: line) }
            description.connection = connection
        case "b": if let bandwidth = Bandwidth(text) { description.bandwidths.append(bandwidth) }
        case "t":
            let fields = text.fields
            guard fields.count >= 2 else { throw .malformedField("t", line: line) }
            description.timings.append(Timing(start: String(fields[0]), stop: String(fields[1])))
        case "r":
            if let last = description.timings.indices.last { description.timings[last].repeats.append(text) }
        case "z": description.zones = text
        case "k": description.key = text
        case "a": description.attributes.append(Attribute(line: text))
        default: break
        }
    }

    consuming func finish() throws(SDPError) -> SessionDescription {
        guard hasVersion else { throw .missing("v") }
        guard hasOrigin else { throw .missing("o") }
        if description.timings.isEmpty { description.timings = [.unbounded] }
        if description.name.isEmpty { description.name = "-" }
        return description
    }
}

extension MediaDescription {
    fileprivate init(line text: String, number: Int) throws(SDPError) {
        let fields = text.fields
        guard fields.count >= 3 else { throw .malformedField("m", line: number) }
        let (portText, countText) = fields[1].cut(.slash)
        guard let port = portText.decimal(UInt16.self) else { throw .malformedField("m", line: number) }
        guard fields.count <= 3 + SessionDescription.maximumFormats else { throw .tooManyFormats(line: number) }
        self.init(media: String(fields[0]), port: port, profile: String(fields[2]), formats: fields[3...].map { String($0) })
        if let countText {
            guard let count = countText.decimal(UInt16.self) else { throw .malformedField("m", line: number) }
            portCount = count
        }
    }

    fileprivate mutating func read(type: UInt8, text: String, line: Int) throws(SDPError) {
        switch Character(UnicodeScalar(type)) {
        case "i": title = text
        case "c":
            guard let connection = Connection(text) else { throw .malformedField("c", line: line) }
            connections.append(connection)
        case "b": if let bandwidth = Bandwidth(text) { bandwidths.append(bandwidth) }
        case "k": key = text
        case "a": attributes.append(Attribute(line: text))
        default: break
        }
    }
}

extension Attribute {
    /// From the text after "a=".
    init(line text: String) {
        let (name, value) = text.cut(.colon)
        self.init(String(name.trimmed), value.map { String($0) })
    }
}

extension Origin {
    init?(_ text: String) {
        let f = text.fields
        // Some phones leave the username empty.
        guard f.count >= 5 else { return nil }
        let at = f.count >= 6 ? 1 : 0
        self.init(
            username: at == 1 ? String(f[0]) : "-", sessionID: String(f[at]), sessionVersion: String(f[at + 1]),
            addressType: String(f[at + 3]), address: String(f[at + 4]))
    }
}

extension Connection {
    init?(_ text: String) {
        let f = text.fields
        guard f.count >= 3, f[0].matches("IN"), let host = f[2].parts(.slash).first, !host.isEmpty else { return nil }
        self.init(addressType: f[1].uppercased(), host: String(host))
    }
}

extension Bandwidth {
    init?(_ text: String) {
        let (type, value) = text.cut(.colon)
        guard let value = value?.trimmed.decimal(UInt64.self) else { return nil }
        self.init(type: String(type), value: value)
    }
}
