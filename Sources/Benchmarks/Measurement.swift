import Glibc

/// The CPU time of each round of one body, in nanoseconds for one item.
struct Measurement {
    var rounds: [Double]

    var least: Double { rounds.min() ?? 0 }
    var median: Double { Self.median(rounds) }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The median of the ratios of neighbouring rounds.
    func ratio(to other: Measurement) -> Double { Self.median(zip(rounds, other.rounds).map { $0 / max($1, 1e-9) }) }
}

enum Measure {
    /// CPU nanoseconds of this thread.
    static func cpu() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t)
        return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
    }

    /// Runs the bodies in turns: A B A B …; the first turn of each only warms up.
    /// - Parameter items: how many items one run of a body does.
    static func turns(rounds: Int, items: Int, _ bodies: [() throws -> Void]) throws -> [Measurement] {
        var out = bodies.map { _ in Measurement(rounds: []) }
        for round in 0...rounds {
            for (index, body) in bodies.enumerated() {
                let start = cpu()
                try body()
                let spent = cpu() &- start
                if round > 0 { out[index].rounds.append(Double(spent) / Double(max(1, items))) }
            }
        }
        return out
    }

    static func alone(rounds: Int = 9, items: Int, _ body: () throws -> Void) throws -> Measurement {
        try withoutActuallyEscaping(body) { try turns(rounds: rounds, items: items, [$0])[0] }
    }
}

/// Keeps the optimiser from leaving out what is measured.
@inline(never) func keep<Value>(_ value: Value) {}

enum Report {
    static func head(_ text: String) { print("\n\(text)") }

    /// "  name   1.23 µs (least 1.20)   812 345 /s"
    static func line(_ name: String, _ measured: Measurement, rate unit: String? = nil, note: String = "") {
        var text = "  \(pad(name, 44)) \(padLeft(time(measured.median), 10))  least \(padLeft(time(measured.least), 10))"
        if let unit { text += "  \(padLeft(grouped(1e9 / max(measured.median, 1e-9)), 10)) \(unit)/s" }
        print(note.isEmpty ? text : text + "  " + note)
    }

    static func compare(_ name: String, _ ours: Measurement, _ bare: Measurement, bareName: String) {
        line(name, ours)
        line("  \(bareName) alone", bare)
        print("    ratio of least times \(fixed(ours.least / max(bare.least, 1e-9), 3)), median of ratios \(fixed(ours.ratio(to: bare), 3))")
    }

    static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1000: "\(fixed(nanoseconds, 1)) ns"
        case ..<1_000_000: "\(fixed(nanoseconds / 1000, 2)) µs"
        default: "\(fixed(nanoseconds / 1_000_000, 3)) ms"
        }
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        guard let whole = Int(exactly: (value * scale).rounded()) else { return "\(value)" }
        let text = String(abs(whole))
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        let sign = whole < 0 ? "-" : ""
        return digits == 0 ? sign + padded : "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    static func grouped(_ value: Double) -> String {
        var rest = Substring(fixed(value, 0))
        var parts: [Substring] = []
        while rest.count > 3 {
            parts.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        return ([rest] + parts).joined(separator: " ")
    }

    static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
    static func padLeft(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
}
