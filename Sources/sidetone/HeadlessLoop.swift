import CPlatform
import Core
import Engine
import Glibc
import Interface
import Runtime
import Screen
import Terminal

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
    /// With `--video-out terminal`: lines for the person go below the picture.
    var pictures: Mailbox<CallPicture>?
    var painter: PicturePainter?

    /// Returns when the phone has finished and all is written: the signal that ended it, or nil. A second signal, a second or more after the first, ends the
    /// process at once.
    func run() -> Int32? {
        var streams = OutputStreams()
        var deadline = limit.map { platform_monotonic_ns() &+ UInt64(clamping: $0.totalNanoseconds) }
        var interruption = Interruption()
        var hasReader = true
        while true {
            let taken = output.take()
            for line in taken.lines {
                if let painter, line.descriptor == 1 || line.descriptor == 2 && isatty(2) == 1 { painter.line(line.text) } else { streams.add(line) }
            }
            if let picture = pictures?.take().latest { painter?.show(picture.picture) }
            painter?.flush()
            streams.write()
            if streams.isStandardOutputBroken, hasReader {
                hasReader = false
                if !taken.isFinished { readerLeft() }
                post(.command(.quit))
            }
            if taken.isFinished, streams.isEmpty {
                painter?.stop()
                return interruption.signal
            }
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
            if let painter, let pictures {
                descriptors.append(pollfd(fd: pictures.descriptor, events: Int16(POLLIN), revents: 0))
                if painter.wantsWriting { descriptors.append(pollfd(fd: painter.descriptor, events: Int16(POLLOUT), revents: 0)) }
                if let due = painter.nextDraw {
                    let now = platform_monotonic_ns()
                    let left = due <= now ? 0 : Int32(clamping: (due - now) / 1_000_000 + 1)
                    wait = wait < 0 ? left : min(wait, left)
                }
            }
            _ = poll(&descriptors, nfds_t(descriptors.count), wait)
            while let number = Signals.next(sizeChanged: { painter?.resize() }) {
                switch interruption.takes(number, isFinished: taken.isFinished, at: platform_monotonic_ns()) {
                case .end: post(.interrupted(signal: number))
                case .nothing: break
                case .endAtOnce:
                    painter?.stop()
                    _exit(Signals.exitCode(interruption.signal ?? number))
                }
            }
        }
    }
}
