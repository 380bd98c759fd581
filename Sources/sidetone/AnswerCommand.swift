import ArgumentParser
import Engine
import Interface
import Runtime
import Synchronization

struct AnswerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Waits for calls without a screen.",
        discussion: """
            Examples:
              sidetone answer --auto-answer --echo
              sidetone answer --listen udp:192.0.2.1:5060 --auto-answer --once --audio-out file:heard.wav --json
            """)

    @Flag(name: .customLong("auto-answer"), help: "Answer every call.") var autoAnswer = false
    @Option(name: .customLong("answer-after"), help: ArgumentHelp("Delay the answer.", valueName: "seconds")) var answerAfter: Double?
    @Option(name: .customLong("max-calls"), help: ArgumentHelp("At the same time; default 8.", valueName: "n")) var maxCalls: Int?
    @Option(name: .customLong("ring-timeout"), help: ArgumentHelp("Default 60; then 480.", valueName: "seconds")) var ringTimeout: Double?
    @Flag(help: "Stop after the first call that ended.") var once = false
    @Option(name: .customLong("for"), help: ArgumentHelp("How long to run.", valueName: "seconds")) var duration: Double?
    @OptionGroup(title: "Shared options") var shared: SharedOptions

    func run() throws {
        var settings = try Settings(shared, role: .answer)
        settings.phone.autoAnswer = autoAnswer
        if let delay = answerAfter {
            guard delay >= 0 else { throw UsageError("--answer-after: \(delay) is not a number of seconds") }
            settings.phone.answerAfter = .nanoseconds(Int64(min(delay, 31_536_000) * 1e9))
        }
        if let maxCalls {
            guard (1...1000).contains(maxCalls) else { throw UsageError("--max-calls: \(maxCalls) is not 1 to 1000") }
            settings.phone.maximumCalls = maxCalls
        }
        if let timeout = try Seconds.duration(ringTimeout, "--ring-timeout") { settings.phone.ringTimeout = timeout }
        _ = try Seconds.duration(duration, "--for")

        let output = Output(json: settings.json)
        let code = Mutex<Int32?>(nil)
        let starter = ClientBox()
        let once = once
        let host = try PhoneHost.start(
            settings, wantsSnapshots: false,
            event: { event in
                output.event(event)
                switch event.event {
                case .result(let result) where once:
                    let isFirst = code.withLock { code in
                        guard code == nil else { return false }
                        code = result.outcome.exitCode
                        return true
                    }
                    if isFirst { starter.post(.command(.quit)) }
                case .registration(_, .failed, let status, _):
                    // Starting without a registration that was asked for is no start.
                    code.withLock { $0 = $0 ?? (status.map { [401, 403, 407].contains($0) } == true ? 12 : 10) }
                    starter.post(.command(.quit))
                default: break
                }
            }, finished: { output.finish() })
        starter.set(host.client)
        let signal = HeadlessLoop(output: output, client: host.client, limitSeconds: duration).run()
        throw ExitCode(signal.map { $0 == 2 ? 130 : 143 } ?? code.withLock { $0 } ?? 0)
    }
}
