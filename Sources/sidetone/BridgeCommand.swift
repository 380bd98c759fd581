import ArgumentParser
import Engine
import Interface
import Runtime
import Synchronization

struct BridgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bridge")

    @Argument var first: String
    @Argument var second: String
    @Option(name: .customLong("for")) var duration: String?
    @Option(name: .customLong("ring-timeout")) var ringTimeout: String?
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let choices = try shared.choices(options: ["for": duration, "ring-timeout": ringTimeout])
        throw ExitCode(try UsageError.told(json: choices.flag("json")) { try join(choices) })
    }

    private func join(_ choices: Choices) throws -> Int32 {
        for uri in [first, second] { try CallCommand.check(uri, "bridge") }
        let settings = try Settings(choices, role: .bridge)
        let state = Mutex(Bridging())
        let phone = try HeadlessPhone.start(settings) { event, post in
            if state.withLock({ $0.isOver(event.event) }) { post(.command(.quit)) }
        }
        let signal = try phone.run(limit: nil, first: .command(.bridge(first: first, second: second))) { state.withLock { $0.readerLeft() } }
        return signal.map(Signals.exitCode) ?? state.withLock { $0.exitCode }
    }
}

/// What decides how `bridge` ends.
struct Bridging: Sendable {
    /// 0 once the calls were joined; before that the code of what kept the phone from starting, registering or reaching anybody.
    private(set) var exitCode: Int32 = 0
    private var answered: Set<CallID> = []
    private var open: Set<CallID> = []
    private var isBroken = false
    private var registration = FirstRegistration()

    mutating func readerLeft() { if exitCode == 0 { exitCode = HeadlessLoop.brokenPipeCode } }

    /// Whether this event ends the phone: no call is left.
    mutating func isOver(_ event: Event) -> Bool {
        // The call's result follows, whatever it was that the registrar said.
        if exitCode == 0, let code = registration.failure(event) { exitCode = code }
        switch event {
        case .callState(let call, .calling, _, _): open.insert(call)
        case .callState(let call, .answered, _, _): answered.insert(call)
        // No call was placed.
        case .notice(.error, let code, _, nil) where open.isEmpty && ["bad-uri", "too-many-calls"].contains(code):
            exitCode = Outcome.usage.exitCode
            return true
        case .result(let result):
            open.remove(result.call)
            let cannotStart: [Outcome] = [.usage, .unreachable, .tlsFailed, .unauthorized]
            if exitCode == 0, answered.count < 2, !isBroken, cannotStart.contains(result.outcome) { exitCode = result.outcome.exitCode }
            isBroken = true
            return open.isEmpty
        default: break
        }
        return false
    }
}
