/// Base 64 of RFC 4648 §4.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let chunk = bytes[at..<min(at + 3, bytes.count)]
            let word = chunk.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - chunk.count))
            for i in 0..<4 {
                let index = Int(word >> UInt32(18 - 6 * i) & 63)
                out.append(i <= chunk.count ? alphabet[index] : UInt8(ascii: "="))
            }
            at += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Padding may be missing; any other character makes it nil.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var out: [UInt8] = []
        var word: UInt32 = 0
        var bits: UInt32 = 0
        var padding = 0
        for c in text.utf8 {
            if c == UInt8(ascii: "=") {
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
