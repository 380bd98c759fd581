import ArgumentParser
import Core
import Engine
import Interface
import Runtime
import SIP
import Synchronization

struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Places one call without a screen; the exit code tells the outcome.",
        discussion: """
            Examples:
              sidetone call echo --for 5 --json
              sidetone call sip:bob@192.0.2.7 --audio-in tone:700 --audio-out file:heard.wav --for 10
            """)

    @Argument(help: "A SIP URI, or echo.") var uri: String
    @Option(name: .customLong("for"), help: ArgumentHelp("Hang up so long after the answer.", valueName: "seconds")) var duration: Double?
    @Option(name: .customLong("ring-timeout"), help: ArgumentHelp("Default 60.", valueName: "seconds")) var ringTimeout: Double?
    @Option(help: ArgumentHelp("Digits to send after the answer.", valueName: "digits")) var dtmf: String?
    @OptionGroup(title: "Shared options") var shared: SharedOptions

    func run() throws {
        var settings = try Settings(shared, role: .call)
        if uri != "echo" {
            guard let target = Phone.target(uri) else { throw UsageError("not a SIP address: \(Sanitiser.text(uri))") }
            _ = try Settings.uri(target.description, "call")
        }
        settings.phone.registersAtStart = false
        settings.phone.callLimit = try Seconds.duration(duration, "--for")
        if let timeout = try Seconds.duration(ringTimeout, "--ring-timeout") { settings.phone.ringTimeout = timeout }
        if let dtmf {
            guard !dtmf.isEmpty, dtmf.allSatisfy({ "0123456789*#ABCDabcd".contains($0) }) else { throw UsageError("--dtmf: only 0-9, *, # and A-D can be sent") }
            settings.phone.digitsAfterAnswer = dtmf
        }

        let output = Output(json: settings.json)
        let outcome = Mutex<Int32?>(nil)
        let starter = ClientBox()
        let host = try PhoneHost.start(
            settings, wantsSnapshots: false,
            event: { event in
                output.event(event)
                guard case .result(let result) = event.event else { return }
                outcome.withLock { $0 = result.outcome.exitCode }
                starter.post(.command(.quit))
            }, finished: { output.finish() })
        starter.set(host.client)
        host.client.post(.command(.dial(uri: uri)))
        let signal = HeadlessLoop(output: output, client: host.client).run()
        throw ExitCode(outcome.withLock { $0 } ?? signal.map { $0 == 2 ? 130 : 143 } ?? Outcome.sipFailure.exitCode)
    }
}

enum Seconds {
    /// nil stays nil; not a positive number of at most a year is a usage error.
    static func duration(_ seconds: Double?, _ option: String) throws -> Duration? {
        guard let seconds else { return nil }
        guard seconds > 0, seconds <= 31_536_000 else { throw UsageError("\(option): \(seconds) is not a number of seconds above 0") }
        return .nanoseconds(Int64(seconds * 1e9))
    }
}
