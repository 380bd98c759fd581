/// RFC 4648 §4, for crypto lines: no line breaks, no other alphabet.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for i in 0..<3 { group = group << 8 | (i < count ? UInt32(bytes[start + i]) : 0) }
            for i in 0..<4 { out.append(i <= count ? alphabet[Int(group >> UInt32(18 - 6 * i) & 63)] : UInt8(ascii: "=")) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Padding may be missing, as some phones leave it out. Nil for a character outside the alphabet, a wrong length or bits that are not zero at
    /// the end.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var characters = Array(text.utf8)
        var padding = 0
        while characters.last == UInt8(ascii: "="), padding < 2 {
            characters.removeLast()
            padding += 1
        }
        let rest = characters.count % 4
        guard rest != 1, padding == 0 || padding == (4 - rest) % 4 else { return nil }
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for c in characters {
            guard let v = value(c) else { return nil }
            bits = bits << 6 | v
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> count))
                bits &= (1 << count) &- 1
            }
        }
        return bits == 0 ? out : nil
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
