import Audio
import CPlatform
import Glibc
import Synchronization

/// Writes decoded audio to WAV files off the tick, on a thread that exists from the first file on and sleeps while there is none.
final class FileDrain: @unchecked Sendable {
    /// Touched under the lock only.
    private final class Entry: @unchecked Sendable {
        let sink: PCMSink
        let writer: WAVWriter
        var isBroken = false

        init(sink: PCMSink, writer: WAVWriter) {
            self.sink = sink
            self.writer = writer
        }
    }
    private enum Life {
        case idle
        case running(PlatformThread)
        case closed
    }

    private let entries = Mutex<[Entry]>([])
    private let notices: AudioNotices
    private let wakeFD: Int32
    private let isClosing = Atomic<Bool>(false)
    private var life = Life.idle

    init(notices: AudioNotices) {
        self.notices = notices
        wakeFD = platform_eventfd()
    }

    deinit { if wakeFD >= 0 { close(wakeFD) } }

    /// Owner's thread only.
    func add(_ sink: PCMSink, writer: sending WAVWriter) {
        let entry = Entry(sink: sink, writer: writer)
        entries.withLock { $0.append(entry) }
        platform_eventfd_signal(wakeFD)
        if case .idle = life, let thread = PlatformThread({ self.run() }) { life = .running(thread) }
    }

    /// Writes the rest, whatever state the sinks are in, and closes all files. Owner's thread only.
    func finish() {
        isClosing.store(true, ordering: .releasing)
        platform_eventfd_signal(wakeFD)
        if case .running(let thread) = life { thread.join() }
        life = .closed
        entries.withLock { list in
            for entry in list {
                drain(entry)
                entry.writer.finish()
            }
            list = []
        }
    }

    private func run() {
        var descriptor = pollfd(fd: wakeFD, events: Int16(POLLIN), revents: 0)
        while !isClosing.load(ordering: .acquiring) {
            // With nothing to write the thread sleeps until it is told of a file or of the end.
            let isIdle = entries.withLock { $0.isEmpty }
            _ = poll(&descriptor, 1, isIdle ? -1 : 200)
            _ = platform_eventfd_drain(wakeFD)
            entries.withLock { list in
                for entry in list { drain(entry) }
                list.removeAll { entry in
                    guard entry.sink.isFinished else { return false }
                    drain(entry)
                    entry.writer.finish()
                    return true
                }
            }
        }
    }

    private func drain(_ entry: Entry) {
        if let rate = entry.sink.rate { entry.writer.setRate(rate) }
        var isWhole = true
        let writer = entry.writer
        entry.sink.drain { if isWhole { isWhole = writer.append($0) } }
        if !isWhole, !entry.isBroken {
            entry.isBroken = true
            notices.add(AudioWarning(code: "audio-file", message: "\(writer.path): \(errorText(errno)); the recording stops here"))
        }
    }
}
