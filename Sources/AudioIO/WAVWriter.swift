import Core
import Glibc

/// A 16-bit WAV file, mono unless asked otherwise, whose header is right at any moment that matters: it is rewritten at least once a second and at the end.
///
/// Belongs to one thread at a time.
public final class WAVWriter {
    public let path: String
    public private(set) var rate: Int
    public let channels: Int
    /// Samples written.
    public private(set) var count = 0
    private var fd: Int32
    private var sinceHeader = 0
    private static let headerBytes = 44
    private static let limit = Int(UInt32.max) / 2 - 100

    /// Replaces an existing file; mode 0644.
    public init(path: String, rate: Int = 48000, channels: Int = 1) throws(AudioDeviceError) {
        self.path = path
        self.rate = rate
        self.channels = max(1, channels)
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard fd >= 0 else { throw AudioDeviceError(.unavailable, "\(path): \(errorText(errno))") }
        guard writeHeader() else {
            let code = errno
            close(fd)
            fd = -1
            throw AudioDeviceError(.unavailable, "\(path): \(errorText(code))")
        }
    }

    deinit { finish() }

    /// Only before the first sample.
    public func setRate(_ rate: Int) {
        guard count == 0, rate > 0, rate != self.rate else { return }
        self.rate = rate
        _ = writeHeader()
    }

    /// Appends samples. False when the file could not take them (disk full, over 2 GiB, closed).
    public func append(_ samples: UnsafeBufferPointer<Int16>) -> Bool {
        guard fd >= 0, count + samples.count <= Self.limit else { return false }
        guard !samples.isEmpty else { return true }
        // The machines that this runs on are little-endian, as the file is.
        let bytes = UnsafeRawBufferPointer(samples)
        guard write(bytes, at: Self.headerBytes + 2 * count) else { return false }
        count += samples.count
        sinceHeader += samples.count
        if sinceHeader >= rate * channels { return writeHeader() }
        return true
    }

    /// The header as of now.
    @discardableResult
    public func flush() -> Bool { sinceHeader == 0 || writeHeader() }

    public func finish() {
        guard fd >= 0 else { return }
        flush()
        close(fd)
        fd = -1
    }

    private func writeHeader() -> Bool {
        let data = UInt32(clamping: 2 * count)
        var b: [UInt8] = []
        func u16(_ v: Int) {
            b.append(UInt8(truncatingIfNeeded: v))
            b.append(UInt8(truncatingIfNeeded: v >> 8))
        }
        func u32(_ v: UInt32) {
            u16(Int(v & 0xFFFF))
            u16(Int(v >> 16))
        }
        b += "RIFF".utf8
        u32(36 + data)
        b += "WAVEfmt ".utf8
        u32(16)
        u16(1)
        u16(channels)
        u32(UInt32(clamping: rate))
        u32(UInt32(clamping: 2 * channels * rate))
        u16(2 * channels)
        u16(16)
        b += "data".utf8
        u32(data)
        sinceHeader = 0
        return b.withUnsafeBytes { write($0, at: 0) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let n = pwrite(fd, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if n < 0, errno == EINTR { continue }
            if n <= 0 { return false }
            done += n
        }
        return true
    }
}
