extension StringProtocol {
    /// The parts between single blanks or tabs; empty parts are left out.
    var fields: [Substring] {
        Substring(self).utf8.split { $0 == 0x20 || $0 == 0x09 }.map { Substring($0) }
    }

    /// The parts before and after the first `separator` (ASCII); the second is nil without one.
    func cut(_ separator: UInt8) -> (Substring, Substring?) {
        let view = Substring(self).utf8
        guard let at = view.firstIndex(of: separator) else { return (Substring(self), nil) }
        return (Substring(view[..<at]), Substring(view[view.index(after: at)...]))
    }

    /// The parts between `separator`s (ASCII), empty ones included.
    func parts(_ separator: UInt8) -> [Substring] {
        Substring(self).utf8.split(separator: separator, omittingEmptySubsequences: false).map { Substring($0) }
    }

    /// Without blanks and tabs at both ends.
    var trimmed: Substring {
        var view = Substring(self).utf8
        while let c = view.first, c == 0x20 || c == 0x09 { view = view.dropFirst() }
        while let c = view.last, c == 0x20 || c == 0x09 { view = view.dropLast() }
        return Substring(view)
    }

    /// A decimal number of digits only, or nil when it has another character or does not fit.
    func decimal<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        let view = utf8
        guard !view.isEmpty, view.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return T(String(self))
    }

    /// Equal but for the case of letters.
    func matches(_ other: some StringProtocol) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { lower($0) == lower($1) }
    }
}

private func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

extension UInt8 {
    static let colon = UInt8(ascii: ":")
    static let slash = UInt8(ascii: "/")
    static let bar = UInt8(ascii: "|")
    static let semicolon = UInt8(ascii: ";")
    static let equals = UInt8(ascii: "=")
    static let blank = UInt8(ascii: " ")
}

/// Base 64 of RFC 4648 §4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let chunk = bytes[at..<min(at + 3, bytes.count)]
            let word = chunk.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - chunk.count))
            for i in 0..<4 {
                let index = Int(word >> UInt32(18 - 6 * i) & 63)
                out.append(i <= chunk.count ? alphabet[index] : .equals)
            }
            at += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Padding may be missing; any other character makes it nil.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var out: [UInt8] = []
        var word: UInt32 = 0
        var bits: UInt32 = 0
        var padding = 0
        for c in text.utf8 {
            if c == .equals {
                padding += 1
                continue
            }
            guard padding == 0, let digit = value(c) else { return nil }
            word = word << 6 | digit
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: word >> bits))
                word &= 0xFF
            }
        }
        return padding <= 2 && bits < 6 ? out : nil
    }

    private static func value(_ c: UInt8) -> UInt32? {
        switch c {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(c) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(c) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(c) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
