import Codecs
import Core
import Foundation
import TestPicture
import Testing

@testable import Screen

/// Known pictures as cells, colours included. `SIDETONE_RECORD=1` writes the files anew.
@Suite struct PictureGoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

    private static func name(_ colour: Colour) -> String {
        switch colour {
        case .standard: "-"
        case .indexed(let index): "\(index)"
        case .rgb(let red, let green, let blue): [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        default: "\(colour)"
        }
    }

    /// A line a row: neighbouring cells that look the same are one, "12×▀ 196/21".
    private static func text(_ grid: CellGrid) -> String {
        var out = ""
        for row in 0..<grid.rows {
            var runs: [String] = []
            var column = 0
            while column < grid.columns {
                let cell = grid[column, row]
                var end = column + 1
                while end < grid.columns, grid[end, row] == cell { end += 1 }
                runs.append("\(end - column)×\(cell.text == " " ? "␣" : cell.text) \(name(cell.style.foreground))/\(name(cell.style.background))")
                column = end
            }
            out += runs.joined(separator: ", ") + "\n"
        }
        return out
    }

    private func check(_ picture: VideoPicture, _ name: String, columns: Int, rows: Int) throws {
        let isRecording = ProcessInfo.processInfo.environment["SIDETONE_RECORD"] == "1"
        for colours in PictureColours.allCases {
            var grid = CellGrid(columns: columns, rows: rows)
            let area = PictureCells.Area(column: 0, row: 0, columns: columns, rows: rows)
            PictureCells.draw(picture, into: &grid, area: area, colours: colours)
            let text = Self.text(grid)
            let file = Self.folder.appendingPathComponent("picture-\(name)-\(colours.rawValue).txt")
            if isRecording { try text.write(to: file, atomically: true, encoding: .utf8) }
            #expect(try text == String(contentsOf: file, encoding: .utf8), "\(file.lastPathComponent)")
        }
    }

    @Test func colourBars() throws { try check(Pictures.colourBars(320, 200), "bars", columns: 40, rows: 12) }

    /// The sixth frame of the fixture, which is not a key frame, as libvpx decodes it.
    @Test func aDecodedFrame() throws {
        let decoder = try VP8Decoder()
        for frame in try Fixtures.walk().prefix(6) { try decoder.decode(frame) }
        try check(#require(decoder.takePicture()), "vp8", columns: 40, rows: 14)
    }
}
