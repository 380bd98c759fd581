import CPlatform
import Engine
import Glibc
import Runtime
import Synchronization

/// The client, once it exists: its own observer needs it.
final class ClientBox: Sendable {
    private let client = Mutex<PhoneClient?>(nil)
    func set(_ client: PhoneClient) { self.client.withLock { $0 = client } }
    func post(_ input: PhoneInput) { client.withLock { $0 }?.post(input) }
}

/// Waits on the main thread for work of the concurrency pool, before the main loop. A signal meanwhile ends the process: nothing has begun.
enum Blocking {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
        let result = Mutex<Value?>(nil)
        let done = platform_eventfd()
        Task.detached {
            let value = await body()
            result.withLock { $0 = value }
            platform_eventfd_signal(done)
        }
        while true {
            var polled = [pollfd(fd: done, events: Int16(POLLIN), revents: 0), pollfd(fd: Signals.descriptor, events: Int16(POLLIN), revents: 0)]
            _ = poll(&polled, 2, -1)
            if let value = result.withLock({ $0 }) {
                close(done)
                return value
            }
            if let signal = Signals.next() { _exit(Signals.exitCode(signal)) }
        }
    }

    /// The same without an eye for signals, for the end of things.
    static func wait(_ body: @escaping @Sendable () async -> Void) {
        let done = platform_eventfd()
        Task.detached {
            await body()
            platform_eventfd_signal(done)
        }
        var polled = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
        while poll(&polled, 1, -1) < 0, errno == EINTR {}
        close(done)
    }
}
