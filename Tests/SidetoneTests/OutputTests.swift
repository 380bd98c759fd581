import Glibc
import Interface
import Testing

@testable import sidetone

@Suite struct OutputTests {
    private let time = WallTime(milliseconds: 1_795_420_931_123)
    private func warning() -> TimedEvent { TimedEvent(time: time, event: .notice(.warning, code: "x-y", message: "careful", call: nil)) }
    private func state() -> TimedEvent { TimedEvent(time: time, event: .callState(CallID(1), .ringing, heldBy: nil, reason: nil)) }

    private func lines(json: Bool, _ log: LogSettings = LogSettings(), _ events: TimedEvent...) -> [String] {
        let output = Output(json: json, log: log)
        for event in events { output.event(event) }
        return output.take().lines.map { "\($0.descriptor) \($0.text)" }
    }

    @Test func humanLinesAndWarnings() {
        #expect(lines(json: false, LogSettings(), state(), warning()) == ["1 call 1: ringing", "2 warning: careful"])
    }

    @Test func jsonIsAloneOnStandardOutput() {
        let out = lines(json: true, LogSettings(), state(), warning())
        #expect(out.count == 3)
        #expect(out.filter { $0.hasPrefix("1 ") }.allSatisfy { $0.hasPrefix("1 {\"type\":") && $0.hasSuffix("}") })
        #expect(out.last == "2 warning: careful")
    }

    @Test func theLevelDecidesWhatStandardErrorGets() {
        #expect(lines(json: false, LogSettings(level: .error), warning()).isEmpty)
        #expect(lines(json: true, LogSettings(level: .info), state()).last == "2 call 1: ringing")
        // With a file the log is there.
        #expect(lines(json: true, LogSettings(level: .info, file: "f", descriptor: 9), state()).count == 1)
    }

    @Test func figuresThatNobodyReadsAreLeftOut() {
        let output = Output(json: true, log: LogSettings())
        for _ in 0..<5_000 { output.event(TimedEvent(time: time, event: .callStats(CallID(1), transports: [], streams: []))) }
        output.event(state())
        output.finish()
        let taken = output.take()
        #expect(taken.lines.count == 1_001)
        #expect(taken.lines.last?.text.contains("ringing") == true && taken.isFinished)
    }

    @Test func aReaderThatDoesNotReadBlocksNothing() {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        var streams = OutputStreams()
        let line = String(repeating: "x", count: 999)
        for _ in 0..<300 { streams.add(Output.Line(descriptor: ends[1], text: line)) }
        streams.write()
        #expect(!streams.isEmpty)
        var read = 0
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while !streams.isEmpty {
            let count = Glibc.read(ends[0], &bytes, bytes.count)
            read += max(0, count)
            streams.write()
        }
        close(ends[1])
        while case let count = Glibc.read(ends[0], &bytes, bytes.count), count > 0 { read += count }
        close(ends[0])
        #expect(read == 300_000)
    }

    @Test func secretsAreNotLogged() {
        let message =
            "REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response=\"0123\"\r\n\r\na=crypto:1 X inline:KEY\r\na=ice-pwd:secret\r\nv\u{1B}[2J"
        let text = Log.printable(Array(message.utf8))
        #expect(!text.contains("0123") && !text.contains("KEY") && !text.contains("secret") && !text.contains("\u{1B}"))
        #expect(text.contains("Authorization: (not shown)") && text.contains("REGISTER sip:a SIP/2.0"))
    }
}
