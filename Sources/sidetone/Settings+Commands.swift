import Engine

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
