import CPlatform
import Glibc
import NIOCore
import Synchronization

/// A thread that waits until one of some sockets has something (a datagram or an error) and has the loop look at it. It reads nothing and knows
/// nothing; while the loop looks it stands still, so nothing piles up.
final class SocketWatch: Sendable {
    private final class Shared: Sendable {
        let descriptors: [Int32]
        /// Rung when the loop has looked, and at the end.
        let bell: Int32
        let isStopped = Atomic<Bool>(false)
        let loop: any EventLoop
        let body: @Sendable () -> Void

        init(descriptors: [Int32], bell: Int32, loop: any EventLoop, body: @escaping @Sendable () -> Void) {
            self.descriptors = descriptors
            self.bell = bell
            self.loop = loop
            self.body = body
        }

        deinit { close(bell) }

        func run() {
            let waiting = { (descriptor: Int32) in pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0) }
            while !isStopped.load(ordering: .acquiring) {
                var all = (descriptors + [bell]).map(waiting)
                guard poll(&all, nfds_t(all.count), -1) > 0, all.dropLast().contains(where: { $0.revents != 0 }) else { continue }
                loop.execute { [self] in
                    if !isStopped.load(ordering: .acquiring) { body() }
                    platform_eventfd_signal(bell)
                }
                var looked = [waiting(bell)]
                while poll(&looked, 1, -1) < 0 {}
                _ = platform_eventfd_drain(bell)
            }
        }
    }

    private let shared: Shared
    private let thread: pthread_t

    /// `body` runs on `loop`. The descriptors stay the caller's and stay open until `stop` has returned.
    init?(descriptors: [Int32], loop: any EventLoop, body: @escaping @Sendable () -> Void) {
        let bell = platform_eventfd()
        guard bell >= 0 else { return nil }
        shared = Shared(descriptors: descriptors, bell: bell, loop: loop, body: body)
        var made = pthread_t()
        let argument = Unmanaged.passRetained(shared)
        let result = pthread_create(
            &made, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Shared>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            return nil
        }
        thread = made
    }

    /// Ends the thread and waits for it. Once.
    func stop() {
        shared.isStopped.store(true, ordering: .releasing)
        platform_eventfd_signal(shared.bell)
        pthread_join(thread, nil)
    }
}
