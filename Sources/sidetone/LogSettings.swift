import Glibc
import Interface

/// How much is logged.
enum LogLevel: Int, Comparable, Sendable {
    case error, warning
    /// Everything that happens to calls and accounts.
    case info
    /// Every layer's trace too.
    case debug

    static let words = ["error", "warning", "info", "debug"]

    init?(word: String) {
        guard let index = LogLevel.words.firstIndex(of: word) else { return nil }
        self.init(rawValue: index)
    }

    init(_ event: Event) {
        switch event {
        case .notice(.error, _, _, _): self = .error
        case .notice(.warning, _, _, _): self = .warning
        default: self = .info
        }
    }

    var word: String { LogLevel.words[rawValue] }
    static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// `--log-level`, `--log-file` and `--trace-sip`.
struct LogSettings: Sendable {
    var level = LogLevel.warning
    var tracesSIP = false
    /// The file's path; nil: standard error.
    var file: String?
    /// The opened file, for the life of the process.
    var descriptor: Int32?

    /// Opens the file, private to the user; what it holds already stays.
    mutating func open(_ origin: Origin?) throws {
        guard let file else { return }
        descriptor = try PrivateFile.open(file, origin ?? .option("log-file"))
    }
}

/// A file of mode 0600 that is appended to.
enum PrivateFile {
    static func open(_ path: String, _ origin: Origin) throws -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0o600)
        guard descriptor >= 0 else { throw origin.error("cannot write \(path): \(String(cString: strerror(errno)))") }
        // A device or pipe keeps its mode.
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { fchmod(descriptor, 0o600) }
        return descriptor
    }
}
