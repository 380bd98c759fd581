import ArgumentParser
import Engine
import Interface
import Runtime
import Synchronization

struct AnswerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "answer")

    @Flag(name: .customLong("auto-answer")) var autoAnswer = false
    @Option(name: .customLong("answer-after")) var answerAfter: String?
    @Option(name: .customLong("max-calls")) var maxCalls: String?
    @Option(name: .customLong("ring-timeout")) var ringTimeout: String?
    @Flag var once = false
    @Option(name: .customLong("for")) var duration: String?
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let choices = try shared.choices(
            options: ["answer-after": answerAfter, "max-calls": maxCalls, "ring-timeout": ringTimeout, "for": duration],
            flags: ["auto-answer": autoAnswer, "once": once])
        let settings = try Settings(choices, role: .answer)
        throw ExitCode(try UsageError.told(json: settings.json) { try Self.wait(settings) })
    }

    /// Until it ends by itself, by a signal or with its time; the exit code.
    static func wait(_ settings: Settings) throws -> Int32 {
        let once = settings.once
        let state = Mutex(Waiting())
        let phone = try HeadlessPhone.start(settings) { event, post in
            let isOver = state.withLock { $0.isOver(event.event, once: once) }
            if isOver { post(.command(.quit)) }
        }
        let signal = try phone.run(limit: settings.runLimit, first: nil) { state.withLock { $0.readerLeft() } }
        return signal.map(Signals.exitCode) ?? state.withLock { $0.exitCode } ?? 0
    }
}

/// What decides how `answer` ends.
struct Waiting: Sendable {
    private(set) var exitCode: Int32?
    private var registration = FirstRegistration()

    mutating func readerLeft() { exitCode = exitCode ?? HeadlessLoop.brokenPipeCode }

    /// Whether this event ends the phone: the first call's result with `--once`, or an account that could not register at the start.
    mutating func isOver(_ event: Event, once: Bool) -> Bool {
        guard exitCode == nil else { return false }
        exitCode = registration.failure(event)
        if once, case .result(let result) = event { exitCode = result.outcome.exitCode }
        return exitCode != nil
    }
}
