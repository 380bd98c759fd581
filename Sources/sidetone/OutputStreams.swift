import Glibc

/// What is still to be written to each descriptor. Never blocks: `poll` says when there is room, and a piece of 4096 bytes fits then.
struct OutputStreams {
    private struct Stream {
        var bytes: [UInt8] = []
        /// Bytes at the front that are out already.
        var written = 0
        var isBroken = false

        mutating func advance(by count: Int) {
            written += count
            guard written == bytes.count || written > 1 << 20 else { return }
            bytes.removeFirst(written)
            written = 0
        }
    }

    private static let piece = 4096
    private var streams: [Int32: Stream] = [:]

    /// The reader of standard output is gone.
    var isStandardOutputBroken: Bool { streams[1]?.isBroken ?? false }
    var isEmpty: Bool { streams.values.allSatisfy(\.bytes.isEmpty) }
    /// To wait for.
    var polled: [pollfd] { streams.filter { !$0.value.bytes.isEmpty }.map { pollfd(fd: $0.key, events: Int16(POLLOUT), revents: 0) } }

    mutating func add(_ line: Output.Line) {
        guard streams[line.descriptor]?.isBroken != true else { return }
        streams[line.descriptor, default: Stream()].bytes += line.text.utf8
        streams[line.descriptor, default: Stream()].bytes.append(10)
    }

    /// Writes as long as there is room.
    mutating func write() {
        while true {
            var ready = polled
            guard !ready.isEmpty, poll(&ready, nfds_t(ready.count), 0) > 0 else { return }
            for entry in ready where entry.revents != 0 { writePiece(entry.fd) }
        }
    }

    private mutating func writePiece(_ descriptor: Int32) {
        guard var stream = streams.removeValue(forKey: descriptor) else { return }
        let count = stream.bytes.withUnsafeBytes { bytes in
            let rest = bytes[stream.written...].prefix(OutputStreams.piece)
            return Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        }
        if count > 0 {
            stream.advance(by: count)
        } else if count < 0, errno != EINTR, errno != EAGAIN {
            stream = Stream(isBroken: true)
        }
        streams[descriptor] = stream
    }
}
