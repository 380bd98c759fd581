import Codecs
import Glibc
import RTP

/// An IVF file that is written frame by frame. Its header is right at the start of each second and at the end.
///
/// Belongs to one thread at a time.
final class IVFOutput: @unchecked Sendable {
    let path: String
    private var descriptor: Int32
    private var writer = IVFWriter()
    private var length = 0
    private var sinceHeader = 0

    /// Replaces an existing file, mode 0644; nil (and `errno`) when it cannot be made.
    init?(path: String) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else { return nil }
        guard append(writer.header) else {
            let code = errno
            Glibc.close(descriptor)
            errno = code
            return nil
        }
    }

    deinit { close() }

    /// False when the file could not take it.
    func write(_ frame: VP8Frame) -> Bool {
        guard descriptor >= 0 else { return true }
        guard append(writer.frame(frame.bytes, timestamp: frame.timestamp)) else { return false }
        sinceHeader += 1
        return sinceHeader < 30 || writeHeader()
    }

    func close() {
        guard descriptor >= 0 else { return }
        _ = writeHeader()
        Glibc.close(descriptor)
        descriptor = -1
    }

    private func writeHeader() -> Bool {
        sinceHeader = 0
        return put(writer.header, at: 0)
    }

    private func append(_ bytes: [UInt8]) -> Bool {
        guard put(bytes, at: length) else { return false }
        length += bytes.count
        return true
    }

    private func put(_ bytes: [UInt8], at offset: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let n = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done)) }
            if n < 0, errno == EINTR { continue }
            if n <= 0 { return false }
            done += n
        }
        return true
    }
}
