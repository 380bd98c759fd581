import Interface
import Testing

@testable import Screen

@Suite struct TextTests {
    @Test(arguments: [
        ("abc", 3), ("山田", 4), ("e\u{301}", 1), ("한", 2), ("\u{1112}\u{1161}\u{11AB}", 2), ("👍", 2), ("–●◌✕▶", 5), ("\u{1B}[0m", 4), ("ＡＢ", 4),
        ("", 0),
    ])
    func columns(_ text: String, _ expected: Int) {
        #expect(TextWidth.columns(text) == expected)
    }

    @Test(arguments: [("山田太郎", 5, "山田…"), ("山田太郎", 4, "山…"), ("山田太郎", 8, "山田太郎"), ("abcdef", 3, "ab…"), ("abc", 0, ""), ("山", 1, "…")])
    func fit(_ text: String, _ columns: Int, _ expected: String) {
        #expect(TextWidth.fit(text, columns) == expected)
    }

    @Test func controlsNeverReachACell() {
        var grid = CellGrid(columns: 20, rows: 1)
        grid.write("a\u{1B}\u{7}\u{9B}\u{202E}\u{200B}\u{2028}\u{E000}b", column: 0, row: 0, style: Style())
        #expect(grid.line(0) == "a\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}b")
    }

    @Test func overwritingHalfOfAWideCharacterBlanksTheOther() {
        var grid = CellGrid(columns: 6, rows: 1)
        grid.write("山田", column: 0, row: 0, style: Style())
        grid.write("x", column: 1, row: 0, style: Style())
        grid.write("y", column: 2, row: 0, style: Style())
        #expect(grid.line(0) == " xy")
        #expect((0..<6).map { grid[$0, 0].width } == [1, 1, 1, 1, 1, 1])
    }

    @Test func aWideCharacterIsNotWrittenByHalf() {
        var grid = CellGrid(columns: 3, rows: 1)
        #expect(grid.write("a山田", column: 0, row: 0, style: Style()) == 3)
        #expect(grid.line(0) == "a山")
        var narrow = CellGrid(columns: 2, rows: 1)
        #expect(narrow.write("a山", column: 0, row: 0, style: Style()) == 1)
    }

    @Test(arguments: [
        (Double?.none, "–"), (0, "0.0"), (0.04, "0.0"), (-0.04, "0.0"), (12.34, "12.3"), (99.96, "100"), (-20.14, "−20.1"), (.nan, "–"),
        (.infinity, "–"), (1e300, "–"),
    ])
    func decimals(_ value: Double?, _ expected: String) {
        #expect(Format.decimal(value) == expected)
    }

    @Test func unknownIsNotZero() {
        #expect(Format.count(nil) == "–")
        #expect(Format.percent(nil, of: 5) == "–")
        #expect(Format.percent(1, of: 0) == "–")
        #expect(Format.milliseconds(nil) == "–")
        #expect(Format.bar(nil, columns: 4) == "····")
        #expect(Format.bar(-127, columns: 4) == "····")
        #expect(Format.bar(0, columns: 4) == "████")
    }

    @Test func timers() {
        #expect(Format.duration(seconds: 12) == "00:12")
        #expect(Format.duration(seconds: 3723) == "1:02:03")
        #expect(Format.duration(from: WallTime(milliseconds: 5000), to: WallTime(milliseconds: 1000)) == "00:00")
        #expect(Format.duration(from: WallTime(milliseconds: .min), to: WallTime(milliseconds: .max)) == "00:00")
        #expect(Format.localMinute(WallTime(milliseconds: 0), utcOffsetSeconds: 3600) == "1970-01-01 01:00")
        #expect(Format.localMinute(WallTime(milliseconds: .max), utcOffsetSeconds: .max).count == 16)
    }

    @Test func aNewCallTakesNoCursorFromALongLine() {
        var model = Model(columns: 60, rows: 16)
        for character in String(repeating: "山a", count: 100) { _ = update(&model, .key(.character(character))) }
        let grid = render(model)
        #expect(grid.cursor?.column == 59)
        for _ in 0..<200 { _ = update(&model, .key(.left)) }
        #expect(render(model).cursor?.column == 7)
    }
}
