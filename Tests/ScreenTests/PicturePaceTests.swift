import Core
import Testing

@testable import Screen

@Suite struct PicturePaceTests {
    private func at(_ milliseconds: Double) -> Instant { Instant(nanoseconds: UInt64(milliseconds * 1_000_000)) }

    /// Draws whenever it may, for ten seconds.
    private func pictures(taking cost: Double) -> (count: Int, pace: PicturePace) {
        var pace = PicturePace()
        var now = Instant.zero
        var count = 0
        while now < at(10_000) {
            now = max(now, pace.due)
            let end = now + .nanoseconds(Int64(cost * 1_000_000))
            pace.drew(from: now, to: end)
            now = end
            count += 1
        }
        return (count, pace)
    }

    @Test func aQuickTerminalGetsFifteenASecond() { #expect((149...151).contains(pictures(taking: 1).count)) }

    @Test func aSlowTerminalGetsFive() { #expect((49...51).contains(pictures(taking: 100).count)) }

    @Test func betweenThemDrawingTakesAThirdOfTheTime() { #expect((99...101).contains(pictures(taking: 33.3).count)) }

    /// A picture that takes a second still leaves room for keys.
    @Test func theRestIsNeverStarved() {
        var pace = PicturePace()
        pace.drew(from: at(0), to: at(1000))
        #expect(pace.due == at(1020))
        #expect(pace.rate == 5)
    }

    @Test func itSlowsAtOnceAndRecoversSlowly() {
        var pace = pictures(taking: 1).pace
        pace.drew(from: at(20_000), to: at(20_080))
        #expect(pace.interval == PicturePace.longestInterval)
        pace.drew(from: at(21_000), to: at(21_001))
        #expect(pace.interval == PicturePace.longestInterval)
        for second in 22..<60 { pace.drew(from: at(Double(second) * 1000), to: at(Double(second) * 1000 + 1)) }
        #expect(pace.interval == PicturePace.shortestInterval)
    }

    /// A clock that runs backwards is no reason to stop.
    @Test func aClockThatRunsBackwardsCostsNothing() {
        var pace = PicturePace()
        pace.drew(from: at(500), to: at(400))
        #expect(pace.due == at(500) + PicturePace.shortestInterval)
    }
}
