import Screen

/// Which cells of a picture have to be written again.
public enum GridDifference {
    /// Neighbouring cells of one row.
    public struct Run: Equatable, Sendable {
        public var row: Int
        public var columns: Range<Int>
        public init(row: Int, columns: Range<Int>) {
            self.row = row
            self.columns = columns
        }
    }

    /// The runs in which `new` differs from `old`; all rows when there is no old picture of that size. A run never starts or ends
    /// inside a wide character of the new picture.
    public static func runs(from old: CellGrid?, to new: CellGrid) -> [Run] {
        guard let old, old.columns == new.columns, old.rows == new.rows else {
            return (0..<new.rows).map { Run(row: $0, columns: 0..<new.columns) }
        }
        var out: [Run] = []
        for row in 0..<new.rows {
            var column = 0
            while column < new.columns {
                guard old[column, row] != new[column, row] else {
                    column += 1
                    continue
                }
                var start = column
                var end = column + 1
                while end < new.columns, old[end, row] != new[end, row] { end += 1 }
                while start > 0, new[start, row].width == 0 { start -= 1 }
                while end < new.columns, new[end, row].width == 0 { end += 1 }
                out.append(Run(row: row, columns: start..<end))
                column = end
            }
        }
        return out
    }
}
