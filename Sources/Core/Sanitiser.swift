/// The one place where text from the wire becomes text that may reach a terminal, a log, the history or a file name.
public enum Sanitiser {
    /// Removes C0, C1, DEL, bidirectional controls, zero-width and other format characters and line separators
    /// (each becomes U+FFFD), and cuts to `limit` characters with "…".
    public static func text(_ wire: some StringProtocol, limit: Int = 256) -> String {
        var out = String.UnicodeScalarView()
        var count = 0
        for scalar in wire.unicodeScalars {
            if count >= limit {
                out.append("…")
                break
            }
            out.append(isHarmless(scalar) ? scalar : "\u{FFFD}")
            count += 1
        }
        return String(out)
    }

    /// The same for bytes that claim to be UTF-8; invalid sequences become U+FFFD.
    public static func text(bytes: some Collection<UInt8>, limit: Int = 256) -> String {
        text(String(decoding: bytes, as: UTF8.self), limit: limit)
    }

    /// A name that is safe as one component of a path: letters, digits, `-`, `_`, `.`; never empty, never leading dot.
    public static func fileName(_ wire: some StringProtocol, limit: Int = 64) -> String {
        var out = ""
        for c in wire.unicodeScalars.prefix(limit) {
            let ok = (c.value < 128 && (c.properties.isAlphabetic || ("0"..."9").contains(c))) || c == "-" || c == "_" || c == "."
            out.unicodeScalars.append(ok ? c : "_")
        }
        if out.isEmpty || out.first == "." { out = "_" + out }
        return out
    }

    private static func isHarmless(_ s: Unicode.Scalar) -> Bool {
        switch s.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
