/// One column of one row.
public struct Cell: Sendable, Hashable {
    /// A base character with its combining marks; empty where a wide character to the left covers this column.
    public var text: String
    /// 1, 2, or 0 for the second column of a wide character.
    public var width: UInt8
    public var style: Style

    public init(text: String = " ", width: UInt8 = 1, style: Style = Style()) {
        self.text = text
        self.width = width
        self.style = style
    }
}

/// A picture of the whole terminal. A wide character is always whole: writing over one half of it blanks the other.
public struct CellGrid: Sendable, Equatable {
    public struct Position: Sendable, Equatable {
        public var column: Int
        public var row: Int
        public init(column: Int, row: Int) {
            self.column = column
            self.row = row
        }
    }

    public let columns: Int
    public let rows: Int
    /// Row by row, `columns` × `rows`.
    public private(set) var cells: [Cell]
    /// Where the terminal's cursor stands; nil hides it.
    public var cursor: Position?

    /// Sizes under 1 count as 1.
    public init(columns: Int, rows: Int, style: Style = Style()) {
        self.columns = max(1, columns)
        self.rows = max(1, rows)
        cells = Array(repeating: Cell(style: style), count: self.columns * self.rows)
    }

    /// A blank cell for positions outside.
    public subscript(column: Int, row: Int) -> Cell {
        guard column >= 0, column < columns, row >= 0, row < rows else { return Cell() }
        return cells[row * columns + column]
    }

    /// Writes text from `column` on and stops before `limit` (an absolute column). Returns the column after the text.
    @discardableResult
    public mutating func write(_ text: String, column: Int, row: Int, limit: Int = .max, style: Style) -> Int {
        guard row >= 0, row < rows, column >= 0 else { return column }
        let end = min(limit, columns)
        var at = column
        if TextWidth.isPlain(text) {
            for byte in text.utf8 {
                if at >= end { break }
                put(TextWidth.Cluster(text: String(Unicode.Scalar(byte)), width: 1), at: row * columns + at, style: style)
                at += 1
            }
            return at
        }
        for cluster in TextWidth.clusters(text) {
            if at + cluster.width > end { break }
            put(cluster, at: row * columns + at, style: style)
            at += cluster.width
        }
        return at
    }

    /// Fills a stretch of one row with a character of width 1.
    public mutating func fill(_ character: String = " ", column: Int, row: Int, limit: Int, style: Style) {
        guard row >= 0, row < rows, column >= 0 else { return }
        var at = column
        while at < min(limit, columns) {
            put(TextWidth.Cluster(text: character, width: 1), at: row * columns + at, style: style)
            at += 1
        }
    }

    /// Puts a character of width 1 into one cell; outside nothing happens.
    public mutating func set(_ character: String, column: Int, row: Int, style: Style) {
        guard column >= 0, column < columns, row >= 0, row < rows else { return }
        put(TextWidth.Cluster(text: character, width: 1), at: row * columns + column, style: style)
    }

    private mutating func put(_ cluster: TextWidth.Cluster, at index: Int, style: Style) {
        let last = index + cluster.width - 1
        if cells[index].width == 0, index > 0 { cells[index - 1] = Cell(style: cells[index - 1].style) }
        if cells[last].width == 2, last + 1 < cells.count { cells[last + 1] = Cell(style: cells[last + 1].style) }
        cells[index] = Cell(text: cluster.text, width: UInt8(clamping: cluster.width), style: style)
        if cluster.width == 2 { cells[last] = Cell(text: "", width: 0, style: style) }
    }

    /// One row without the spaces at its end.
    public func line(_ row: Int) -> String {
        guard row >= 0, row < rows else { return "" }
        var text = ""
        for cell in cells[(row * columns)..<((row + 1) * columns)] { text += cell.text }
        while text.last == " " { text.removeLast() }
        return text
    }

    /// All rows, each ended by a newline.
    public var text: String {
        var out = ""
        for row in 0..<rows { out += line(row) + "\n" }
        return out
    }
}
