import ArgumentParser
import Core
import Engine
import Interface
import Runtime
import Synchronization

struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "call")

    @Argument var uri: String
    @Option(name: .customLong("for")) var duration: String?
    @Option(name: .customLong("ring-timeout")) var ringTimeout: String?
    @Option var dtmf: String?
    @Option var record: String?
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let choices = try shared.choices(options: ["for": duration, "ring-timeout": ringTimeout, "dtmf": dtmf, "record": record])
        throw ExitCode(try UsageError.told(json: choices.flag("json")) { try place(choices) })
    }

    private func place(_ choices: Choices) throws -> Int32 {
        // First: nobody is asked for a password for nothing.
        try CallCommand.check(uri)
        let settings = try Settings(choices, role: .call)
        let outcome = Mutex<Int32?>(nil)
        let phone = try HeadlessPhone.start(settings) { event, post in
            guard case .result(let result) = event.event else { return }
            let code = result.outcome.exitCode
            outcome.withLock { $0 = $0 ?? code }
            post(.command(.quit))
        }
        let signal = try phone.run(limit: nil, first: .command(.dial(uri: uri))) { outcome.withLock { $0 = $0 ?? HeadlessLoop.brokenPipeCode } }
        return outcome.withLock { $0 } ?? signal.map(Signals.exitCode) ?? Outcome.sipFailure.exitCode
    }

    /// `echo`, or a SIP address that this version can reach.
    static func check(_ uri: String, _ command: String = "call") throws {
        guard uri != "echo" else { return }
        guard !uri.contains(where: \.isWhitespace), let target = Phone.target(uri) else {
            throw UsageError("\(command): \(quoted(uri)) is not a SIP address, e.g. sip:bob@192.0.2.7, or echo")
        }
        try Settings.checkReachable(target, command)
    }
}
