/// Reads a header value byte by byte; every read is checked.
struct ByteScanner {
    let bytes: [UInt8]
    var position: Int
    let end: Int

    init(_ text: some StringProtocol) {
        bytes = Array(text.utf8)
        position = 0
        end = bytes.count
    }

    /// Reads only `range` of `bytes`.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = max(0, min(range.lowerBound, bytes.count))
        end = max(position, min(range.upperBound, bytes.count))
    }

    var isAtEnd: Bool { position >= end }

    var peek: UInt8? { position < end ? bytes[position] : nil }

    /// Folds are LWS too: CR and LF count as blanks.
    mutating func skipWhite() {
        while position < end, SIPSyntax.isWhite(bytes[position]) { position += 1 }
    }

    mutating func take(_ c: UInt8) -> Bool {
        guard position < end, bytes[position] == c else { return false }
        position += 1
        return true
    }

    /// The separator with LWS around it, or nothing.
    mutating func takeSeparator(_ c: UInt8) -> Bool {
        let start = position
        skipWhite()
        guard take(c) else {
            position = start
            return false
        }
        skipWhite()
        return true
    }

    /// One or more bytes of a class; nil when there is none.
    mutating func run(_ belongs: (UInt8) -> Bool) -> Range<Int>? {
        let start = position
        while position < end, belongs(bytes[position]) { position += 1 }
        return position > start ? start..<position : nil
    }

    mutating func token() -> String? { run(SIPSyntax.isToken).map(text) }

    /// Decimal digits; saturates at `UInt64.max`.
    mutating func number() -> UInt64? {
        guard let digits = run(SIPSyntax.isDigit) else { return nil }
        var value: UInt64 = 0
        for i in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[i] &- 0x30))
            if overflow || carry { return .max }
            value = sum
        }
        return value
    }

    /// A quoted-string at the current `"`, escapes resolved; nil when it does not end.
    mutating func quotedString() -> String? {
        guard take(SIPSyntax.quote) else { return nil }
        let start = position
        while position < end, bytes[position] != SIPSyntax.quote, bytes[position] != SIPSyntax.backslash { position += 1 }
        if position < end, bytes[position] == SIPSyntax.quote {
            position += 1
            return text(start..<position - 1)
        }
        var out = Array(bytes[start..<position])
        while position < end {
            let c = bytes[position]
            position += 1
            if c == SIPSyntax.quote { return String(decoding: out, as: UTF8.self) }
            if c == SIPSyntax.backslash {
                guard position < end else { return nil }
                out.append(bytes[position])
                position += 1
            } else {
                out.append(c)
            }
        }
        return nil
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
