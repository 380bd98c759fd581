import ArgumentParser
import CPlatform
import Glibc

/// The program. Synchronous: the main thread owns the terminal and waits in `poll`, never in `await`.
@main
struct Main {
    static func main() {
        // Before any thread starts: signals come by this descriptor only.
        Signals.open()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if let missing = NotInThisVersion.first(in: arguments) { throw UsageError("not in this version: \(missing)") }
            var command = try Root.parseAsRoot(arguments)
            try command.run()
        } catch {
            exit(report(error, json: arguments.contains("--json")))
        }
    }

    /// Help and version go to standard output; a usage error is one line on standard error and, with `--json`, one `error` object.
    static func report(_ error: any Error, json: Bool) -> Int32 {
        if let code = error as? ExitCode { return code.rawValue }
        if Root.exitCode(for: error) == .success {
            print(Root.fullMessage(for: error))
            return 0
        }
        let message = (error as? UsageError)?.message ?? Root.message(for: error)
        let line = message.split(separator: "\n").first.map(String.init) ?? "usage error"
        Output.usageError(line, json: json)
        return 2
    }
}

/// A wrong option or configuration value: one clear line, exit 2.
struct UsageError: Error, CustomStringConvertible {
    var message: String
    init(_ message: String) { self.message = message }
    var description: String { message }
}

/// The signalfd of the process, made before any thread.
enum Signals {
    nonisolated(unsafe) private static var stored: Int32 = -1
    static func open() { stored = platform_signalfd() }
    static var descriptor: Int32 { stored }
}
