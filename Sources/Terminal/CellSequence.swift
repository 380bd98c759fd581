import Screen

/// Cells as escape sequences (ECMA-48): where, in which colours, and the characters. A colour is said only when it changes.
struct CellSequence {
    private(set) var bytes: [UInt8] = []
    private var style: Style?

    /// One run of a grid at its own place; the first row and column are 0.
    mutating func add(_ run: GridDifference.Run, of grid: CellGrid) {
        bytes += "\u{1B}[\(run.row + 1);\(run.columns.lowerBound + 1)H".utf8
        for column in run.columns {
            let cell = grid[column, run.row]
            if cell.width == 0 { continue }
            change(to: cell.style)
            bytes += cell.text.utf8
        }
    }

    /// The terminal's own colours again.
    mutating func end() {
        guard style != nil else { return }
        bytes += "\u{1B}[0m".utf8
        style = nil
    }

    private mutating func change(to new: Style) {
        if style == new { return }
        var codes: [String] = []
        var old = style
        if old == nil || old?.attributes != new.attributes {
            codes.append("0")
            if new.attributes.contains(.bold) { codes.append("1") }
            if new.attributes.contains(.dim) { codes.append("2") }
            if new.attributes.contains(.underline) { codes.append("4") }
            if new.attributes.contains(.reverse) { codes.append("7") }
            old = Style()
        }
        if old?.foreground != new.foreground { codes.append(Self.code(new.foreground, base: 30)) }
        if old?.background != new.background { codes.append(Self.code(new.background, base: 40)) }
        bytes += "\u{1B}[\(codes.joined(separator: ";"))m".utf8
        style = new
    }

    /// - Parameter base: 30 for the foreground, 40 for the background.
    private static func code(_ colour: Colour, base: Int) -> String {
        switch colour {
        case .standard: "\(base + 9)"
        case .black: "\(base)"
        case .red: "\(base + 1)"
        case .green: "\(base + 2)"
        case .yellow: "\(base + 3)"
        case .blue: "\(base + 4)"
        case .magenta: "\(base + 5)"
        case .cyan: "\(base + 6)"
        case .white: "\(base + 7)"
        // The bright eight have a short form that terminals with 16 colours know.
        case .indexed(let index) where index < 8: "\(base + Int(index))"
        case .indexed(let index) where index < 16: "\(base + 60 + Int(index) - 8)"
        case .indexed(let index): "\(base + 8);5;\(index)"
        case .rgb(let red, let green, let blue): "\(base + 8);2;\(red);\(green);\(blue)"
        }
    }
}
