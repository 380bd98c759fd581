import ArgumentParser
import Core

/// The command line before and after the parser: what it cannot say well is said here, in one line that names the word and what to do.
enum CommandLineWords {
    static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        if let missing = NotInThisVersion.first(in: arguments) { throw UsageError.notInThisVersion(missing) }
        let topic = arguments.first == "help" ? arguments.dropFirst().first { !$0.hasPrefix("-") } : nil
        if let topic, topic != "help", !Root.commands.contains(topic) { throw unknown(topic) }
        if let first = arguments.first, !first.hasPrefix("-"), first != "help", first != "phone", !Root.commands.contains(first) {
            throw unknown(first)
        }
        return try Root.parseAsRoot(arguments)
    }

    /// The words before `--`.
    static func options(_ arguments: [String]) -> ArraySlice<String> { arguments.prefix { $0 != "--" } }

    static func asksForHelp(_ arguments: [String]) -> Bool {
        arguments.first == "help" || options(arguments).contains { $0 == "-h" || $0.hasPrefix("--help") }
    }

    /// The command that the line is about; nil for the full-screen phone.
    static func command(_ arguments: [String]) -> String? {
        let first = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
        return first.flatMap { Root.commands.contains($0) ? $0 : nil }
    }

    private static func unknown(_ word: String) -> UsageError {
        let lower = word.lowercased()
        if lower.hasPrefix("sip:") || lower.hasPrefix("sips:") || word == "echo" {
            return UsageError("unknown command \(quoted(word)): use sidetone call \(word)")
        }
        return UsageError("unknown command \(quoted(word)): use call, answer, bridge, serve or devices, or none; sidetone --help shows all")
    }

    /// The parser's message as one line of ours.
    static func explain(_ message: String, _ arguments: [String]) -> UsageError {
        let command = command(arguments)
        let place = "sidetone \(command.map { "\($0) " } ?? "")--help"
        let line = message.split(separator: "\n").first.map(String.init) ?? ""
        let words = options(arguments)
        if words.contains(where: { $0 == "--password" || $0.hasPrefix("--password=") }) {
            return UsageError("--password: a password is never taken from the command line; use --password-file or SIDETONE_PASSWORD")
        }
        if words.contains(where: { $0 == "--turn-password" || $0.hasPrefix("--turn-password=") }) {
            return UsageError("--turn-password: a password is never taken from the command line; use --turn-password-file or SIDETONE_TURN_PASSWORD")
        }
        let name = optionName(in: line)
        if line.hasPrefix("Unknown option"), let name {
            return UsageError("\(name): unknown option\(command.map { " of \($0)" } ?? ""); see \(place)")
        }
        if line.hasPrefix("Missing value for"), let name { return UsageError("\(name): its value is missing; see \(place)") }
        if line.hasPrefix("Missing expected argument") {
            if command == "bridge" { return UsageError("bridge: two URIs are needed: sidetone bridge sip:a@host sip:b@host") }
            return UsageError("call: the URI is missing: sidetone call sip:user@host, or sidetone call echo")
        }
        if command == nil, let other = arguments.first(where: Root.commands.contains) {
            return UsageError("\(other): the command comes first: sidetone \(other) …")
        }
        return UsageError("\(line.isEmpty ? "the command line cannot be read" : line); see \(place)")
    }

    /// The first `--name` between quotes.
    private static func optionName(in line: String) -> String? {
        guard let quote = line.firstIndex(of: "'") else { return nil }
        let rest = line[line.index(after: quote)...].prefix { $0 != "'" && $0 != " " && $0 != "=" }
        return rest.hasPrefix("-") ? Sanitiser.text(rest, limit: 60) : nil
    }
}
