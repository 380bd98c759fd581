import CPlatform
import Core
import Glibc
import Interface
import Screen

/// Why the loop ended.
public enum ExitCause: Sendable, Equatable {
    /// Somebody quit, here or by another door, and the phone finished.
    case quit
    /// INT, TERM or HUP, or the terminal went away (HUP); the phone finished or had its time.
    case signal(Int32)
    /// Asked a second time: the phone may not have finished.
    case forced(signal: Int32?)
    /// The phone did not finish in time.
    case timedOut(signal: Int32?)
}

/// The main thread's loop: keys, snapshots and signals in; commands and at most 20 pictures a second out.
public final class ScreenLoop {
    private enum Phase {
        case running
        /// The phone says goodbye; `deadline` in nanoseconds of the monotonic clock.
        case leaving(deadline: UInt64, signal: Int32?)
        case ended(ExitCause)
    }

    private static let drawInterval: UInt64 = 50_000_000
    private static let secondInterval: UInt64 = 1_000_000_000
    /// How long the phone may take for BYE and un-REGISTER.
    private static let patience: UInt64 = 2_500_000_000

    private let surface: any ScreenSurface
    private var model: Model
    private let mailbox: Mailbox<Snapshot>
    private let pictures: Mailbox<CallPicture>?
    private let signals: Int32
    private let send: (Command) -> Void
    private let onSignal: (Int32) -> Void
    private var phase = Phase.running
    private var isDirty = true
    /// The newest picture that is not drawn yet.
    private var waitingPicture: CallPicture?
    private var pace = PicturePace()
    private var lastDraw: UInt64 = 0
    private var nextTick: UInt64 = 0
    /// No more keys, no more pictures.
    private var terminalIsGone = false

    /// `signals`: what `platform_signalfd()` returned before any thread started, or -1. `send` carries each command to the phone; quitting by key,
    /// signal or a lost terminal sends `Command.quit` once. `onSignal` is told first.
    public init(
        session: any ScreenSurface, model: Model, mailbox: Mailbox<Snapshot>, pictures: Mailbox<CallPicture>? = nil, signals: Int32,
        send: @escaping (Command) -> Void,
        onSignal: @escaping (Int32) -> Void = { _ in }
    ) {
        surface = session
        self.model = model
        self.mailbox = mailbox
        self.pictures = pictures
        self.signals = signals
        self.send = send
        self.onSignal = onSignal
    }

    /// Blocks until the phone is done; gives the terminal back before it returns.
    public func run() -> ExitCause {
        defer { surface.restore() }
        let size = surface.size
        feed(.tick(WallTime(milliseconds: platform_wall_ms())))
        feed(.resize(columns: size.columns, rows: size.rows))
        while true {
            if case .ended(let cause) = phase { return cause }
            takeMail()
            if case .ended(let cause) = phase { return cause }
            drawWhenDue()
            let ready = wait()
            if ready.signals { takeSignals() }
            if ready.keys { for event in surface.readEvents() { feed(event) } }
            if ready.hangup {
                terminalIsGone = true
                hangUp()
            }
            passTime()
        }
    }

    private func feed(_ event: ScreenEvent) {
        if case .ended = phase { return }
        isDirty = true
        for effect in update(&model, event) {
            switch effect {
            case .command(let command): send(command)
            case .bell: surface.ringBell()
            case .redraw: surface.invalidate()
            case .quit: leave(signal: nil)
            case .quitNow: leave(signal: nil)
            }
        }
    }

    /// The first wish asks the phone, the second ends at once.
    private func leave(signal: Int32?) {
        switch phase {
        case .running:
            phase = .leaving(deadline: platform_monotonic_ns() &+ Self.patience, signal: signal)
            isDirty = true
            send(.quit)
        case .leaving(_, let first):
            phase = .ended(.forced(signal: signal ?? first))
        case .ended:
            break
        }
    }

    private func takeMail() {
        let mail = mailbox.take()
        if let snapshot = mail.latest {
            model.utcOffsetSeconds = Int(platform_utc_offset(snapshot.time.milliseconds / 1000))
            feed(.snapshot(snapshot))
        }
        if mail.bell { surface.ringBell() }
        if let picture = pictures?.take().latest { waitingPicture = picture }
        guard mail.isFinished else { return }
        switch phase {
        case .running: phase = .ended(.quit)
        case .leaving(_, let signal): phase = .ended(signal.map(ExitCause.signal) ?? .quit)
        case .ended: break
        }
    }

    private func takeSignals() {
        while true {
            let number = platform_signalfd_next(signals)
            switch number {
            case 0: return
            case SIGWINCH:
                let size = surface.resize()
                feed(.resize(columns: size.columns, rows: size.rows))
            case SIGCONT:
                surface.invalidate()
                let size = surface.resize()
                feed(.resize(columns: size.columns, rows: size.rows))
            case SIGHUP:
                // A window that closes sends it more than once: it never counts as the second wish.
                hangUp()
            default:
                onSignal(number)
                leave(signal: number)
            }
        }
    }

    /// The window was closed: nobody is left to ask.
    private func hangUp() {
        guard case .running = phase else { return }
        onSignal(SIGHUP)
        leave(signal: SIGHUP)
    }

    private func passTime() {
        let now = platform_monotonic_ns()
        if model.needsTick, now >= nextTick {
            nextTick = now &+ Self.secondInterval
            feed(.tick(WallTime(milliseconds: platform_wall_ms())))
        }
        if case .leaving(let deadline, let signal) = phase, now >= deadline { phase = .ended(.timedOut(signal: signal)) }
    }

    private func drawWhenDue() {
        let now = platform_monotonic_ns()
        guard !terminalIsGone, now &- lastDraw >= Self.drawInterval else { return }
        // A picture waits for its own time, and the newest one is drawn then.
        var hasPicture = false
        if let picture = waitingPicture, now >= pace.due.nanoseconds {
            waitingPicture = nil
            hasPicture = true
            feed(.picture(picture))
        }
        guard isDirty else { return }
        surface.draw(render(model))
        isDirty = false
        lastDraw = now
        if hasPicture { pace.drew(from: Instant(nanoseconds: now), to: Instant(nanoseconds: platform_monotonic_ns())) }
    }

    /// Milliseconds until something is due by the clock, rounded up; -1 for never.
    private func timeout() -> Int32 {
        let now = platform_monotonic_ns()
        var due: UInt64?
        func consider(_ time: UInt64) { due = min(due ?? time, time) }
        if isDirty, !terminalIsGone { consider(lastDraw &+ Self.drawInterval) }
        if waitingPicture != nil, !terminalIsGone { consider(max(pace.due.nanoseconds, lastDraw &+ Self.drawInterval)) }
        if model.needsTick { consider(nextTick) }
        if case .leaving(let deadline, _) = phase { consider(deadline) }
        guard let due else { return -1 }
        return due <= now ? 0 : Int32(clamping: (due - now + 999_999) / 1_000_000)
    }

    private func wait() -> (keys: Bool, signals: Bool, hangup: Bool) {
        var polled = [
            pollfd(fd: terminalIsGone ? -1 : surface.inputDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(fd: pictures?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&polled, nfds_t(polled.count), timeout()) > 0 else { return (false, false, false) }
        let gone = Int16(POLLHUP) | Int16(POLLERR) | Int16(POLLNVAL)
        return (polled[0].revents & Int16(POLLIN) != 0, polled[2].revents & Int16(POLLIN) != 0, polled[0].revents & gone != 0)
    }
}
