import CPlatform
import Core
import Engine
import NIOCore
import NIOPosix

/// The kernel's word about addresses and routes (rtnetlink), told to the phone once it is quiet.
extension PhoneClient {
    /// An address comes with its routes, one message each; the phone is told once for all of them.
    private static let settling = TimeAmount.milliseconds(100)

    func watchNetwork() {
        let descriptor = platform_netlink_open()
        guard descriptor >= 0 else { return }
        NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(WakeHandler { [weak self] in self?.assumeIsolated { $0.networkChanged() } })
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .whenSuccess { [weak self] channel in
                guard let self else { return channel.close(promise: nil) }
                self.assumeIsolated { $0.isFinished ? channel.close(promise: nil) : ($0.networkWatch = channel) }
            }
    }

    private func networkChanged() {
        networkTimer?.cancel()
        networkTimer = loop.scheduleTask(in: PhoneClient.settling) { [weak self] in
            self?.assumeIsolated { $0.tell(.addressesChanged(Sockets.interfaceAddresses().usable)) }
        }
    }
}
