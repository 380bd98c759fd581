import Interface

/// Numbers and times as people read them. What is not known is "–".
enum Format {
    static let unknown = "–"

    /// One decimal under 100, none above; "–" for nil and what is no number.
    static func decimal(_ value: Double?) -> String {
        guard let value, value.isFinite, abs(value) < 1e9 else { return unknown }
        let sign = value < 0 ? "−" : ""
        if abs(value) >= 99.95 { return sign + String(Int(abs(value).rounded())) }
        let tenths = Int((abs(value) * 10).rounded())
        return (tenths == 0 ? "" : sign) + "\(tenths / 10).\(tenths % 10)"
    }

    static func milliseconds(_ value: Double?) -> String {
        let text = decimal(value)
        return text == unknown ? unknown : text + " ms"
    }

    /// "15/s".
    static func frameRate(_ value: Double?) -> String {
        guard let value, value.isFinite, value >= 0, value < 1e6 else { return unknown }
        return "\(Int(value.rounded()))/s"
    }

    /// "420 kbit/s", "1.2 Mbit/s".
    static func bitrate(_ value: Double?) -> String {
        guard let value, value.isFinite, value >= 0, value < 1e12 else { return unknown }
        return value < 999_500 ? "\(Int((value / 1000).rounded())) kbit/s" : decimal(value / 1_000_000) + " Mbit/s"
    }

    static func count(_ value: Int?) -> String {
        guard let value else { return unknown }
        return value < 0 ? "−\(value.magnitude)" : String(value)
    }

    /// Part of a whole in percent; "–" without a whole.
    static func percent(_ part: Int?, of whole: Int?) -> String {
        guard let part, let whole, whole > 0 else { return unknown }
        return decimal(Double(part) * 100 / Double(whole)) + " %"
    }

    /// "00:12", "1:02:03".
    static func duration(seconds: Int) -> String {
        let s = max(0, seconds)
        let tail = "\(two(s / 60 % 60)):\(two(s % 60))"
        return s >= 3600 ? "\(s / 3600):\(tail)" : tail
    }

    static func duration(from start: WallTime, to end: WallTime) -> String {
        let (difference, overflow) = end.milliseconds.subtractingReportingOverflow(start.milliseconds)
        return duration(seconds: overflow ? 0 : Int(difference / 1000))
    }

    /// "2026-11-23 08:02" in local time.
    static func localMinute(_ time: WallTime, utcOffsetSeconds: Int) -> String {
        let limit: Int64 = 253_402_300_799_000
        let shifted = min(max(0, time.milliseconds), limit) &+ Int64(clamping: utcOffsetSeconds).multipliedReportingOverflow(by: 1000).partialValue
        let text = WallTime(milliseconds: min(max(0, shifted), limit)).description
        return text.prefix(10) + " " + text.dropFirst(11).prefix(5)
    }

    static func two(_ n: Int) -> String { n < 10 ? "0\(n)" : String(n) }

    /// A level in dBov as a bar over −60 … 0.
    static func bar(_ level: Double?, columns: Int) -> String {
        guard let level, level.isFinite else { return String(repeating: "·", count: columns) }
        let part = min(max(0, (level + 60) / 60), 1)
        let halves = Int((part * Double(columns * 2)).rounded())
        let full = String(repeating: "█", count: halves / 2) + (halves % 2 == 1 ? "▌" : "")
        return full + String(repeating: "·", count: max(0, columns - halves / 2 - halves % 2))
    }

    /// "DTLS 1.2" for "FEFD".
    static func dtlsVersion(_ hexadecimal: String?) -> String {
        switch hexadecimal?.uppercased() {
        case nil: unknown
        case "FEFF": "DTLS 1.0"
        case "FEFD": "DTLS 1.2"
        case "FEFC": "DTLS 1.3"
        case let other?: other
        }
    }

    /// "192.0.2.1:40000", "[2001:db8::1]:40000".
    static func address(_ candidate: CandidateDescription) -> String {
        candidate.address.contains(":") ? "[\(candidate.address)]:\(candidate.port)" : "\(candidate.address):\(candidate.port)"
    }

    static func candidate(_ candidate: CandidateDescription) -> String {
        candidate.candidateType + " " + address(candidate) + (candidate.protocol == "udp" ? "" : " " + candidate.protocol)
    }
}
