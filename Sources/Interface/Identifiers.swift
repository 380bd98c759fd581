/// A call's id, stable for the process; the `call` field of JSON.
public struct CallID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var number: Int
    public init(_ number: Int) { self.number = number }
    public init?(_ text: some StringProtocol) {
        guard let n = Int(text), n > 0 else { return nil }
        number = n
    }
    public static func < (a: CallID, b: CallID) -> Bool { a.number < b.number }
    public var description: String { String(number) }
}

/// The name of an account: its address of record, or the table's name in the configuration.
public struct AccountID: Hashable, Sendable, CustomStringConvertible {
    public var name: String
    public init(_ name: String) { self.name = name }
    public var description: String { name }
}

/// Wall-clock time, milliseconds since 1970 UTC. Only for people and JSON; machines use `Instant`.
public struct WallTime: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var milliseconds: Int64
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    public static func < (a: WallTime, b: WallTime) -> Bool { a.milliseconds < b.milliseconds }

    /// ISO 8601 in UTC with milliseconds: "2026-11-23T08:02:11.123Z".
    public var description: String {
        let (seconds, ms) = WallTime.floored(milliseconds, by: 1000)
        let (days, second) = WallTime.floored(seconds, by: 86400)
        let (y, m, d) = civil(days: days)
        func pad(_ n: Int64, _ width: Int) -> String {
            let s = String(n)
            return String(repeating: "0", count: max(0, width - s.utf8.count)) + s
        }
        return "\(pad(y, 4))-\(pad(m, 2))-\(pad(d, 2))T\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2)).\(pad(ms, 3))Z"
    }

    /// Quotient and remainder, rounded toward the past: the remainder is never negative.
    private static func floored(_ n: Int64, by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = n.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Days since 1970-01-01 to year, month, day of the proleptic Gregorian calendar.
    private func civil(days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
