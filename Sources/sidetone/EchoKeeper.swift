import AudioIO
import Glibc
import Runtime
import Synchronization

/// Holds the echo endpoint for the life of the process.
final class EchoKeeper: Sendable {
    static let shared = EchoKeeper()
    private let client = Mutex<PhoneClient?>(nil)
    func keep(_ client: PhoneClient) { self.client.withLock { $0 = client } }
}

extension AudioEngine {
    /// The wake-up descriptor, for a reader that closes its own.
    func duplicateEventFD() -> Int32 { dup(outboundEventFD) }
}
