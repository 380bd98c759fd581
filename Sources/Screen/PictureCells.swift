import Core

/// A picture as characters: each cell is two pixels, the upper in the foreground and the lower in the background of "▀".
/// A cell counts as twice as high as wide.
public struct PictureCells {
    /// A stretch of a grid.
    public struct Area: Sendable, Equatable {
        public var column: Int
        public var row: Int
        public var columns: Int
        public var rows: Int

        public init(column: Int, row: Int, columns: Int, rows: Int) {
            self.column = column
            self.row = row
            self.columns = columns
            self.rows = rows
        }
    }

    public static let upperHalf = "▀"
    public static let lowerHalf = "▄"
    public static let full = "█"
    private static let shades = [" ", "░", "▒", "▓", "█"]

    /// Paints the picture into the middle of an area, as large as its shape allows. What is left of the area stays as it is.
    /// - Returns: the cells that were painted; nil when the area is empty.
    @discardableResult
    public static func draw(_ picture: VideoPicture, into grid: inout CellGrid, area: Area, colours: PictureColours) -> Area? {
        let left = max(0, area.column)
        let top = max(0, area.row)
        let columns = min(area.column + area.columns, grid.columns) - left
        let rows = min(area.row + area.rows, grid.rows) - top
        guard columns > 0, rows > 0 else { return nil }
        let size = PictureScaling.size(of: picture, within: (columns, rows * 2))
        let small = PictureScaling(picture, width: size.width, height: size.height)
        let painted = Area(
            column: left + (columns - size.width) / 2, row: top + (rows - size.height / 2) / 2, columns: size.width, rows: size.height / 2)
        switch colours {
        case .monochrome: paintShades(small, into: &grid, at: painted)
        case .eight: paintBasic(small, into: &grid, at: painted, count: 8)
        case .sixteen: paintBasic(small, into: &grid, at: painted, count: 16)
        case .indexed: paint(small, into: &grid, at: painted) { .indexed(Palette.indexed($0)) }
        case .trueColour:
            paint(small, into: &grid, at: painted) { .rgb(UInt8(clamping: $0.red), UInt8(clamping: $0.green), UInt8(clamping: $0.blue)) }
        }
        return painted
    }

    private static func paint(_ small: PictureScaling, into grid: inout CellGrid, at place: Area, _ colour: (RGB) -> Colour) {
        for row in 0..<place.rows {
            for column in 0..<place.columns {
                let upper = colour(small.rgb(column, row * 2))
                let lower = colour(small.rgb(column, row * 2 + 1))
                grid.set(upperHalf, column: place.column + column, row: place.row + row, style: Style(upper, on: lower))
            }
        }
    }

    /// With few colours there are few colour pairs: a pair and its reverse are one, and one colour alone needs no background.
    private static func paintBasic(_ small: PictureScaling, into grid: inout CellGrid, at place: Area, count: Int) {
        for row in 0..<place.rows {
            for column in 0..<place.columns {
                let upper = Palette.basic(small.rgb(column, row * 2), count: count)
                let lower = Palette.basic(small.rgb(column, row * 2 + 1), count: count)
                let character = upper == lower ? full : upper > lower ? upperHalf : lowerHalf
                let background = upper == lower ? Colour.standard : Palette.named(min(upper, lower))
                let style = Style(Palette.named(max(upper, lower)), on: background)
                grid.set(character, column: place.column + column, row: place.row + row, style: style)
            }
        }
    }

    private static func paintShades(_ small: PictureScaling, into grid: inout CellGrid, at place: Area) {
        for row in 0..<place.rows {
            for column in 0..<place.columns {
                let light = small.light(column, row * 2) + small.light(column, row * 2 + 1)
                let shade = shades[min(shades.count - 1, light * shades.count / 440)]
                grid.set(shade, column: place.column + column, row: place.row + row, style: Style())
            }
        }
    }
}

extension PictureScaling {
    func rgb(_ x: Int, _ y: Int) -> RGB {
        let at = y * width + x
        return RGB(luma: Int(luma[at]), cb: Int(blue[at]), cr: Int(red[at]))
    }

    /// 0 (black) … 219 (white).
    func light(_ x: Int, _ y: Int) -> Int { min(max(0, Int(luma[y * width + x]) - 16), 219) }
}
