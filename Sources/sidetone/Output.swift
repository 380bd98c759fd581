import CPlatform
import Control
import Glibc
import Interface
import Synchronization

/// Lines for standard output, standard error and the log, queued by the loop and written by the main thread: a slow reader stops no media.
final class Output: Sendable {
    struct Line: Sendable {
        var descriptor: Int32
        var text: String
    }

    private struct Queue {
        var lines: [Line] = []
        var isFinished = false
    }

    /// Figures that nobody reads are left out first; at the hard limit everything is.
    private static let softLimit = 1_000
    private static let hardLimit = 100_000

    /// Readable when something waits.
    let descriptor: Int32
    private let json: Bool
    /// Links are shown as codes too.
    private let showsCodes: Bool
    private let log: LogSettings
    private let queue = Mutex(Queue())

    init(json: Bool, log: LogSettings, showsCodes: Bool = false) {
        self.json = json
        self.showsCodes = showsCodes
        self.log = log
        descriptor = platform_eventfd()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Objects on standard output with `--json`, else one human line; warnings and errors (and, when the log asks for it, all lines) on
    /// standard error.
    func event(_ event: TimedEvent) {
        if json {
            var isFigures = false
            if case .callStats = event.event { isFigures = true }
            add(1, JSONLines.line(event), isDispensable: isFigures)
        }
        guard let line = HumanLines.line(event.event) else { return }
        let level = LogLevel(event.event)
        if level == .info {
            if !json {
                add(1, line)
                if showsCodes, case .link(let url, _) = event.event { for line in TerminalCode.lines(url) { add(1, line) } }
            } else if log.level >= .info, log.descriptor == nil, let line = HumanLines.logged(event.event) {
                add(2, line)
            }
        } else if level <= log.level {
            add(2, line)
        }
    }

    func add(_ descriptor: Int32, _ text: String, isDispensable: Bool = false) {
        queue.withLock { queue in
            if queue.lines.count < (isDispensable ? Output.softLimit : Output.hardLimit) {
                queue.lines.append(Line(descriptor: descriptor, text: text))
            }
        }
        platform_eventfd_signal(self.descriptor)
    }

    /// The phone has finished: nothing more will come.
    func finish() {
        queue.withLock { $0.isFinished = true }
        platform_eventfd_signal(descriptor)
    }

    /// What waits to be written; main thread.
    func take() -> (lines: [Line], isFinished: Bool) {
        _ = platform_eventfd_drain(descriptor)
        return queue.withLock { queue in
            defer { queue.lines = [] }
            return (queue.lines, queue.isFinished)
        }
    }

    // MARK: at once

    /// Blocks until the line is out: only before and after the phone lives.
    static func line(_ descriptor: Int32, _ text: String) { raw(descriptor, text + "\n") }

    static func raw(_ descriptor: Int32, _ text: String) {
        let bytes = Array(text.utf8)
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
        let time = WallTime(milliseconds: platform_wall_ms())
        line(1, JSONLines.line(TimedEvent(time: time, event: .notice(.error, code: "usage", message: message, call: nil))))
    }
}
