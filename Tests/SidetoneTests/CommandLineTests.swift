import ArgumentParser
import Interface
import Testing

@testable import sidetone

@Suite struct CommandLineTests {
    /// What a command line is answered with: one line.
    private func refusal(_ line: String) -> String? {
        let arguments = line.split(separator: " ").map(String.init)
        do {
            _ = try CommandLineWords.parse(arguments)
            return nil
        } catch {
            if let error = error as? UsageError { return error.line }
            return CommandLineWords.explain(Root.message(for: error), arguments).line
        }
    }

    @Test(arguments: [
        ("call", "call: the URI is missing: sidetone call sip:user@host, or sidetone call echo"),
        ("call echo --foo", "--foo: unknown option of call; see sidetone call --help"),
        ("call echo --for", "--for: its value is missing; see sidetone call --help"),
        ("--bogus", "--bogus: unknown option; see sidetone --help"),
        ("help probe", "not in this version: probe"),
        ("call echo --capture x.pcapng", "not in this version: --capture"),
        ("sip:a@b", "unknown command \"sip:a@b\": use sidetone call sip:a@b"),
        ("--json call echo", "call: the command comes first: sidetone call …"),
        ("call echo --password x", "--password: a password is never taken from the command line; use --password-file or SIDETONE_PASSWORD"),
        (
            "call echo --turn-password=x",
            "--turn-password: a password is never taken from the command line; use --turn-password-file or SIDETONE_TURN_PASSWORD"
        ),
    ])
    func refusals(_ line: String, _ expected: String) { #expect(refusal(line) == expected) }

    @Test(arguments: [
        "", "--no-config", "call echo", "call sip:a@b --for 3 --json --dtmf 12", "answer --auto-answer --once --max-calls 2",
        "serve --web 127.0.0.1:0 --once", "devices",
    ])
    func accepted(_ line: String) { #expect(refusal(line) == nil) }

    @Test(arguments: ["foo bar", "sips:a@b;transport=udp", "tel:1", "", "sip:", "sip:a@b;transport=sctp", "sip:a@b\nx"])
    func badTargets(_ uri: String) { #expect(throws: UsageError.self) { try CallCommand.check(uri) } }

    @Test(arguments: ["echo", "sip:a@b", "a@b", "sip:192.0.2.1:5070;transport=tcp", "sips:a@b", "sip:a@b;transport=wss"])
    func targets(_ uri: String) throws { try CallCommand.check(uri) }

    // MARK: help

    @Test(arguments: [nil, "call", "answer", "bridge", "serve", "devices"])
    func helpFitsAScreenAndEndsWithExamples(_ command: String?) {
        let lines = Help.text(command: command).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 40)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.last?.hasPrefix("  sidetone ") == true)
        let examples = lines.firstIndex(of: "Examples:")
        #expect(examples != nil)
        #expect(lines[(examples ?? 0)...].dropFirst().allSatisfy { $0.hasPrefix("  sidetone") })
        // What this version lacks is not in it.
        let text = Help.text(command: command)
        #expect(NotInThisVersion.options.allSatisfy { !text.contains("\($0) ") })
    }

    /// The parser takes what the table tells, and the table tells what the parser takes.
    @Test(arguments: [
        (["call", "echo"], OptionTable.call), (["answer"], OptionTable.answer), (["serve"], OptionTable.serve),
        (["bridge", "echo", "echo"], OptionTable.bridge), ([], []),
    ])
    func theTableIsTheParsers(_ command: [String], _ own: [OptionTable.Row]) throws {
        var declared: Set<String> = []
        for option in (OptionTable.shared + own).flatMap(\.options) {
            declared.insert(option.name)
            let words = command + ["--\(option.name)"] + (option.kind == .flag ? [] : ["1"])
            #expect(throws: Never.self) { try CommandLineWords.parse(words) }
        }
        for name in Set(OptionTable.keys.keys).subtracting(declared) {
            #expect(throws: (any Error).self) { try CommandLineWords.parse(command + ["--\(name)", "1"]) }
        }
    }

    // MARK: how answer ends

    /// Tells events in order: after which one `answer` ends, and with what code.
    private func end(once: Bool, _ events: Event...) -> (after: Int?, code: Int32?) {
        var waiting = Waiting()
        for (index, event) in events.enumerated() where waiting.isOver(event, once: once) { return (index, waiting.exitCode) }
        return (nil, waiting.exitCode)
    }

    private func registration(_ state: RegistrationState, _ status: Int?) -> Event {
        .registration(account: AccountID("a"), state: state, status: status, expiresSeconds: nil)
    }

    @Test func answerEndsWithTheFirstResultOnlyWhenAsked() {
        let result = Event.result(CallResult(call: CallID(1), outcome: .oneWay, remoteUri: "sip:a@b", endedBy: "remote"))
        #expect(end(once: false, result) == (nil, nil))
        #expect(end(once: true, result) == (0, 23))
    }

    @Test(arguments: [(401, 12), (403, 12), (407, 12), (503, 10), (nil, 10)] as [(Int?, Int32)])
    func answerEndsWhenItCannotRegister(_ status: Int?, _ code: Int32) {
        #expect(end(once: false, registration(.registering, nil), registration(.failed, status)) == (1, code))
    }

    @Test func answerEndsWithTheReasonOfTLS() {
        let why = Event.notice(.warning, code: "tls-failed", message: "certificate is signed by an unknown CA", call: nil)
        #expect(end(once: false, why, registration(.failed, nil)) == (1, 11))
        #expect(end(once: false, registration(.registered, 200), why, registration(.failed, nil)) == (nil, nil))
    }

    @Test func aRefreshThatFailsEndsNothing() {
        #expect(end(once: false, registration(.registered, 200), registration(.failed, 503)) == (nil, nil))
    }

    // MARK: how bridge ends

    private func bridged(_ events: Event...) -> (isOver: Bool, code: Int32) {
        var bridging = Bridging()
        let isOver = events.reduce(false) { bridging.isOver($1) || $0 }
        return (isOver, bridging.exitCode)
    }

    private func ended(_ outcome: Outcome, _ call: Int = 1) -> Event {
        .result(CallResult(call: CallID(call), outcome: outcome, remoteUri: "sip:a@b", endedBy: "remote"))
    }

    private func state(_ state: CallState, _ call: Int) -> Event { .callState(CallID(call), state, heldBy: nil, reason: nil) }

    /// As `answer` ends, whatever the call's own result calls it.
    @Test(
        arguments: [(404, Outcome.notFound, 10), (500, .sipFailure, 10), (503, .sipFailure, 10), (403, .unauthorized, 12)] as [(Int, Outcome, Int32)])
    func bridgeEndsWhenItCannotRegister(_ status: Int, _ outcome: Outcome, _ code: Int32) {
        #expect(bridged(registration(.registering, nil), registration(.failed, status), ended(outcome)) == (true, code))
    }

    @Test func bridgeEndsWithTheLastCall() {
        let up = [registration(.registered, 200), state(.calling, 1), state(.answered, 1), state(.calling, 2)]
        var bridging = Bridging()
        let over = (up + [ended(.busy, 2), ended(.answered, 1)]).map { bridging.isOver($0) }
        #expect(over == [false, false, false, false, false, true])
        #expect(bridging.exitCode == 0)
        #expect(bridged(state(.calling, 1), ended(.unreachable)) == (true, 10))
    }

    // MARK: signals

    /// `timeout` sends two of each.
    @Test func aSecondSignalAtOnceIsTheSameWish() {
        var interruption = Interruption()
        let times: [(Int32, UInt64)] = [(15, 5_000_000_000), (15, 5_000_100_000), (2, 5_999_999_999), (2, 6_000_000_000)]
        let wishes = times.map { interruption.takes($0, isFinished: $1 == 5_999_999_999, at: $1) }
        #expect(wishes == [.end, .nothing, .nothing, .endAtOnce])
        #expect(interruption.signal == 15)
        var late = Interruption()
        let wish = late.takes(2, isFinished: true, at: 0)
        #expect(wish == .endAtOnce)
        #expect(late.signal == 2)
    }
}
