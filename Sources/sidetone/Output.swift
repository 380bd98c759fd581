import CPlatform
import Control
import Glibc
import Interface
import Synchronization

/// Lines for standard output and standard error, queued by the loop and written by the main thread: a slow reader stops no media.
final class Output: Sendable {
    private struct Queue {
        var lines: [(descriptor: Int32, text: String)] = []
        var isFinished = false
    }

    let descriptor: Int32
    private let json: Bool
    private let queue = Mutex(Queue())

    init(json: Bool) {
        self.json = json
        descriptor = platform_eventfd()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// With `--json` everything goes to standard output as objects; else one human line, errors and warnings on standard error.
    func event(_ event: TimedEvent) {
        if json {
            add(1, JSONLines.line(event))
            if case .notice(let severity, _, _, _) = event.event, severity != .message, let line = HumanLines.line(event.event) { add(2, line) }
        } else if let line = HumanLines.line(event.event) {
            if case .notice(let severity, _, _, _) = event.event, severity != .message { add(2, line) } else { add(1, line) }
        }
    }

    func add(_ descriptor: Int32, _ text: String) {
        queue.withLock { queue in
            // A reader that stopped reading costs lines, not memory.
            if queue.lines.count < 10_000 { queue.lines.append((descriptor, text)) }
        }
        platform_eventfd_signal(self.descriptor)
    }

    func finish() {
        queue.withLock { $0.isFinished = true }
        platform_eventfd_signal(descriptor)
    }

    /// Writes what waits. True when the phone has finished.
    func write() -> Bool {
        _ = platform_eventfd_drain(descriptor)
        let (lines, isFinished) = queue.withLock { queue in
            defer { queue.lines = [] }
            return (queue.lines, queue.isFinished)
        }
        for line in lines { Output.line(line.descriptor, line.text) }
        return isFinished
    }

    static func line(_ descriptor: Int32, _ text: String) {
        var bytes = Array(text.utf8)
        bytes.append(10)
        var written = 0
        while written < bytes.count {
            let n = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written) }
            if n < 0 && errno == EINTR { continue }
            guard n > 0 else { return }
            written += n
        }
    }

    static func usageError(_ message: String, json: Bool) {
        line(2, "sidetone: \(message)")
        guard json else { return }
        var t = timespec()
        clock_gettime(CLOCK_REALTIME, &t)
        let time = WallTime(milliseconds: Int64(t.tv_sec) * 1000 + Int64(t.tv_nsec) / 1_000_000)
        line(1, JSONLines.line(TimedEvent(time: time, event: .notice(.error, code: "usage", message: message, call: nil))))
    }
}
