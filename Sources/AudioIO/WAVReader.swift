import Core
import Glibc

/// A WAV file's samples, mixed down to mono: RIFF, 16-bit PCM (plain or WAVE_FORMAT_EXTENSIBLE), any rate.
public struct WAVAudio: Sendable, Equatable {
    public var rate: Int
    public var samples: [Int16]

    /// Files larger than this are refused.
    public static let byteLimit = 512 << 20

    public init(rate: Int, samples: [Int16]) {
        self.rate = rate
        self.samples = samples
    }

    public init(path: String) throws(AudioDeviceError) {
        let bytes = try Self.read(path)
        do {
            try self.init(bytes: bytes)
        } catch {
            throw AudioDeviceError(.format, "\(path): \(error.message)")
        }
    }

    public init(bytes: [UInt8]) throws(AudioDeviceError) {
        guard bytes.count >= 12, bytes[0..<4].elementsEqual("RIFF".utf8), bytes[8..<12].elementsEqual("WAVE".utf8) else {
            throw AudioDeviceError(.format, "not a WAV file (RIFF/WAVE header missing)")
        }
        var format: (channels: Int, rate: Int)?
        var offset = 12
        while offset + 8 <= bytes.count {
            let size = Self.u32(bytes, offset + 4)
            let start = offset + 8
            // A recorder that was cut off leaves a size that is too large: what is there counts.
            let end = min(bytes.count, start + size)
            if bytes[offset..<offset + 4].elementsEqual("fmt ".utf8) {
                format = try Self.format(bytes[start..<end])
            } else if bytes[offset..<offset + 4].elementsEqual("data".utf8) {
                guard let format else { throw AudioDeviceError(.format, "the data come before the format") }
                rate = format.rate
                samples = Self.mixDown(bytes[start..<end], channels: format.channels)
                guard !samples.isEmpty else { throw AudioDeviceError(.format, "the file has no samples") }
                return
            }
            offset = start + size + (size & 1)
        }
        throw AudioDeviceError(.format, format == nil ? "no format chunk" : "no data chunk")
    }

    private static func format(_ chunk: ArraySlice<UInt8>) throws(AudioDeviceError) -> (channels: Int, rate: Int) {
        let b = Array(chunk)
        guard b.count >= 16 else { throw AudioDeviceError(.format, "the format chunk is too short") }
        var tag = u16(b, 0)
        if tag == 0xFFFE, b.count >= 26 { tag = u16(b, 24) }
        let channels = u16(b, 2)
        let rate = u32(b, 4)
        let bits = u16(b, 14)
        guard tag == 1 else { throw AudioDeviceError(.format, "coding \(tag) is not PCM (16-bit PCM is needed)") }
        guard bits == 16 else { throw AudioDeviceError(.format, "\(bits) bits a sample (16 are needed)") }
        guard (1...8).contains(channels) else { throw AudioDeviceError(.format, "\(channels) channels (1 to 8 are possible)") }
        guard (1000...768_000).contains(rate) else { throw AudioDeviceError(.format, "\(rate) samples a second are not possible") }
        return (channels, rate)
    }

    private static func mixDown(_ data: ArraySlice<UInt8>, channels: Int) -> [Int16] {
        let frames = data.count / (2 * channels)
        return [Int16](unsafeUninitializedCapacity: frames) { out, used in
            data.withUnsafeBytes { source in
                for i in 0..<frames {
                    var sum = 0
                    for c in 0..<channels {
                        sum += Int(Int16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * (i * channels + c), as: Int16.self)))
                    }
                    out[i] = Int16(clamping: sum / channels)
                }
            }
            used = frames
        }
    }

    private static func u16(_ b: [UInt8], _ at: Int) -> Int { Int(b[at]) | Int(b[at + 1]) << 8 }
    private static func u32(_ b: [UInt8], _ at: Int) -> Int { u16(b, at) | u16(b, at + 2) << 16 }

    private static func read(_ path: String) throws(AudioDeviceError) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw AudioDeviceError(.unavailable, "\(path): \(errorText(errno))") }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw AudioDeviceError(.unavailable, "\(path): not a regular file")
        }
        guard status.st_size <= byteLimit else { throw AudioDeviceError(.format, "\(path): larger than \(byteLimit >> 20) MiB") }
        var failure: Int32 = 0
        let size = Int(status.st_size)
        let bytes = [UInt8](unsafeUninitializedCapacity: max(1, size)) { buffer, used in
            used = 0
            while used < size {
                let n = Glibc.read(fd, buffer.baseAddress.map { $0 + used }, size - used)
                if n < 0, errno == EINTR { continue }
                if n < 0 { failure = errno }
                if n <= 0 { break }
                used += n
            }
        }
        guard failure == 0 else { throw AudioDeviceError(.unavailable, "\(path): \(errorText(failure))") }
        return bytes
    }
}

/// The system's words for an error number.
func errorText(_ number: Int32) -> String {
    strerror(number).map { String(cString: $0) } ?? "error \(number)"
}
