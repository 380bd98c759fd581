import CPlatform
import Engine
import Glibc
import Interface
import Runtime
import Synchronization

/// The main thread of the commands without a screen: waits for lines to print, signals and the one time limit.
struct HeadlessLoop {
    let output: Output
    let client: PhoneClient
    /// End the phone after this long (`answer --for`).
    var limitSeconds: Double?

    /// Returns when the phone has finished. The number of the signal that ended it, or nil.
    func run() -> Int32? {
        var limit = limitSeconds.map { platform_monotonic_ns() &+ UInt64($0 * 1e9) }
        var signal: Int32?
        while true {
            if output.write() { return signal }
            var wait: Int32 = -1
            if let due = limit {
                let now = platform_monotonic_ns()
                if now >= due {
                    limit = nil
                    client.post(.command(.quit))
                    continue
                }
                wait = Int32(clamping: (due - now) / 1_000_000 + 1)
            }
            var descriptors = [
                pollfd(fd: output.descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: Signals.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&descriptors, 2, wait)
            while case let number = platform_signalfd_next(Signals.descriptor), number != 0 {
                guard number == SIGINT || number == SIGTERM || number == SIGHUP else { continue }
                if signal != nil { _exit(128 + number) }
                signal = number
                client.post(.interrupted(signal: number))
            }
        }
    }
}
