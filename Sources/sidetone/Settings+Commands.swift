import AudioIO
import Engine
import SIP

/// What only `call` or `answer` have.
extension Settings {
    mutating func readCall(_ choices: Choices) throws {
        // The call registers first; a failure there is the call's.
        phone.registersAtStart = false
        phone.callLimit = try choices.seconds("for")
        if let timeout = try choices.seconds("ring-timeout") { phone.ringTimeout = timeout }
        record = choices.value("record")
        guard let digits = choices.value("dtmf") else { return }
        guard !digits.text.isEmpty, digits.text.allSatisfy({ "0123456789*#ABCDabcd".contains($0) }) else {
            throw digits.error("\(quoted(digits.text)) is not made of 0-9, *, # and A-D")
        }
        phone.digitsAfterAnswer = digits.text.uppercased()
    }

    mutating func readBridge(_ choices: Choices) throws {
        phone.registersAtStart = false
        phone.callLimit = try choices.seconds("for")
        if let timeout = try choices.seconds("ring-timeout") { phone.ringTimeout = timeout }
        if let echo = choices.origin(flag: "echo") { throw echo.error("says nothing to a bridge: each call hears the other") }
        passOnOnly(choices)
        for name in ["video-in", "video-out"] {
            if let given = choices.value(name), given.text != "none" {
                throw given.error("a bridge shows no picture and has none: it passes on the calls' own")
            }
        }
    }

    /// Calls are joined with each other: nobody listens or speaks here, unless a device is named.
    private mutating func passOnOnly(_ choices: Choices) {
        phone.passesVideo = true
        if choices.value("audio-in") == nil { audioIn.specification = .null }
        if choices.value("audio-out") == nil { audioOut.specification = .null }
    }

    mutating func readServe(_ choices: Choices) throws {
        phone.autoAnswer = choices.flag("auto-answer")
        once = choices.flag("once")
        runLimit = try choices.seconds("for")
        web = try choices.value("web").map(Settings.web) ?? Web()
        if let timeout = try choices.seconds("ring-timeout") { phone.ringTimeout = timeout }
        guard let target = choices.value("to") else { return }
        guard SIPURI(target.text) != nil else { throw target.error("\(quoted(target.text)) is not a SIP address, e.g. sip:bob@example.org") }
        if let auto = choices.origin(flag: "auto-answer") { throw auto.error("with --to the other side answers") }
        if let echo = choices.origin(flag: "echo") { throw echo.error("says nothing to a bridge: each call hears the other") }
        phone.bridgesIncomingTo = target.text
        passOnOnly(choices)
    }

    mutating func readAnswer(_ choices: Choices) throws {
        phone.autoAnswer = choices.flag("auto-answer")
        if let delay = try choices.seconds("answer-after", orZero: true) {
            guard phone.autoAnswer else {
                throw UsageError("\(choices.value("answer-after")?.origin ?? .option("answer-after")): needs --auto-answer, which it delays")
            }
            phone.answerAfter = delay
        }
        if let timeout = try choices.seconds("ring-timeout") { phone.ringTimeout = timeout }
        if let count = try choices.integer("max-calls", in: 1...1000) { phone.maximumCalls = count }
        once = choices.flag("once")
        runLimit = try choices.seconds("for")
    }
}
