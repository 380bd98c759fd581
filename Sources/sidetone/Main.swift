import ArgumentParser
import CPlatform
import Glibc

/// The program. Synchronous: the main thread owns the terminal and waits in `poll`, never in `await`.
@main
struct Main {
    static func main() {
        StandardDescriptors.keep()
        // Before any thread starts: signals come by this descriptor only.
        Signals.open()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try CommandLineWords.parse(arguments)
            try command.run()
        } catch {
            exit(report(error, arguments))
        }
    }

    /// Help and version go to standard output; a usage error is one line on standard error and, with `--json`, one `error` object.
    static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
        if let code = error as? ExitCode { return code.rawValue }
        let wantsJSON = CommandLineWords.options(arguments).contains("--json")
        if let error = error as? UsageError {
            Output.usageError(error.line, json: wantsJSON || error.wantsJSON)
            return 2
        }
        if Root.exitCode(for: error) == .success {
            let isHelp = CommandLineWords.asksForHelp(arguments)
            Output.line(1, isHelp ? Help.text(command: CommandLineWords.command(arguments)) : Root.fullMessage(for: error))
            return 0
        }
        Output.usageError(CommandLineWords.explain(Root.message(for: error), arguments).line, json: wantsJSON)
        return 2
    }
}

/// Descriptors 0 to 2 exist: else a socket could get the number and lines would go to it.
enum StandardDescriptors {
    static func keep() {
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is taken: this one.
            _ = open("/dev/null", O_RDWR)
        }
    }
}
