import Core
import Glibc
import Interface
import Synchronization

/// A file that is appended to by lines, private to the user.
final class LineFile: Sendable {
    private let descriptor: Int32

    init(path: String, option: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw UsageError("\(option): cannot write \(path): \(String(cString: strerror(errno)))") }
        fchmod(descriptor, 0o600)
    }

    deinit { close(descriptor) }

    func write(_ line: String) { Output.line(descriptor, line) }
}

/// `--keylog`: what `tshark` and `wireshark` read as `tls.keylog_file`.
final class KeyLog: Sendable {
    private let file: LineFile
    init(_ path: String) throws { file = try LineFile(path: path, option: "--keylog") }
    func write(_ line: String) { file.write(line) }
}

/// `--trace-sip`, `--log-level` and `--log-file`: a reader of the trace.
final class TraceLog: Sendable {
    private let file: LineFile?
    private let tracesSIP: Bool
    private let isVerbose: Bool

    init(_ settings: Settings.LogSettings) throws {
        file = try settings.file.map { try LineFile(path: $0, option: "--log-file") }
        tracesSIP = settings.tracesSIP
        isVerbose = settings.level == "debug" || settings.level == "info"
    }

    func write(_ trace: Trace) {
        let isSIP = trace.layer == .sip
        guard isVerbose || isSIP && tracesSIP else { return }
        let arrow = trace.direction == .sent ? "→" : trace.direction == .received ? "←" : "·"
        let remote = trace.remote.map { " \($0)" } ?? ""
        line("\(trace.time) \(trace.layer.rawValue) \(arrow)\(remote) \(trace.meaning)")
        if isSIP, tracesSIP { line(TraceLog.printable(trace.payload)) }
    }

    private func line(_ text: String) { if let file { file.write(text) } else { Output.line(2, text) } }

    /// The message as text, every control character but line ends made visible; digest answers are left out.
    private static func printable(_ bytes: [UInt8]) -> String {
        bytes.split(separator: 10, omittingEmptySubsequences: false).map { line -> String in
            let text = Sanitiser.text(bytes: line.last == 13 ? line.dropLast() : line, limit: 2000)
            let lower = text.lowercased()
            if lower.hasPrefix("authorization:") || lower.hasPrefix("proxy-authorization:") { return String(text.prefix { $0 != ":" }) + ": (not shown)" }
            if lower.hasPrefix("a=crypto:") || lower.hasPrefix("a=ice-pwd:") { return String(text.prefix { $0 != ":" }) + ":(not shown)" }
            return text
        }.joined(separator: "\n")
    }
}
