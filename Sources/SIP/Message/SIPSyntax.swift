/// Character classes of RFC 3261 §25.1, over bytes.
enum SIPSyntax {
    static let tab: UInt8 = 0x09
    static let lf: UInt8 = 0x0A
    static let cr: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let percent: UInt8 = 0x25
    static let ampersand: UInt8 = 0x26
    static let comma: UInt8 = 0x2C
    static let slash: UInt8 = 0x2F
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let less: UInt8 = 0x3C
    static let equals: UInt8 = 0x3D
    static let greater: UInt8 = 0x3E
    static let question: UInt8 = 0x3F
    static let at: UInt8 = 0x40
    static let backslash: UInt8 = 0x5C

    @inline(__always)
    static func isDigit(_ c: UInt8) -> Bool { c &- 0x30 < 10 }

    @inline(__always)
    static func isAlpha(_ c: UInt8) -> Bool { (c | 0x20) &- 0x61 < 26 }

    @inline(__always)
    static func isAlphanumeric(_ c: UInt8) -> Bool { isAlpha(c) || isDigit(c) }

    /// SP, HTAB, and the line ends of a fold.
    @inline(__always)
    static func isWhite(_ c: UInt8) -> Bool { c == space || c == tab || c == cr || c == lf }

    /// `token`: letters, digits and - . ! % * _ + ` ' ~
    @inline(__always)
    static func isToken(_ c: UInt8) -> Bool {
        if isAlphanumeric(c) { return true }
        switch c {
        case 0x2D, 0x2E, 0x21, 0x25, 0x2A, 0x5F, 0x2B, 0x60, 0x27, 0x7E: return true
        default: return false
        }
    }

    /// `unreserved` of a URI: letters, digits and - _ . ! ~ * ' ( )
    @inline(__always)
    static func isUnreserved(_ c: UInt8) -> Bool {
        if isAlphanumeric(c) { return true }
        switch c {
        case 0x2D, 0x5F, 0x2E, 0x21, 0x7E, 0x2A, 0x27, 0x28, 0x29: return true
        default: return false
        }
    }

    /// What a user part may hold unescaped: unreserved and & = + $ , ; ? /
    static func isUser(_ c: UInt8) -> Bool {
        if isUnreserved(c) { return true }
        switch c {
        case 0x26, 0x3D, 0x2B, 0x24, 0x2C, 0x3B, 0x3F, 0x2F: return true
        default: return false
        }
    }

    /// What a password may hold unescaped: unreserved and & = + $ ,
    static func isPassword(_ c: UInt8) -> Bool {
        if isUnreserved(c) { return true }
        switch c {
        case 0x26, 0x3D, 0x2B, 0x24, 0x2C: return true
        default: return false
        }
    }

    /// What a header parameter's value may hold without quotes: more than the grammar's token and host, since real peers write
    /// `=`, `/` and `@` in tags.
    @inline(__always)
    static func isBareValue(_ c: UInt8) -> Bool { isURIByte(c) && c != semicolon && c != comma }

    /// Visible and not a delimiter of URIs: lenient, since phones dial `#` and send UTF-8 unescaped.
    @inline(__always)
    static func isURIByte(_ c: UInt8) -> Bool {
        c > space && c != 0x7F && c != less && c != greater && c != quote
    }

    @inline(__always)
    static func lowercase(_ c: UInt8) -> UInt8 { c &- 0x41 < 26 ? c | 0x20 : c }

    static func isTokenText(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(isToken) }

    /// ASCII letters lower-cased, all else unchanged.
    static func lowercased(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 &- 0x41 < 26 }) else { return text }
        return String(decoding: text.utf8.map(lowercase), as: UTF8.self)
    }

    /// Equality that ignores the case of ASCII letters.
    static func equalIgnoringCase(_ a: String, _ b: String) -> Bool {
        let left = a.utf8
        let right = b.utf8
        guard left.count == right.count else { return false }
        for (x, y) in zip(left, right) where lowercase(x) != lowercase(y) { return false }
        return true
    }

    static func hexValue(_ c: UInt8) -> UInt8? {
        if isDigit(c) { return c &- 0x30 }
        let letter = (c | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// True when each `%` stands before two hexadecimal digits.
    static func hasValidEscapes(_ bytes: ArraySlice<UInt8>) -> Bool {
        var i = bytes.startIndex
        while i < bytes.endIndex {
            if bytes[i] == percent {
                guard i + 2 < bytes.endIndex, hexValue(bytes[i + 1]) != nil, hexValue(bytes[i + 2]) != nil else { return false }
                i += 2
            }
            i += 1
        }
        return true
    }

    /// Resolves `%XX`; a broken escape stays as it is.
    static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(percent) else { return text }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var i = 0
        while i < bytes.count {
            if bytes[i] == percent, i + 2 < bytes.count, let high = hexValue(bytes[i + 1]), let low = hexValue(bytes[i + 2]) {
                out.append(high << 4 | low)
                i += 3
            } else {
                out.append(bytes[i])
                i += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Escapes every byte that `isAllowed` refuses.
    static func escaped(_ text: String, _ isAllowed: (UInt8) -> Bool) -> String {
        guard !text.utf8.allSatisfy(isAllowed) else { return text }
        var out: [UInt8] = []
        for c in text.utf8 {
            if isAllowed(c) { out.append(c) } else { appendEscape(c, to: &out) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Escapes only what cannot stand in a URI, or would end this part of it. What a peer wrote against the grammar goes back
    /// as it came: proxies compare the text of their parameters.
    static func repaired(_ text: String, until delimiters: UInt8...) -> String {
        escaped(text) { isURIByte($0) && !delimiters.contains($0) }
    }

    static func appendEscape(_ c: UInt8, to out: inout [UInt8]) {
        out.append(percent)
        for nibble in [c >> 4, c & 15] { out.append(nibble < 10 ? 0x30 + nibble : 0x37 + nibble) }
    }

    /// Escapes that need not be are resolved, the others get upper-case digits: two spellings of one thing become equal.
    static func normalisedEscapes(_ text: String) -> String {
        guard text.utf8.contains(percent) else { return text }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var i = 0
        while i < bytes.count {
            if bytes[i] == percent, i + 2 < bytes.count, let high = hexValue(bytes[i + 1]), let low = hexValue(bytes[i + 2]) {
                let c = high << 4 | low
                if isUnreserved(c) { out.append(c) } else { appendEscape(c, to: &out) }
                i += 3
            } else {
                out.append(bytes[i])
                i += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A quoted-string; CR and LF become blanks, other controls are escaped.
    static func quoted(_ text: String) -> String {
        var out: [UInt8] = [quote]
        for c in text.utf8 {
            switch c {
            case cr, lf: out.append(space)
            case quote, backslash: out += [backslash, c]
            case 0x00..<0x09, 0x0B..<0x20, 0x7F: out += [backslash, c]
            default: out.append(c)
            }
        }
        out.append(quote)
        return String(decoding: out, as: UTF8.self)
    }
}
