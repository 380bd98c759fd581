import Glibc

/// A password: from a file, from `SIDETONE_PASSWORD`, or from a prompt. Never from the command line.
enum Password {
    /// nil: there is none.
    static func read(file: Given?, account: String) throws -> String? {
        if let file {
            guard let text = TextFile.read(file.path, limit: 65_536) else {
                throw file.error("cannot read \(file.path): \(String(cString: strerror(errno)))")
            }
            let line = firstLine(of: text)
            guard !line.isEmpty else { throw file.error("the first line of \(file.path) is empty: the password belongs there") }
            return line
        }
        if let value = getenv("SIDETONE_PASSWORD") { return String(cString: value) }
        return prompt("Password of \(account): ")
    }

    /// The password of the TURN servers: from a file or from `SIDETONE_TURN_PASSWORD`; nil: there is none.
    static func turn(file: Given?) throws -> String? {
        if file != nil { return try read(file: file, account: "") }
        return getenv("SIDETONE_TURN_PASSWORD").map { String(cString: $0) }
    }

    static func firstLine(of text: String) -> String {
        let bytes = Array(text.utf8.prefix { $0 != 10 })
        return String(decoding: bytes.last == 13 ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }

    /// Asks on the terminal, without echo. nil without a terminal or when nothing was typed.
    private static func prompt(_ text: String) -> String? {
        guard isatty(0) == 1, isatty(2) == 1 else { return nil }
        var saved = termios()
        guard tcgetattr(0, &saved) == 0 else { return nil }
        var silent = saved
        silent.c_lflag &= ~tcflag_t(ECHO)
        silent.c_lflag |= tcflag_t(ICANON | ISIG)
        tcsetattr(0, TCSAFLUSH, &silent)
        let restore = {
            tcsetattr(0, TCSAFLUSH, &saved)
            Output.line(2, "")
        }
        Output.raw(2, text)
        var polled = [pollfd(fd: 0, events: Int16(POLLIN), revents: 0), pollfd(fd: Signals.descriptor, events: Int16(POLLIN), revents: 0)]
        var bytes = [UInt8](repeating: 0, count: 1024)
        while true {
            _ = poll(&polled, 2, -1)
            if let signal = Signals.next() {
                restore()
                exit(Signals.exitCode(signal))
            }
            guard polled[0].revents != 0 else { continue }
            let count = Glibc.read(0, &bytes, bytes.count)
            restore()
            let line = firstLine(of: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
            return line.isEmpty ? nil : line
        }
    }
}
