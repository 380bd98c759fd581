import CPlatform
import Core
import Engine
import Glibc
import Interface
import Runtime

/// The main thread of the commands without a screen: writes lines, and waits for signals and the one time limit.
struct HeadlessLoop {
    let output: Output
    let post: (PhoneInput) -> Void
    /// End the phone after this long (`answer --for`).
    var limit: Duration?

    /// As a shell shows a program that SIGPIPE ended.
    static let brokenPipeCode: Int32 = 141
    /// The reader of standard output went away while the phone lived; it is told to quit after this.
    var readerLeft: () -> Void = {}

    /// Returns when the phone has finished and all is written: the signal that ended it, or nil. A second signal ends the process at once.
    func run() -> Int32? {
        var streams = OutputStreams()
        var deadline = limit.map { platform_monotonic_ns() &+ UInt64(clamping: $0.totalNanoseconds) }
        var signal: Int32?
        var hasReader = true
        while true {
            let taken = output.take()
            for line in taken.lines { streams.add(line) }
            streams.write()
            if streams.isStandardOutputBroken, hasReader {
                hasReader = false
                if !taken.isFinished { readerLeft() }
                post(.command(.quit))
            }
            if taken.isFinished, streams.isEmpty { return signal }
            var wait: Int32 = -1
            if let due = deadline {
                let now = platform_monotonic_ns()
                if now >= due {
                    deadline = nil
                    post(.command(.quit))
                    continue
                }
                wait = Int32(clamping: (due - now) / 1_000_000 + 1)
            }
            var descriptors = [
                pollfd(fd: output.descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: Signals.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            descriptors += streams.polled
            _ = poll(&descriptors, nfds_t(descriptors.count), wait)
            while let number = Signals.next() {
                // The phone has had its chance, or only the last lines wait for a reader.
                if signal != nil || taken.isFinished { _exit(Signals.exitCode(number)) }
                signal = number
                post(.interrupted(signal: number))
            }
        }
    }
}
