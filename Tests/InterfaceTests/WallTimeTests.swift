import Foundation
import Interface
import Testing

struct WallTimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"), (-1000, "1969-12-31T23:59:59.000Z"),
            (-1001, "1969-12-31T23:59:58.999Z"), (86_399_999, "1970-01-01T23:59:59.999Z"), (86_400_000, "1970-01-02T00:00:00.000Z"),
            (-86_400_000, "1969-12-31T00:00:00.000Z"), (-86_400_001, "1969-12-30T23:59:59.999Z"),
            // 2000 and 2024 have a 29 February, 1900 and 2100 have none.
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (-2_203_891_200_001, "1900-02-28T23:59:59.999Z"), (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"), (1_735_689_600_000, "2025-01-01T00:00:00.000Z"),
            (1_795_420_931_123, "2026-11-23T08:02:11.123Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func text(milliseconds: Int64, text: String) {
        #expect(WallTime(milliseconds: milliseconds).description == text)
    }

    /// Every 37th day from 1600 to 2400 against Foundation's Gregorian calendar.
    @Test func agreesWithTheCalendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        var wrong: [Int64] = []
        for day in stride(from: Int64(-135_140), through: 157_054, by: 37) {
            let parts = calendar.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            let expected = String(format: "%04d-%02d-%02dT", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
            if !WallTime(milliseconds: day * 86_400_000).description.hasPrefix(expected) { wrong.append(day) }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: [Int64.min, .min + 1, .max])
    func theEndsOfTimeDoNotTrap(milliseconds: Int64) {
        #expect(WallTime(milliseconds: milliseconds).description.hasSuffix("Z"))
    }

    @Test func order() {
        #expect(WallTime(milliseconds: -1) < WallTime(milliseconds: 0))
        #expect(WallTime(milliseconds: 2) > WallTime(milliseconds: 1))
    }
}
