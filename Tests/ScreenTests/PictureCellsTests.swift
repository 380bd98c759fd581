import Core
import TestPicture
import Testing

@testable import Screen

@Suite struct PictureCellsTests {
    private func grid(_ picture: VideoPicture, _ columns: Int, _ rows: Int, _ colours: PictureColours = .trueColour) -> (CellGrid, PictureCells.Area?)
    {
        var grid = CellGrid(columns: columns, rows: rows)
        let area = PictureCells.Area(column: 0, row: 0, columns: columns, rows: rows)
        let painted = PictureCells.draw(picture, into: &grid, area: area, colours: colours)
        return (grid, painted)
    }

    @Test func theUpperPixelIsTheForeground() {
        let picture = Pictures.make(2, 2) { _, y in y == 0 ? (235, 128, 128) : (16, 128, 128) }
        let (grid, painted) = grid(picture, 2, 1)
        #expect(painted == PictureCells.Area(column: 0, row: 0, columns: 2, rows: 1))
        #expect(grid[0, 0] == Cell(text: "▀", style: Style(.rgb(255, 255, 255), on: .rgb(0, 0, 0))))
        #expect(grid[1, 0] == grid[0, 0])
    }

    /// BT.601 in limited range, within what 8 bits can say.
    @Test func theColoursAreTheBars() {
        for (index, bar) in Pictures.bars.enumerated() {
            let colour = RGB(luma: Int(bar.y), cb: Int(bar.blue), cr: Int(bar.red))
            let wanted = Pictures.barColours[index]
            #expect(abs(colour.red - Int(wanted.red)) <= 2 && abs(colour.green - Int(wanted.green)) <= 2 && abs(colour.blue - Int(wanted.blue)) <= 2)
        }
        #expect(RGB(luma: 0, cb: 0, cr: 0) == RGB(0, 135, 0))
        #expect(RGB(luma: 255, cb: 255, cr: 255) == RGB(255, 125, 255))
    }

    /// Cells are twice as high as wide: 4:3 in 80 × 24 is 64 wide, and stands in the middle.
    @Test(arguments: [
        (640, 480, 80, 24, 8, 0, 64, 24), (640, 480, 60, 40, 0, 8, 60, 23), (1280, 720, 80, 24, 0, 0, 80, 23), (480, 640, 80, 24, 22, 0, 36, 24),
        (10, 1000, 40, 10, 19, 0, 1, 10), (1000, 10, 40, 10, 0, 4, 40, 1), (1, 1, 7, 3, 0, 0, 6, 3), (1920, 1200, 1, 1, 0, 0, 1, 1),
    ])
    func theShapeIsKept(width: Int, height: Int, columns: Int, rows: Int, left: Int, top: Int, wide: Int, high: Int) {
        let (grid, painted) = grid(Pictures.flat(width, height, y: 235), columns, rows)
        #expect(painted == PictureCells.Area(column: left, row: top, columns: wide, rows: high))
        var wrong = 0
        for row in 0..<rows {
            for column in 0..<columns {
                let isInside = column >= left && column < left + wide && row >= top && row < top + high
                if (grid[column, row].text == "▀") != isInside { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test func everyPixelCountsInTheAverage() {
        // One white pixel in a box of 8 × 8 of black: its part of the light.
        for place in [(0, 0), (7, 7), (3, 5)] {
            let picture = Pictures.make(8, 16) { x, y in (x, y) == place ? (208, 128, 128) : (16, 128, 128) }
            let small = PictureScaling(picture, width: 1, height: 2)
            #expect(small.luma == [19, 16])
        }
        let ramp = Pictures.make(6, 2) { x, _ in (UInt8(x * 10), 128, 128) }
        #expect(PictureScaling(ramp, width: 3, height: 1).luma == [5, 25, 45])
        #expect(PictureScaling(ramp, width: 4, height: 1).luma == [0, 15, 30, 45])
        #expect(PictureScaling(ramp, width: 12, height: 2).luma.prefix(12) == [0, 0, 10, 10, 20, 20, 30, 30, 40, 40, 50, 50])
    }

    /// Against a search through all 240 colours.
    @Test func theNearestOfThePaletteIsTaken() {
        let palette = (16...255).map { index -> RGB in
            if index >= 232 { return RGB(8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232)) }
            let levels = [0, 95, 135, 175, 215, 255]
            return RGB(levels[(index - 16) / 36], levels[(index - 16) / 6 % 6], levels[(index - 16) % 6])
        }
        var wrong: [RGB] = []
        for red in stride(from: 0, through: 255, by: 15) {
            for green in stride(from: 0, through: 255, by: 15) {
                for blue in stride(from: 0, through: 255, by: 15) {
                    let colour = RGB(red, green, blue)
                    let best = palette.map { colour.distance(to: $0) }.min()
                    if colour.distance(to: palette[Int(Palette.indexed(colour)) - 16]) != best { wrong.append(colour) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func aGreyIsAGrey() {
        for level in stride(from: 16, through: 235, by: 3) {
            let index = Palette.indexed(RGB(luma: level, cb: 128, cr: 128))
            let isGreyOfTheCube = [16, 59, 102, 145, 188, 231].contains(index)
            #expect(index >= 232 || isGreyOfTheCube)
        }
    }

    /// One pair and its reverse are one: 8 colours need 28 pairs and 8 more for one colour alone, of the 63 there are.
    @Test func fewColoursNeedFewPairs() {
        let random = RandomSource(seed: 3)
        let noise = Pictures.make(160, 96) { _, _ in
            (UInt8(truncatingIfNeeded: random.next()), UInt8(truncatingIfNeeded: random.next()), UInt8(truncatingIfNeeded: random.next()))
        }
        let (grid, _) = grid(noise, 160, 48, .eight)
        #expect(Set(grid.cells.map(\.style)).count <= 36)
        #expect(grid.cells.allSatisfy { ["▀", "▄", "█"].contains($0.text) })
        let halves = Pictures.make(2, 2) { _, y in Pictures.bars[y == 0 ? 6 : 5] }
        let upside = Pictures.make(2, 2) { _, y in Pictures.bars[y == 0 ? 5 : 6] }
        // Chroma is one for the four pixels: the two differ in light alone.
        #expect(self.grid(halves, 1, 1, .eight).0.cells.count == self.grid(upside, 1, 1, .eight).0.cells.count)
    }

    @Test func whatATerminalCanShow() {
        #expect(PictureColours.fitting(colours: 256, pairs: 65536, isDirect: false) == .indexed)
        #expect(PictureColours.fitting(colours: 1 << 24, pairs: 65536, isDirect: true) == .trueColour)
        #expect(PictureColours.fitting(colours: 256, pairs: 256, isDirect: false) == .sixteen)
        #expect(PictureColours.fitting(colours: 8, pairs: 64, isDirect: false) == .eight)
        #expect(PictureColours.fitting(colours: 0, pairs: 0, isDirect: false) == .monochrome)
        #expect(PictureColours.fitting(colours: 256, pairs: 65536, isDirect: true, noColour: true) == .monochrome)
    }

    @Test func shadesGrowWithTheLight() {
        let ramp = Pictures.make(50, 2) { x, _ in (UInt8(16 + x * 219 / 49), 90, 200) }
        let (grid, _) = grid(ramp, 50, 1, .monochrome)
        let order = [" ", "░", "▒", "▓", "█"]
        let places = grid.cells.map { order.firstIndex(of: $0.text) ?? -1 }
        #expect(places == places.sorted())
        #expect(Set(places) == [0, 1, 2, 3, 4])
        #expect(grid.cells.allSatisfy { $0.style == Style() })
    }

    @Test func areasBeyondTheGridAreCut() {
        let random = RandomSource(seed: 9)
        let picture = Pictures.colourBars(32, 20)
        for _ in 0..<500 {
            var grid = CellGrid(columns: 1 + Int(random.next() % 30), rows: 1 + Int(random.next() % 12))
            let area = PictureCells.Area(
                column: Int(random.next() % 40) - 5, row: Int(random.next() % 20) - 5, columns: Int(random.next() % 60) - 10,
                rows: Int(random.next() % 30) - 5)
            let painted = PictureCells.draw(picture, into: &grid, area: area, colours: .indexed)
            guard let painted else { continue }
            #expect(
                painted.column >= 0 && painted.row >= 0 && painted.column + painted.columns <= grid.columns && painted.row + painted.rows <= grid.rows
            )
            #expect(grid.cells.count { $0.text == "▀" } == painted.columns * painted.rows)
        }
    }
}
