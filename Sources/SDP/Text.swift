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
