import Barcode
import Testing

@Suite struct QRCodeTests {
    static let link = "https://192.168.100.100:8089/AbCdEfGhIjKlMnOpQrStUv"

    /// The finder pattern in three corners, the timing patterns between them and the dark module (ISO/IEC 18004 §6.3).
    @Test func hasThePatternsOfACode() throws {
        let code = try #require(QRCode(Self.link))
        #expect(code.size == 29)
        let finder = [
            "#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######",
        ].map { $0.map { $0 == "#" } }
        for (left, top) in [(0, 0), (code.size - 7, 0), (0, code.size - 7)] {
            for row in 0..<7 { for column in 0..<7 { #expect(code[left + column, top + row] == finder[row][column]) } }
        }
        for index in 8..<(code.size - 8) {
            #expect(code[index, 6] == (index % 2 == 0))
            #expect(code[6, index] == (index % 2 == 0))
        }
        #expect(code[8, code.size - 8])
    }

    /// Two texts of the same length differ, in the data and not in the patterns only.
    @Test func theTextCounts() throws {
        let other = try #require(QRCode(String(Self.link.dropLast()) + "w"))
        let code = try #require(QRCode(Self.link))
        #expect(other.size == code.size && other != code)
    }

    @Test func linesShowEveryModule() throws {
        let code = try #require(QRCode(Self.link))
        for zone in [2, 4] {
            let lines = code.lines(quietZone: zone).map(Array.init)
            #expect(lines.count == (code.size + 2 * zone + 1) / 2)
            #expect(lines.allSatisfy { $0.count == code.size + 2 * zone })
            for row in -zone..<(code.size + zone) {
                for column in -zone..<(code.size + zone) {
                    let character = lines[(row + zone) / 2][column + zone]
                    let isDark = character == "█" || character == ((row + zone) % 2 == 0 ? "▀" : "▄")
                    #expect(isDark == code[column, row])
                }
            }
        }
    }

    @Test func whatCannotBeACode() {
        #expect(QRCode("") == nil)
        #expect(QRCode(String(repeating: "x", count: QRCode.maximumBytes + 1)) == nil)
        #expect(QRCode(String(repeating: "x", count: QRCode.maximumBytes))?.size == 177)
    }
}
