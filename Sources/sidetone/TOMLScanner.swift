/// The characters of a TOML document, with the line that is being read.
struct TOMLScanner {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var line = 1

    init(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(3)) : bytes
    }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
    private func at(_ offset: Int) -> UInt8? { position + offset < bytes.count ? bytes[position + offset] : nil }

    mutating func advance() {
        if peek == 10 { line += 1 }
        position += 1
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek, byte == UInt8(ascii: character) else { return false }
        advance()
        return true
    }

    mutating func expect(_ character: Unicode.Scalar, after what: String) throws(TOMLError) {
        skipBlanks()
        guard take(character) else { throw error("\"\(character)\" is missing after \(what)") }
    }

    func error(_ message: String) -> TOMLError { TOMLError(line: line, message: message) }

    mutating func skipBlanks() { while let byte = peek, byte == 32 || byte == 9 { position += 1 } }

    /// Blanks, line ends and comments.
    mutating func skipBlankLines() {
        while let byte = peek {
            switch byte {
            case 32, 9, 10, 13: advance()
            case UInt8(ascii: "#"): skipComment()
            default: return
            }
        }
    }

    private mutating func skipComment() { while let byte = peek, byte != 10 { position += 1 } }

    mutating func endOfLine() throws(TOMLError) {
        skipBlanks()
        if peek == UInt8(ascii: "#") { skipComment() }
        if peek == 13, at(1) == 10 { position += 1 }
        guard peek == nil || peek == 10 else { throw error("there is something after the value; one key a line") }
    }

    /// `a`, `a.b`, `"a b".c`.
    mutating func keyPath() throws(TOMLError) -> [String] {
        var path = [try key()]
        while true {
            skipBlanks()
            guard take(".") else { return path }
            guard path.count < 16 else { throw error("a key has too many parts") }
            path.append(try key())
        }
    }

    private mutating func key() throws(TOMLError) -> String {
        skipBlanks()
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") {
            guard at(1) != peek || at(2) != peek else { throw error("a key cannot have several lines") }
            return try string()
        }
        let start = position
        while let byte = peek, TOMLScanner.isBareKey(byte) { position += 1 }
        guard position > start else { throw error("a key is missing or has a character that needs quotes") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Everything up to a comma, bracket, comment or line end; without blanks at its end.
    mutating func bareValue() -> String {
        let start = position
        while let byte = peek, byte != 10, byte != 13, byte != UInt8(ascii: ","), byte != UInt8(ascii: "]"), byte != UInt8(ascii: "}"),
            byte != UInt8(ascii: "#")
        {
            position += 1
        }
        var end = position
        while end > start, bytes[end - 1] == 32 || bytes[end - 1] == 9 { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    // MARK: texts

    /// One of the four kinds of strings; the scanner stands on the quote.
    mutating func string() throws(TOMLError) -> String {
        guard let quote = peek else { throw error("a text is missing") }
        let isBasic = quote == UInt8(ascii: "\"")
        let isLong = at(1) == quote && at(2) == quote
        let start = line
        position += isLong ? 3 : 1
        if isLong {
            if peek == 13, at(1) == 10 { position += 1 }
            if peek == 10 { advance() }
        }
        var out: [UInt8] = []
        while let byte = peek {
            if byte == quote {
                if !isLong {
                    position += 1
                    return try text(out, line: start)
                }
                if at(1) == quote, at(2) == quote {
                    position += 3
                    // Up to two quotes may stand before the closing three.
                    for _ in 0..<2 where peek == quote {
                        out.append(quote)
                        position += 1
                    }
                    return try text(out, line: start)
                }
            }
            if byte == 10, !isLong { break }
            if isBasic, byte == UInt8(ascii: "\\") {
                try escape(into: &out, isLong: isLong)
            } else {
                guard byte >= 32 || byte == 9 || byte == 10 || byte == 13, byte != 127 else { throw error("a text has a control character") }
                out.append(byte)
                advance()
            }
        }
        throw TOMLError(line: start, message: "a text has no closing quote")
    }

    private func text(_ bytes: [UInt8], line: Int) throws(TOMLError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw TOMLError(line: line, message: "a text is not UTF-8") }
        return text
    }

    private mutating func escape(into out: inout [UInt8], isLong: Bool) throws(TOMLError) {
        position += 1
        guard let byte = peek else { throw error("a text has no closing quote") }
        switch byte {
        case UInt8(ascii: "b"): out.append(8)
        case UInt8(ascii: "t"): out.append(9)
        case UInt8(ascii: "n"): out.append(10)
        case UInt8(ascii: "f"): out.append(12)
        case UInt8(ascii: "r"): out.append(13)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(byte)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = byte == UInt8(ascii: "u") ? 4 : 8
            let digits = bytes[min(position + 1, bytes.count)..<min(position + 1 + count, bytes.count)]
            guard digits.count == count, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16), let scalar = Unicode.Scalar(value)
            else {
                throw error("\\\(Unicode.Scalar(byte)) needs \(count) hexadecimal digits of a character")
            }
            out += Array(String(Character(scalar)).utf8)
            position += count
        case 10, 13, 32, 9:
            guard isLong else { throw error("a text has an unknown escape") }
            try joinLines()
            return
        default: throw error("a text has an unknown escape \"\\\(Unicode.Scalar(byte))\"")
        }
        position += 1
    }

    /// A backslash at the end of a line takes the line end and the blanks that follow with it.
    private mutating func joinLines() throws(TOMLError) {
        skipBlanks()
        guard peek == 10 || peek == 13 else { throw error("a text has an unknown escape") }
        while let byte = peek, byte == 10 || byte == 13 || byte == 32 || byte == 9 { advance() }
    }
}
