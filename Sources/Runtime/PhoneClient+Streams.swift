import Core
import Engine
import Glibc
import NIOCore
import NIOPosix
import Secure

/// Connections to TURN servers over TCP and TLS: bytes both ways, nothing else.
extension PhoneClient {
    func openStream(_ id: MediaStreamID, secure: Bool, to: Core.SocketAddress, serverName: String) {
        guard let remote = Sockets.nio(to), let local = localAddress(toward: to.ip), let source = Sockets.nio(Core.SocketAddress(local, 0)) else {
            return post(.streamClosed(id, reason: "no route to \(to.ip)"))
        }
        streams[id] = .some(nil)
        ClientBootstrap(group: loop).connectTimeout(.seconds(8)).bind(to: source).connect(to: remote).whenComplete { [weak self] result in
            self?.assumeIsolated { me in
                switch result {
                case .success(let channel): me.reached(channel, id, secure: secure, serverName: serverName)
                case .failure(let error): me.lost(id, PhoneClient.words(PhoneClient.failure(error)))
                }
            }
        }
    }

    private func reached(_ channel: any Channel, _ id: MediaStreamID, secure: Bool, serverName: String) {
        guard streams[id] != nil else {
            channel.close(promise: nil)
            return
        }
        streams[id] = channel
        guard secure else { return open(channel, id) }
        let patience = loop.scheduleTask(in: .nanoseconds(transports.handshakeLimit.totalNanoseconds)) { [weak self] () -> Void in
            self?.assumeIsolated { $0.lost(id, "the TLS handshake timed out") }
        }
        let context: TLSContext
        do throws(TLSFailure) { context = try clientContext() } catch { return lost(id, error.description) }
        let connection = TLSConnection(client: context, server: TLSPeerName(serverName, rules: .web), unixTime: Int64(time(nil)))
        let handler = tlsHandler(connection) { me, result in
            patience.cancel()
            switch result {
            case .success: me.open(channel, id)
            case .failure(let failure): me.lost(id, failure.description)
            }
        }
        do { try channel.pipeline.syncOperations.addHandler(handler) } catch { lost(id, "\(error)") }
    }

    private func open(_ channel: any Channel, _ id: MediaStreamID) {
        guard streams[id] != nil, let local = channel.localAddress.flatMap(Sockets.address(of:)) else { return lost(id, "the connection was lost") }
        let handler = StreamHandler { [weak self] bytes in
            self?.assumeIsolated { me in
                let now = PhoneClient.now()
                me.phone.receiveStream(bytes, stream: id, at: now)
                me.drain(at: now)
            }
        } closed: { [weak self] in
            self?.assumeIsolated { $0.lost(id, "the server closed the connection") }
        }
        try? channel.pipeline.syncOperations.addHandler(handler)
        tell(.streamOpened(id, local: local))
    }

    /// Media that does not get away is better lost than late.
    func sendStream(_ id: MediaStreamID, _ bytes: [UInt8]) {
        guard let channel = streams[id] ?? nil, channel.isWritable else { return }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// What was sent before is delivered first, when the server takes it within some seconds.
    func closeStream(_ id: MediaStreamID) {
        guard let channel = streams.removeValue(forKey: id) ?? nil else { return }
        let limit = loop.scheduleTask(in: .seconds(5)) { () -> Void in channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in limit.cancel() }
        channel.writeAndFlush(ByteBuffer()).whenComplete { _ in channel.close(promise: nil) }
    }

    private func lost(_ id: MediaStreamID, _ reason: String) {
        guard let channel = streams.removeValue(forKey: id) else { return }
        channel?.close(promise: nil)
        tell(.streamClosed(id, reason: reason))
    }
}
