/// Where a value was given: how a message names it.
enum Origin: Sendable, Equatable, CustomStringConvertible {
    case option(String)
    case key(String, path: String, line: Int)

    var description: String {
        switch self {
        case .option(let name): "--\(name)"
        case .key(let key, let path, let line): "\(path):\(line): \(key)"
        }
    }

    var isOption: Bool { if case .option = self { true } else { false } }

    func error(_ message: String) -> UsageError { UsageError("\(self): \(message)") }
}

/// A value as it was written.
struct Given: Sendable, Equatable {
    var text: String
    var origin: Origin

    func error(_ message: String) -> UsageError { origin.error(message) }

    /// A path; `~/` at its start is the home folder, as a shell would have made of an option.
    var path: String { TextFile.expanded(text) }
}

/// Options and configuration file joined: an option stands before the same key of the file.
struct Choices: Sendable {
    private var values: [String: [Given]] = [:]
    private var flags: [String: Origin] = [:]
    private(set) var accounts: [ConfigurationFile.Account] = []

    /// - Parameters: options: each option's texts, in order; flags: the flags that were set.
    init(options: [String: [String]], flags set: Set<String>) throws {
        let isBare = set.contains("no-config")
        let file = options["config"]?.last
        if isBare, file != nil { throw UsageError("--no-config: cannot stand beside --config") }
        let configuration = isBare ? ConfigurationFile() : try ConfigurationFile.load(file)
        self.init(options: options, flags: set, file: configuration)
    }

    init(options: [String: [String]], flags set: Set<String>, file: ConfigurationFile) {
        values = file.values
        flags = file.flags
        accounts = file.accounts
        for (name, texts) in options where !texts.isEmpty { values[name] = texts.map { Given(text: $0, origin: .option(name)) } }
        for name in set { flags[name] = .option(name) }
    }

    func value(_ name: String) -> Given? { values[name]?.last }
    func all(_ name: String) -> [Given] { values[name] ?? [] }
    func flag(_ name: String) -> Bool { flags[name] != nil }
    func origin(flag name: String) -> Origin? { flags[name] }

    /// A number of seconds above 0 (or from 0 on), a year at most.
    func seconds(_ name: String, orZero: Bool = false) throws -> Duration? {
        guard let given = value(name) else { return nil }
        guard let seconds = Double(given.text), seconds > 0 || orZero && seconds == 0, seconds <= 31_536_000 else {
            throw given.error("\(quoted(given.text)) is not a number of seconds\(orZero ? "" : " above 0")")
        }
        return .nanoseconds(Int64(seconds * 1e9))
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let given = value(name) else { return nil }
        guard let number = Int(given.text), range.contains(number) else {
            throw given.error("\(quoted(given.text)) is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// One of a few words.
    func word(_ name: String, of words: [String]) throws -> String? {
        guard let given = value(name) else { return nil }
        guard words.contains(given.text) else { throw given.error("\(quoted(given.text)) is not one of \(words.joined(separator: ", "))") }
        return given.text
    }
}
