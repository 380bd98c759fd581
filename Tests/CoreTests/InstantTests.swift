import Core
import Testing

struct InstantTests {
    struct Sum: Sendable {
        var start: UInt64
        var duration: Duration
        var sum: UInt64
    }

    @Test(arguments: [
        Sum(start: 0, duration: .zero, sum: 0),
        Sum(start: 5, duration: .nanoseconds(7), sum: 12),
        Sum(start: 5, duration: .milliseconds(3), sum: 3_000_005),
        Sum(start: 5, duration: .nanoseconds(-5), sum: 0),
        Sum(start: 5, duration: .nanoseconds(-6), sum: 0),
        Sum(start: 0, duration: .seconds(-1), sum: 0),
        Sum(start: .max, duration: .nanoseconds(1), sum: .max),
        Sum(start: .max - 1, duration: .nanoseconds(1), sum: .max),
        Sum(start: .max, duration: .nanoseconds(-1), sum: .max - 1),
        // 292 years and more are clamped, not trapped on.
        Sum(start: 1, duration: .seconds(Int64.max), sum: UInt64(Int64.max) + 1),
        Sum(start: .max, duration: .seconds(Int64.max), sum: .max),
        Sum(start: 9, duration: .seconds(Int64.min), sum: 0),
    ])
    func additionSaturates(_ example: Sum) {
        #expect((Instant(nanoseconds: example.start) + example.duration).nanoseconds == example.sum)
        var moved = Instant(nanoseconds: example.start)
        moved += example.duration
        #expect(moved.nanoseconds == example.sum)
    }

    @Test(
        arguments: [
            (10, .nanoseconds(3), 7), (3, .nanoseconds(10), 0), (.max, .nanoseconds(-1), .max), (3, .nanoseconds(-4), 7),
        ] as [(UInt64, Duration, UInt64)])
    func subtractionOfADurationSaturates(start: UInt64, duration: Duration, difference: UInt64) {
        #expect((Instant(nanoseconds: start) - duration).nanoseconds == difference)
    }

    @Test(
        arguments: [
            (10, 4, 6), (4, 10, -6), (7, 7, 0), (.max, 0, .max), (0, .max, -9_223_372_036_854_775_807), (.max, .max - 1, 1),
        ] as [(UInt64, UInt64, Int64)])
    func distance(a: UInt64, b: UInt64, nanoseconds: Int64) {
        #expect(Instant(nanoseconds: a) - Instant(nanoseconds: b) == .nanoseconds(nanoseconds))
    }

    @Test func comparesAndMeasures() {
        let early = Instant(nanoseconds: 1_000_000)
        let late = Instant(nanoseconds: 3_500_000)
        #expect(early < late)
        #expect(late.milliseconds(since: early) == 2.5)
        #expect(early.milliseconds(since: late) == -2.5)
        #expect(Instant.zero < early && late < Instant.distantFuture)
        #expect(Instant(nanoseconds: 1_500_000_000).description == "1.5s")
    }

    static let totals: [(Duration, Int64)] = [
        (.seconds(2), 2_000_000_000), (.milliseconds(-3), -3_000_000), (.nanoseconds(1), 1), (.zero, 0),
        (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
        (Duration(secondsComponent: 9_223_372_036, attosecondsComponent: 854_775_807_000_000_000), .max),
        (Duration(secondsComponent: 9_223_372_036, attosecondsComponent: 854_775_808_000_000_000), .max),
        (Duration(secondsComponent: -9_223_372_036, attosecondsComponent: -854_775_808_000_000_000), .min),
        (Duration(secondsComponent: -9_223_372_036, attosecondsComponent: -854_775_809_000_000_000), .min),
    ]

    @Test(arguments: totals)
    func wholeNanoseconds(duration: Duration, nanoseconds: Int64) {
        #expect(duration.totalNanoseconds == nanoseconds)
    }

    @Test func fractions() {
        #expect(Duration.microseconds(1500).milliseconds == 1.5)
        #expect(Duration.milliseconds(-250).inSeconds == -0.25)
    }

    @Test func earliestOfTwoOptionals() {
        let a = Instant(nanoseconds: 1)
        let b = Instant(nanoseconds: 2)
        #expect(earliest(a, b) == a)
        #expect(earliest(b, a) == a)
        #expect(earliest(nil, b) == b)
        #expect(earliest(a, nil) == a)
        #expect(earliest(nil, nil) == nil)
    }
}
