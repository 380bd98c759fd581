import CPlatform
import Synchronization

/// One thing that a person should know about the audio devices.
public struct AudioWarning: Sendable, Equatable {
    /// Kebab-case, for `warning` events.
    public var code: String
    /// One line.
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// Warnings on their way to the loop. Written off the regular path only: a device was lost, a disk is full.
final class AudioNotices: Sendable {
    private let list = Mutex<[AudioWarning]>([])
    private let eventFD: Int32

    init(eventFD: Int32) { self.eventFD = eventFD }

    /// At most 64 are kept.
    func add(_ warning: AudioWarning) {
        list.withLock { if $0.count < 64, $0.last != warning { $0.append(warning) } }
        platform_eventfd_signal(eventFD)
    }

    func take() -> [AudioWarning] {
        list.withLock {
            let all = $0
            $0 = []
            return all
        }
    }
}
