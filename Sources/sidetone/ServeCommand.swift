import ArgumentParser
import Glibc
import Interface
import Runtime

/// Click to call: the full-screen phone with a link, or without a terminal the same as `answer` with one.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve")

    @Option var web: String?
    @Option var to: String?
    @Option(name: .customLong("ring-timeout")) var ringTimeout: String?
    @Flag(name: .customLong("auto-answer")) var autoAnswer = false
    @Flag var once = false
    @Option(name: .customLong("for")) var duration: String?
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let choices = try shared.choices(
            options: ["web": web, "to": to, "ring-timeout": ringTimeout, "for": duration], flags: ["auto-answer": autoAnswer, "once": once])
        let settings = try Settings(choices, role: .serve, hasTerminal: isatty(0) == 1 && isatty(1) == 1)
        if settings.onScreen { return try PhoneCommand.show(settings) }
        throw ExitCode(try UsageError.told(json: settings.json) { try AnswerCommand.wait(settings) })
    }
}
