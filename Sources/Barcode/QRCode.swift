import CQRencode

/// A QR code (ISO/IEC 18004) of one text: a square of dark and light modules, without the quiet zone.
public struct QRCode: Sendable, Equatable {
    /// Modules along each side: 21, 25, … 177.
    public let size: Int
    /// Row by row, `size` × `size`; true is dark.
    public let modules: [Bool]

    /// Bytes that a code of the largest version holds at the lowest level of correction.
    public static let maximumBytes = 2953
    /// What a code needs around it: light modules (ISO/IEC 18004 §6.3.8).
    public static let quietZone = 4

    /// The smallest code that holds the text's UTF-8, with the lowest level of correction (L, 7 %): a screen is not damaged, and a small code is
    /// read from further away. nil for an empty text or one that is too long.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= QRCode.maximumBytes, let count = Int32(exactly: bytes.count),
            let code = QRcode_encodeData(count, bytes, 0, QR_ECLEVEL_L)
        else { return nil }
        defer { QRcode_free(code) }
        guard let size = Int(exactly: code.pointee.width), size > 0, let data = code.pointee.data else { return nil }
        self.size = size
        // The lowest bit is the colour; the others say what a module is for.
        modules = UnsafeBufferPointer(start: data, count: size * size).map { $0 & 1 == 1 }
    }

    /// Whether the module is dark; everything outside of the code is light.
    public subscript(column: Int, row: Int) -> Bool {
        guard column >= 0, column < size, row >= 0, row < size else { return false }
        return modules[row * size + column]
    }

    /// Lines of half-block characters, two rows of modules in each, for dark characters on a light background.
    /// - Parameter quietZone: light modules around it. Readers want 4; most take 2.
    public func lines(quietZone: Int = QRCode.quietZone) -> [String] {
        let range = -quietZone..<(size + quietZone)
        return stride(from: range.lowerBound, to: range.upperBound, by: 2).map { row in
            String(
                range.map { column -> Character in
                    switch (self[column, row], self[column, row + 1]) {
                    case (false, false): " "
                    case (true, false): "▀"
                    case (false, true): "▄"
                    case (true, true): "█"
                    }
                })
        }
    }
}
