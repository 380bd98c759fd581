import Glibc

/// Small files, whole, and where they are.
enum TextFile {
    /// nil (and `errno`) when it cannot be read, or is larger than `limit` (EFBIG).
    static func read(_ path: String, limit: Int) -> String? { bytes(path, limit: limit).map { String(decoding: $0, as: UTF8.self) } }

    /// The same of any file.
    static func bytes(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var out: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return out }
            out += bytes.prefix(count)
            guard out.count <= limit else {
                errno = EFBIG
                return nil
            }
        }
    }

    /// Whether others than the owner may read it.
    static func isReadableByOthers(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o077 != 0
    }

    /// Whether two paths lead to one existing file.
    static func isSame(_ one: String, _ other: String) -> Bool {
        var first = stat()
        var second = stat()
        return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// Mode 0600 from the first byte on; replaced as a whole.
    static func writePrivate(_ path: String, _ bytes: [UInt8]) -> Bool {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        guard written == bytes.count, rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            errno = code
            return false
        }
        return true
    }

    /// Makes the folder and its parents; the folder itself is of mode 0700 after it.
    static func makeFolder(_ path: String) {
        var built = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: true) {
            built += "/" + part
            mkdir(built, 0o700)
        }
        chmod(built, 0o700)
    }

    /// `$NAME`, or `$HOME` and `fallback`. A relative path does not count (XDG base directories).
    static func xdg(_ name: String, fallback: String) -> String? {
        if let value = getenv(name).map({ String(cString: $0) }), value.hasPrefix("/") { return value }
        return home.map { $0 + "/" + fallback }
    }

    static var home: String? { getenv("HOME").map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil } }

    /// `~/` at the start becomes the home folder.
    static func expanded(_ path: String) -> String {
        guard path.hasPrefix("~/"), let home else { return path }
        return home + path.dropFirst()
    }
}
