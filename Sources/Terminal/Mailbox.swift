import CPlatform
import Glibc
import Synchronization

/// The one door from other threads to the main thread: the latest value wins, a poll on `descriptor` wakes.
public final class Mailbox<Latest: Sendable>: Sendable {
    /// What came since the last `take`.
    public struct Mail: Sendable {
        public var latest: Latest?
        public var bell = false
        /// The phone has ended every call; stays true.
        public var isFinished = false
    }

    /// Readable when something waits. -1 when the system had no descriptor left.
    public let descriptor: Int32
    private let mail = Mutex(Mail())

    public init() { descriptor = platform_eventfd() }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Replaces what was posted before and not yet taken.
    public func post(_ value: Latest) {
        mail.withLock { $0.latest = value }
        platform_eventfd_signal(descriptor)
    }

    public func ringBell() {
        mail.withLock { $0.bell = true }
        platform_eventfd_signal(descriptor)
    }

    /// Nothing is left to be done: the loop may end.
    public func finish() {
        mail.withLock { $0.isFinished = true }
        platform_eventfd_signal(descriptor)
    }

    public func take() -> Mail {
        _ = platform_eventfd_drain(descriptor)
        return mail.withLock { mail in
            let taken = mail
            mail.latest = nil
            mail.bell = false
            return taken
        }
    }
}
