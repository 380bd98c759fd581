/// Values without quotes: booleans, numbers, dates.
enum TOMLScalar {
    static func kind(_ text: String, line: Int) throws(TOMLError) -> TOMLValue.Kind {
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .number(.infinity)
        case "-inf": return .number(-.infinity)
        case "nan", "+nan", "-nan": return .number(.nan)
        default: break
        }
        if let kind = number(text) { return kind }
        if isDate(text) { return .date(text) }
        let what = text.isEmpty ? "a value is missing" : "\"\(text)\" is not a value: put a text in quotes"
        throw TOMLError(line: line, message: what)
    }

    private static func number(_ text: String) -> TOMLValue.Kind? {
        guard underscoresStandBetweenDigits(text) else { return nil }
        let plain = text.filter { $0 != "_" }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
            let digits = plain.dropFirst(2)
            guard let first = digits.first, first != "+", first != "-" else { return nil }
            return Int64(digits, radix: radix).map { .integer($0) }
        }
        let unsigned = plain.first == "+" || plain.first == "-" ? plain.dropFirst() : plain[...]
        guard let first = unsigned.first, first.isASCII, first.isNumber, !hasLeadingZero(unsigned) else { return nil }
        if unsigned.allSatisfy({ $0.isASCII && $0.isNumber }) { return Int64(plain).map { .integer($0) } }
        guard unsigned.allSatisfy({ $0.isASCII && ($0.isNumber || ".eE+-".contains($0)) }), !unsigned.hasSuffix("."), !unsigned.contains(".e"),
            !unsigned.contains(".E"), unsigned.dropFirst().contains(where: { ".eE".contains($0) })
        else { return nil }
        return Double(plain).map { .number($0) }
    }

    private static func hasLeadingZero(_ digits: Substring) -> Bool {
        guard digits.first == "0", let second = digits.dropFirst().first else { return false }
        return second.isNumber
    }

    private static func underscoresStandBetweenDigits(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        for (i, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard i > 0, i + 1 < bytes.count, isHexadecimal(bytes[i - 1]), isHexadecimal(bytes[i + 1]) else { return false }
        }
        return true
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }

    /// Near enough to tell a date or a time from a mistake: nothing here takes one.
    private static func isDate(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func digits(_ range: Range<Int>) -> Bool {
            range.upperBound <= bytes.count && bytes[range].allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        }
        if digits(0..<4), digits(5..<7), digits(8..<10), bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") { return true }
        return digits(0..<2) && digits(3..<5) && bytes[2] == UInt8(ascii: ":")
    }
}
