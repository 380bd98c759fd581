import CPlatform
import Core
import Engine
import Glibc
import Interface
import Runtime

/// The main thread of the commands without a screen: writes lines, and waits for signals and the one time limit.
struct HeadlessLoop {
    /// How it ended, besides the phone's own end.
    enum End: Equatable {
        case finished
        case signal(Int32)
        /// The reader of standard output went away.
        case brokenPipe
    }

    let output: Output
    let post: (PhoneInput) -> Void
    /// End the phone after this long (`answer --for`).
    var limit: Duration?

    /// Returns when the phone has finished and all is written. A second signal ends the process at once.
    func run() -> End {
        var streams = OutputStreams()
        var deadline = limit.map { platform_monotonic_ns() &+ UInt64(clamping: $0.totalNanoseconds) }
        var end = End.finished
        while true {
            let taken = output.take()
            for line in taken.lines { streams.add(line) }
            streams.write()
            if streams.isStandardOutputBroken, end == .finished {
                end = .brokenPipe
                post(.command(.quit))
            }
            if taken.isFinished, streams.isEmpty { return end }
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
            while let signal = Signals.next() {
                // Nobody reads the last lines, or the phone has had its chance.
                if case .signal = end { _exit(Signals.exitCode(signal)) }
                if taken.isFinished { _exit(Signals.exitCode(signal)) }
                end = .signal(signal)
                post(.interrupted(signal: signal))
            }
        }
    }
}

extension HeadlessLoop.End {
    /// The exit code when the phone's own does not count; nil when it does.
    var exitCode: Int32? {
        switch self {
        case .finished: nil
        case .signal(let number): Signals.exitCode(number)
        // As a shell shows a program that SIGPIPE ended.
        case .brokenPipe: 141
        }
    }
}
