import Glibc

/// A password: from a file, from `SIDETONE_PASSWORD`, or from a prompt. Never from the command line.
enum Password {
    static func read(file: String?, account: String) throws -> String? {
        if let file {
            guard let text = TextFile.read(file, limit: 4096) else { throw UsageError("--password-file: cannot read \(file): \(String(cString: strerror(errno)))") }
            let line = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init) ?? ""
            return line.hasSuffix("\r") ? String(line.dropLast()) : line
        }
        if let value = getenv("SIDETONE_PASSWORD") { return String(cString: value) }
        guard isatty(0) == 1, isatty(2) == 1, let typed = getpass("Password of \(account): ") else { return nil }
        return String(cString: typed)
    }
}

/// Small files, whole.
enum TextFile {
    /// nil (and `errno`) when it cannot be read.
    static func read(_ path: String, limit: Int) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = fread(&bytes, 1, limit, file)
        guard ferror(file) == 0 else { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Mode 0600 from the first byte on; replaced as a whole.
    static func writePrivate(_ path: String, _ bytes: [UInt8]) -> Bool {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        return written == bytes.count && rename(temporary, path) == 0
    }

    /// Makes the folder and its parents, mode 0700.
    static func makeFolder(_ path: String) {
        var built = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: true) {
            built += "/" + part
            mkdir(built, 0o700)
        }
    }

    /// `$NAME`, or `$HOME` and `fallback`.
    static func xdg(_ name: String, fallback: String) -> String? {
        if let value = getenv(name).map({ String(cString: $0) }), value.hasPrefix("/") { return value }
        return getenv("HOME").map { String(cString: $0) + "/" + fallback }
    }
}
