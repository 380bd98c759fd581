/// The head of one HTTP/1.1 request (RFC 9112 §3, §5), read strictly: what is unusual is refused, not repaired.
struct WebRequest: Sendable, Equatable {
    enum Failure: Error, Sendable, Equatable {
        /// Not HTTP/1.x at all, or broken.
        case malformed
        /// The head is larger than `maximumHead`.
        case tooLarge
        case version
    }

    /// Bytes from the request line to the empty line: a browser's head has 500 to 1500.
    static let maximumHead = 8192
    static let maximumFields = 64

    var method: String
    /// As on the wire: path and query.
    var target: String
    /// Names in lower case, in order.
    private(set) var fields: [(name: String, value: String)] = []

    static func == (a: WebRequest, b: WebRequest) -> Bool {
        a.method == b.method && a.target == b.target && a.fields.elementsEqual(b.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    /// The head at the start of these bytes.
    /// - Returns: the request and how many bytes it took; nil when more are needed.
    static func parse(_ bytes: [UInt8]) throws(Failure) -> (request: WebRequest, length: Int)? {
        guard let end = headEnd(bytes) else {
            if bytes.count > maximumHead { throw .tooLarge }
            // What is no request line need not be waited for.
            if let first = bytes.first, !isToken(first) { throw .malformed }
            return nil
        }
        guard end <= maximumHead else { throw .tooLarge }
        var lines = bytes[..<(end - 4)].split(separator: 10, omittingEmptySubsequences: false).map { $0.last == 13 ? $0.dropLast() : $0 }
        guard lines.count <= maximumFields + 1, let first = lines.first else { throw .tooLarge }
        lines.removeFirst()
        var request = try requestLine(first)
        for line in lines { request.fields.append(try field(line)) }
        return (request, end)
    }

    /// The place after CR LF CR LF.
    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 3..<bytes.count
        where bytes[index] == 10 && bytes[index - 1] == 13 && bytes[index - 2] == 10 && bytes[index - 3] == 13 {
            return index + 1
        }
        return nil
    }

    private static func requestLine(_ line: ArraySlice<UInt8>) throws(Failure) -> WebRequest {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isToken), parts[1].first == UInt8(ascii: "/"), parts[1].allSatisfy(isVisible)
        else { throw .malformed }
        guard parts[2].starts(with: "HTTP/".utf8) else { throw .malformed }
        guard parts[2].elementsEqual("HTTP/1.1".utf8) else { throw .version }
        return WebRequest(method: String(decoding: parts[0], as: UTF8.self), target: String(decoding: parts[1], as: UTF8.self))
    }

    /// No folding, no space before the colon, no control characters: each has let two readers see two requests.
    private static func field(_ line: ArraySlice<UInt8>) throws(Failure) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex, line[..<colon].allSatisfy(isToken) else {
            throw .malformed
        }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 9 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 9 { value.removeLast() }
        guard value.allSatisfy({ isVisible($0) || $0 == 0x20 || $0 == 9 || $0 >= 0x80 }) else { throw .malformed }
        return (String(decoding: line[..<colon], as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self))
    }

    private static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    // MARK: reading it

    init(method: String, target: String, fields: [(name: String, value: String)] = []) {
        self.method = method
        self.target = target
        self.fields = fields
    }

    /// The value of a field that stands there once; nil without it, or when it is there twice.
    func only(_ name: String) -> String? {
        let values = fields.filter { $0.name == name }
        return values.count == 1 ? values[0].value : nil
    }

    /// The members of a list field (RFC 9110 §5.6.1).
    func list(_ name: String) -> [String] {
        fields.filter { $0.name == name }.flatMap { $0.value.split(separator: ",") }.map { member in
            String(member.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
    }

    /// A cookie of this name (RFC 6265 §4.2.1); the first counts.
    func cookie(_ name: String) -> String? {
        for pair in fields.filter({ $0.name == "cookie" }).flatMap({ $0.value.split(separator: ";") }) {
            let text = pair.drop { $0 == " " }
            if text.hasPrefix("\(name)=") { return String(text.dropFirst(name.count + 1)) }
        }
        return nil
    }
}
