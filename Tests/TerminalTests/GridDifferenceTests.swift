import Screen
import Testing

@testable import Terminal

@Suite struct GridDifferenceTests {
    private func grid(_ lines: [String], columns: Int = 10) -> CellGrid {
        var grid = CellGrid(columns: columns, rows: lines.count)
        for (row, line) in lines.enumerated() { grid.write(line, column: 0, row: row, style: Style()) }
        return grid
    }

    @Test func theFirstPictureIsWrittenWhole() {
        let new = grid(["abc", ""])
        let runs = GridDifference.runs(from: nil, to: new)
        #expect(runs == [.init(row: 0, columns: 0..<10), .init(row: 1, columns: 0..<10)])
        #expect(GridDifference.runs(from: grid(["abc"]), to: new) == runs)
    }

    @Test func theSamePictureWritesNothing() {
        #expect(GridDifference.runs(from: grid(["abc"]), to: grid(["abc"])).isEmpty)
    }

    @Test func onlyChangedCellsAreWritten() {
        let runs = GridDifference.runs(from: grid(["abcdef", "same"]), to: grid(["aXcdYZ", "same"]))
        #expect(runs == [.init(row: 0, columns: 1..<2), .init(row: 0, columns: 4..<6)])
    }

    @Test func aChangedStyleIsAChange() {
        var new = grid(["abc"])
        new.write("b", column: 1, row: 0, style: Style(.red))
        #expect(GridDifference.runs(from: grid(["abc"]), to: new) == [.init(row: 0, columns: 1..<2)])
    }

    @Test func wideCharactersAreWrittenWhole() {
        #expect(GridDifference.runs(from: grid(["山b"]), to: grid(["田b"])) == [.init(row: 0, columns: 0..<2)])
        #expect(GridDifference.runs(from: grid(["a b"]), to: grid(["山b"])) == [.init(row: 0, columns: 0..<2)])
        #expect(GridDifference.runs(from: grid(["山b"]), to: grid(["xyb"])) == [.init(row: 0, columns: 0..<2)])
        #expect(GridDifference.runs(from: grid(["山山"]), to: grid(["a山"])) == [.init(row: 0, columns: 0..<4)])
    }
}
