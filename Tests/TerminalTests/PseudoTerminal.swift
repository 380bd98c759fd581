import Foundation
import Glibc

/// A terminal whose other end is read by this test.
final class PseudoTerminal: Sendable {
    let terminal: Int32
    private let other: Int32
    /// Under a lock that the thread sanitizer sees.
    private nonisolated(unsafe) var bytes: [UInt8] = []
    private let lock = NSLock()
    private let arrived = DispatchSemaphore(value: 0)

    struct Failure: Error { var code: Int32 }

    init(columns: Int, rows: Int, reads: Bool = true) throws {
        var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        var ends: (Int32, Int32) = (-1, -1)
        guard openpty(&ends.0, &ends.1, nil, nil, &size) == 0 else { throw Failure(code: errno) }
        for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        other = ends.0
        terminal = ends.1
        if reads { startReading() }
    }

    /// From now on what the terminal is sent is taken.
    func startReading() {
        Thread.detachNewThread { [other, self] in
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = read(other, &buffer, buffer.count)
                if count <= 0 { return }
                lock.withLock { bytes += buffer[..<count] }
                arrived.signal()
            }
        }
    }

    /// All bytes that were written so far: a mark is sent after them and waited for.
    func output() -> [UInt8] {
        let mark = Array("\u{1}end of output\u{2}".utf8)
        _ = write(terminal, mark, mark.count)
        while true {
            let found: [UInt8]? = lock.withLock {
                guard bytes.suffix(mark.count) == mark[...] else { return nil }
                bytes.removeLast(mark.count)
                return bytes
            }
            if let found { return found }
            arrived.wait()
        }
    }

    var state: termios {
        var out = termios()
        tcgetattr(terminal, &out)
        return out
    }
}

/// What a real terminal, tmux, makes of bytes.
struct TerminalPicture {
    struct Cell: Equatable {
        var text: String
        /// As in the escape sequence: "38;5;196", "31", empty for the terminal's own.
        var foreground = ""
        var background = ""
    }

    private(set) var rows: [[Cell]] = []

    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/tmux")

    struct Failure: Error { var what: String }

    init(_ bytes: [UInt8], columns: Int, rows: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sidetone-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let recorded = folder.appendingPathComponent("bytes")
        try Data(bytes).write(to: recorded)
        let configuration = folder.appendingPathComponent("tmux.conf")
        try "set -g status off\nset -g default-terminal tmux-256color\n".write(to: configuration, atomically: true, encoding: .utf8)
        let socket = folder.appendingPathComponent("socket").path
        // The terminal answers the question for the cursor's place when it has drawn all that came before.
        let script = """
            stty raw -echo; cat '\(recorded.path)'; printf '\\033[6n'; IFS= read -r -d R answer
            tmux -S '\(socket)' wait-for -S drawn; exec sleep 60
            """
        try Self.tmux(socket, "-f", configuration.path, "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "bash", "-c", script)
        defer { _ = try? Self.tmux(socket, "kill-server") }
        try Self.tmux(socket, "wait-for", "drawn")
        let text = try Self.tmux(socket, "capture-pane", "-p", "-e", "-N")
        // A line begins with the colours that the one before it ended with.
        var pen = Cell(text: "")
        self.rows = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(rows).map { Self.cells(String($0), &pen) }
    }

    func line(_ row: Int) -> String {
        var text = rows.indices.contains(row) ? rows[row].map(\.text).joined() : ""
        while text.last == " " { text.removeLast() }
        return text
    }

    /// Spawned by hand: Foundation waits until the server, which the first command starts, has closed what it inherited.
    @discardableResult
    private static func tmux(_ socket: String, _ arguments: String...) throws -> String {
        let output = socket + ".output"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = (["tmux", "-S", socket] + arguments).map { (word: String) in strdup(word) }
        var environment: [UnsafeMutablePointer<CChar>?] = []
        for value in ["LC_ALL=C.UTF-8", "TERM=xterm-256color", "PATH=/usr/bin:/bin"] { environment.append(strdup(value)) }
        words.append(nil)
        environment.append(nil)
        defer { for word in words + environment { free(word) } }
        var process = pid_t()
        let code = posix_spawn(&process, "/usr/bin/tmux", &actions, nil, &words, &environment)
        guard code == 0 else { throw Failure(what: "tmux: \(String(cString: strerror(code)))") }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw Failure(what: "tmux \(arguments) ended with \(status)") }
        return try String(contentsOfFile: output, encoding: .utf8)
    }

    /// A captured line: characters, and colours as SGR sequences.
    private static func cells(_ line: String, _ pen: inout Cell) -> [Cell] {
        var out: [Cell] = []
        var rest = Substring(line)
        while let character = rest.first {
            guard character == "\u{1B}", let end = rest.firstIndex(of: "m") else {
                out.append(Cell(text: String(character), foreground: pen.foreground, background: pen.background))
                rest.removeFirst()
                continue
            }
            apply(rest[..<end].dropFirst(2).split(separator: ";", omittingEmptySubsequences: false).map { Int($0) ?? 0 }, to: &pen)
            rest = rest[rest.index(after: end)...]
        }
        return out
    }

    private static func apply(_ codes: [Int], to pen: inout Cell) {
        var at = 0
        while at < codes.count {
            let code = codes[at]
            var length = 1
            if code == 38 || code == 48 { length = codes.count > at + 1 && codes[at + 1] == 2 ? 5 : 3 }
            let text = codes[at..<min(codes.count, at + length)].map(String.init).joined(separator: ";")
            switch code {
            case 0: pen = Cell(text: "")
            case 30...38, 90...97: pen.foreground = text
            case 39: pen.foreground = ""
            case 40...48, 100...107: pen.background = text
            case 49: pen.background = ""
            default: break
            }
            at += length
        }
    }
}
