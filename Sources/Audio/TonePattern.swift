/// A cadence of tones as data: a list of steps that repeats.
public struct TonePattern: Sendable, Equatable {
    public struct Step: Sendable, Equatable {
        /// Hertz, sounded together; empty is a pause.
        public var frequencies: [Double]
        public var milliseconds: Int

        public init(_ frequencies: [Double], milliseconds: Int) {
            self.frequencies = frequencies
            self.milliseconds = milliseconds
        }
    }

    public var steps: [Step]

    public init(steps: [Step]) { self.steps = steps }

    /// An incoming call: two tones in turn, twice, then a pause.
    public static let ring = TonePattern(steps: [
        Step([660], milliseconds: 250), Step([880], milliseconds: 250), Step([660], milliseconds: 250), Step([880], milliseconds: 250),
        Step([], milliseconds: 2000),
    ])
    /// An outgoing call rings at the far end (ITU-T E.180: 425 Hz, 1 s in 5 s).
    public static let ringback = TonePattern(steps: [Step([425], milliseconds: 1000), Step([], milliseconds: 4000)])
    /// Busy (ITU-T E.180: 425 Hz, 0.5 s in 1 s).
    public static let busy = TonePattern(steps: [Step([425], milliseconds: 500), Step([], milliseconds: 500)])
    /// Congestion: the call failed (ITU-T E.180: 425 Hz, 0.25 s in 0.5 s).
    public static let failure = TonePattern(steps: [Step([425], milliseconds: 250), Step([], milliseconds: 250)])

    /// From "660/250 880/250 425+450/100 0/2000": hertz, joined by `+`, and milliseconds of each step; 0 Hz is a pause.
    public init?(_ text: some StringProtocol) {
        var steps: [Step] = []
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            let parts = word.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let milliseconds = Int(parts[1]), (10...60000).contains(milliseconds) else { return nil }
            var frequencies: [Double] = []
            for part in parts[0].split(separator: "+", omittingEmptySubsequences: false) {
                guard let hertz = Double(part), hertz >= 0, hertz <= 20000 else { return nil }
                if hertz > 0 { frequencies.append(hertz) }
            }
            guard frequencies.count <= 4 else { return nil }
            steps.append(Step(frequencies, milliseconds: milliseconds))
        }
        guard !steps.isEmpty, steps.count <= 64 else { return nil }
        self.steps = steps
    }

    /// Lines of "name = steps"; `#` begins a comment. Nil when a line cannot be read.
    public static func table(_ text: String) -> [String: TonePattern]? {
        var table: [String: TonePattern] = [:]
        for line in text.split(separator: "\n") {
            let content = line.prefix { $0 != "#" }
            if content.allSatisfy(\.isWhitespace) { continue }
            let parts = content.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let pattern = TonePattern(parts[1]) else { return nil }
            table[String(parts[0].filter { !$0.isWhitespace })] = pattern
        }
        return table
    }
}
