import Core

/// A wrong option or configuration value, or something that cannot be had: one clear line, exit 2.
struct UsageError: Error, CustomStringConvertible {
    var message: String
    /// The configuration asked for JSON Lines: the error is also an object on standard output.
    var wantsJSON = false

    init(_ message: String) { self.message = message }

    static func notInThisVersion(_ what: String) -> UsageError { UsageError("not in this version: \(what)") }

    /// One line, whatever was typed.
    var line: String { Sanitiser.text(message, limit: 500) }
    var description: String { line }

    /// Runs what comes after the configuration is known.
    static func told<Value>(json: Bool, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch var error as UsageError {
            error.wantsJSON = error.wantsJSON || json
            throw error
        }
    }
}

/// Text that a person wrote, for a message: quoted and harmless.
func quoted(_ text: some StringProtocol) -> String { "\"\(Sanitiser.text(text, limit: 120))\"" }
