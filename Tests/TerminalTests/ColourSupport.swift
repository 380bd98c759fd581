import Screen

@testable import Terminal

extension TerminalPicture {
    /// Cells of the grid that look different on the terminal.
    func differences(from grid: CellGrid, rows: Range<Int>) -> [String] {
        var out: [String] = []
        for row in rows {
            for column in 0..<grid.columns {
                let wanted = grid[column, row]
                let found = self.rows.indices.contains(row) && column < self.rows[row].count ? self.rows[row][column] : Cell(text: " ")
                let colours = (Self.code(wanted.style.foreground, 30), Self.code(wanted.style.background, 40))
                // A blank's foreground is not seen.
                let isSame = found.text == wanted.text && found.background == colours.1 && (wanted.text == " " || found.foreground == colours.0)
                if !isSame { out.append("\(column),\(row): \(found) instead of \(wanted)") }
            }
        }
        return out
    }

    private static func code(_ colour: Colour, _ base: Int) -> String {
        switch colour {
        case .standard: ""
        case .black: "\(base)"
        case .red: "\(base + 1)"
        case .green: "\(base + 2)"
        case .yellow: "\(base + 3)"
        case .blue: "\(base + 4)"
        case .magenta: "\(base + 5)"
        case .cyan: "\(base + 6)"
        case .white: "\(base + 7)"
        case .indexed(let index) where index < 16: "\(base + 60 + Int(index) - 8)"
        case .indexed(let index): "\(base + 8);5;\(index)"
        case .rgb(let red, let green, let blue): "\(base + 8);2;\(red);\(green);\(blue)"
        }
    }
}
