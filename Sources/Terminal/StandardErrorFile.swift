import Glibc

/// While the full screen is up, standard error goes to a file: a stray line would tear the picture, and the text of a crash
/// would be lost with the alternate screen.
final class StandardErrorFile {
    let path: String
    private var saved: Int32
    private let isTemporary: Bool

    /// Appends to `path`, or to a new file of mode 0600 that goes away when nothing was written. Nil when no file can be made.
    init?(path: String?, environment: (String) -> String?) {
        var file: Int32 = -1
        var name = ""
        if let path {
            file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            name = path
        } else {
            for directory in Self.directories(environment) where file < 0 {
                var template = Array("\(directory)/screen-XXXXXX".utf8CString)
                file = mkstemp(&template)
                if file >= 0 { _ = fcntl(file, F_SETFL, O_APPEND) }
                name = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
        guard file >= 0 else { return nil }
        saved = fcntl(2, F_DUPFD_CLOEXEC, 3)
        guard saved >= 0, dup2(file, 2) >= 0 else {
            if saved >= 0 { close(saved) }
            close(file)
            return nil
        }
        close(file)
        self.path = name
        isTemporary = path == nil
    }

    /// `$XDG_STATE_HOME/sidetone` (made when missing), then the directory for temporary files.
    private static func directories(_ environment: (String) -> String?) -> [String] {
        var out: [String] = []
        var state = environment("XDG_STATE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
        if state == nil, let home = environment("HOME"), home.hasPrefix("/") {
            mkdir(home + "/.local", 0o700)
            state = home + "/.local/state"
        }
        if let state {
            mkdir(state, 0o700)
            mkdir(state + "/sidetone", 0o700)
            out.append(state + "/sidetone")
        }
        out.append(environment("TMPDIR").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp")
        return out
    }

    /// Gives standard error back. Returns the path when the file holds something.
    func restore() -> String? {
        guard saved >= 0 else { return nil }
        dup2(saved, 2)
        close(saved)
        saved = -1
        var status = stat()
        let isEmpty = stat(path, &status) != 0 || status.st_size == 0
        if isEmpty, isTemporary { unlink(path) }
        return isEmpty ? nil : path
    }
}
