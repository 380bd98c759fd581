import CPlatform
import Core
import Interface

/// The log: a reader of events and of the trace. Passwords, digest answers, keys and the tokens of links are not in it.
struct Log: Sendable {
    let settings: LogSettings
    /// Takes one or more lines; does not block where that would stop media.
    let write: @Sendable (String) -> Void

    func event(_ event: TimedEvent) {
        // Without a file the lines for people on standard error are the log.
        guard settings.descriptor != nil, LogLevel(event.event) <= settings.level, let line = HumanText.line(event) else { return }
        write(line)
    }

    func trace(_ trace: Trace) {
        let showsMessage = trace.layer == .sip && settings.tracesSIP
        guard showsMessage || settings.level >= .debug else { return }
        let arrow = trace.direction == .sent ? "→" : trace.direction == .received ? "←" : "·"
        let remote = trace.remote.map { " \($0)" } ?? ""
        let call = trace.call.map { " call \($0)" } ?? ""
        let time = WallTime(milliseconds: platform_wall_ms())
        write("\(time) \(trace.layer.rawValue)\(call) \(arrow)\(remote) \(trace.meaning)" + (showsMessage ? "\n" + Log.printable(trace.payload) : ""))
    }

    /// The message as text, indented, every control character but line ends made visible.
    static func printable(_ bytes: [UInt8]) -> String {
        bytes.split(separator: 10, omittingEmptySubsequences: false).map { line -> String in
            let text = Sanitiser.text(bytes: line.last == 13 ? line.dropLast() : line, limit: 2000)
            let lower = text.lowercased()
            for secret in ["authorization:", "proxy-authorization:", "a=crypto:", "a=ice-pwd:"] where lower.hasPrefix(secret) {
                return "    \(text.prefix(secret.count)) (not shown)"
            }
            return text.isEmpty ? "" : "    " + text
        }.joined(separator: "\n")
    }
}
