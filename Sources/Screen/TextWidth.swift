/// How many columns text takes on a terminal, and text cut to columns without halving a wide character.
public enum TextWidth {
    /// One base scalar with the marks that combine with it.
    public struct Cluster: Sendable, Equatable {
        public var text: String
        /// 1 or 2.
        public var width: Int
    }

    /// More marks than a terminal cell keeps are dropped: a peer's name must not grow without end.
    private static let marksPerCell = 3

    /// The columns of one scalar: 0 (combines with the one before), 1 or 2 (East Asian Wide and Fullwidth, UAX #11).
    public static func width(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x300 { return 1 }
        if (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FF).contains(value) { return 0 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return isWide(value) ? 2 : 1
        }
    }

    /// Whether a scalar may be written to a terminal as it is. Control, format, private and unassigned ones may not.
    public static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    /// Text as terminal cells. What is not printable becomes U+FFFD; a mark without a base combines with a space.
    public static func clusters(_ text: some StringProtocol) -> [Cluster] {
        var out: [Cluster] = []
        var marks = 0
        for scalar in text.unicodeScalars {
            // Variation selectors change the drawn width on some terminals and not on others.
            if (0xFE00...0xFE0F).contains(scalar.value) { continue }
            guard isPrintable(scalar) else {
                out.append(Cluster(text: "\u{FFFD}", width: 1))
                marks = 0
                continue
            }
            let columns = width(scalar)
            if columns > 0 {
                out.append(Cluster(text: String(scalar), width: columns))
                marks = 0
            } else if out.isEmpty {
                out.append(Cluster(text: " " + String(scalar), width: 1))
                marks = 1
            } else if marks < marksPerCell {
                out[out.count - 1].text.unicodeScalars.append(scalar)
                marks += 1
            }
        }
        return out
    }

    /// Printable ASCII only: one byte, one column.
    static func isPlain(_ text: some StringProtocol) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }

    public static func columns(_ text: some StringProtocol) -> Int {
        isPlain(text) ? text.utf8.count : clusters(text).reduce(0) { $0 + $1.width }
    }

    /// The text, cut with "…" when it takes more than `columns`.
    public static func fit(_ text: String, _ columns: Int) -> String {
        if columns <= 0 { return "" }
        if self.columns(text) <= columns { return text }
        var out = ""
        var used = 0
        for cluster in clusters(text) {
            if used + cluster.width > columns - 1 { break }
            out += cluster.text
            used += cluster.width
        }
        return out + "…"
    }

    /// The text with spaces after it, at least `columns` wide.
    public static func pad(_ text: String, _ columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - self.columns(text)))
    }

    private static func isWide(_ value: UInt32) -> Bool {
        guard value >= 0x1100 else { return false }
        var low = 0
        var high = wide.count
        while low < high {
            let middle = (low + high) / 2
            if wide[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < wide.count && wide[low].contains(value)
    }

    /// Assigned scalars of East Asian Width W and F; unassigned gaps between them are filled.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x23F0...0x23F0, 0x23F3...0x23F3, 0x25FD...0x25FE,
        0x2614...0x2615, 0x2648...0x2653, 0x267F...0x267F, 0x2693...0x2693, 0x26A1...0x26A1, 0x26AA...0x26AB, 0x26BD...0x26BE,
        0x26C4...0x26C5, 0x26CE...0x26CE, 0x26D4...0x26D4, 0x26EA...0x26EA, 0x26F2...0x26F3, 0x26F5...0x26F5, 0x26FA...0x26FA,
        0x26FD...0x26FD, 0x2705...0x2705, 0x270A...0x270B, 0x2728...0x2728, 0x274C...0x274C, 0x274E...0x274E, 0x2753...0x2755,
        0x2757...0x2757, 0x2795...0x2797, 0x27B0...0x27B0, 0x27BF...0x27BF, 0x2B1B...0x2B1C, 0x2B50...0x2B50, 0x2B55...0x2B55,
        0x2E80...0x303E, 0x3041...0xA4C6, 0xA960...0xA97C, 0xAC00...0xFAD9, 0xFE10...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
        0x16FE0...0x1B2FB, 0x1F004...0x1F004, 0x1F0CF...0x1F0CF, 0x1F18E...0x1F18E, 0x1F191...0x1F19A, 0x1F200...0x1F320,
        0x1F32D...0x1F335, 0x1F337...0x1F37C, 0x1F37E...0x1F393, 0x1F3A0...0x1F3CA, 0x1F3CF...0x1F3D3, 0x1F3E0...0x1F3F0,
        0x1F3F4...0x1F3F4, 0x1F3F8...0x1F43E, 0x1F440...0x1F440, 0x1F442...0x1F4FC, 0x1F4FF...0x1F53D, 0x1F54B...0x1F54E,
        0x1F550...0x1F567, 0x1F57A...0x1F57A, 0x1F595...0x1F596, 0x1F5A4...0x1F5A4, 0x1F5FB...0x1F64F, 0x1F680...0x1F6C5,
        0x1F6CC...0x1F6CC, 0x1F6D0...0x1F6D2, 0x1F6D5...0x1F6DF, 0x1F6EB...0x1F6EC, 0x1F6F4...0x1F6FC, 0x1F7E0...0x1F7F0,
        0x1F90C...0x1F93A, 0x1F93C...0x1F945, 0x1F947...0x1F9FF, 0x1FA70...0x1FAFF, 0x20000...0x3FFFD,
    ]
}
