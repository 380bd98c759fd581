/// The body of an INFO with a digit: `Signal=5`, `Duration=160` in lines, or the digit alone.
struct DTMFRelay: Equatable, Sendable {
    var digit: Character
    /// 1…8000 ms; 160 when not given.
    var durationMs: Int

    /// nil when there is no digit of 0–9, *, #, A–D.
    init?(_ body: [UInt8]) {
        var signal: Substring?
        var duration = 160
        let text = String(decoding: body.prefix(256), as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            let name = parts.first.map { $0.filter { !$0.isWhitespace }.lowercased() } ?? ""
            guard parts.count == 2 else {
                if signal == nil { signal = line }
                continue
            }
            let value = parts[1].filter { !$0.isWhitespace }
            if name == "signal" { signal = value[...] }
            if name == "duration", let number = Int(value) { duration = min(max(number, 1), 8000) }
        }
        switch signal?.filter({ !$0.isWhitespace }).uppercased() {
        case "10": digit = "*"
        case "11": digit = "#"
        case let text? where text.count == 1:
            guard let first = text.first, "0123456789*#ABCD".contains(first) else { return nil }
            digit = first
        default: return nil
        }
        durationMs = duration
    }
}
