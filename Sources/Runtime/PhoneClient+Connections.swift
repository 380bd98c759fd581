import Core
import Engine
import Glibc
import NIOCore
import NIOPosix
import SIP
import Secure

/// Connections of TCP, TLS and WebSocket: listened for, opened, secured, lost.
extension PhoneClient {
    /// Accepted TLS connections whose handshake is not done: more are closed.
    static let acceptedHandshakeLimit = 64

    func openServer(_ listener: ListenSpecification) async throws {
        let name = listener.transport.rawValue
        guard let address = Sockets.nio(listener.address) else { throw StartError(message: "cannot listen on \(name):\(listener.address)") }
        if listener.transport == .tls, serverTLS == nil {
            do throws(TLSFailure) {
                serverTLS = try TLSContext(role: .server, configuration: tlsConfiguration)
            } catch { throw StartError(message: "cannot listen on \(name):\(listener.address): \(error)") }
        }
        let descriptor = socket(
            listener.address.ip.isV4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let bound = address.withSockAddr { pointer, length in bind(descriptor, pointer, socklen_t(length)) }
        guard descriptor >= 0, bound == 0, listen(descriptor, 64) == 0 else {
            let text = String(cString: strerror(errno))
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw StartError(message: "cannot listen on \(name):\(listener.address): \(text)")
        }
        let port = platformPort(descriptor)
        let transport = listener.transport
        // Unlike a datagram channel, a server channel takes turns of the loop to be made.
        let future = ServerBootstrap(group: loop)
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture { try self?.assumeIsolated { try $0.accepted(channel, transport) } }
            }
            .withBoundSocket(descriptor)
        let server: any Channel
        do {
            server = try await future.get()
        } catch {
            throw StartError(message: "cannot listen on \(name):\(listener.address): \(error)")
        }
        servers.append(server)
        let local = Core.SocketAddress(listener.address.ip, port)
        signalling.append(SignallingSocket(transport: transport, address: local, descriptor: descriptor))
    }

    /// WebSocket listens nowhere; the address that connections are to come from must be ours.
    func checkSource(_ listener: ListenSpecification) throws {
        do throws(Sockets.BindError) {
            Glibc.close(try Sockets.bindUDP(Core.SocketAddress(listener.address.ip, 0), errors: false).descriptor)
        } catch { throw StartError(message: "cannot send from \(listener.transport.rawValue):\(listener.address.ip.uriHost): \(error.text)") }
    }

    private func accepted(_ channel: any Channel, _ transport: SIPTransport) throws {
        guard let local = channel.localAddress.flatMap(Sockets.address(of:)), let remote = channel.remoteAddress.flatMap(Sockets.address(of:)) else {
            return
        }
        guard transport == .tls else { return try announce(channel, transport, local, remote) }
        guard let serverTLS, acceptedHandshakes < PhoneClient.acceptedHandshakeLimit else {
            channel.close(promise: nil)
            return
        }
        acceptedHandshakes += 1
        let patience = loop.scheduleTask(in: .nanoseconds(transports.handshakeLimit.totalNanoseconds)) { channel.close(promise: nil) }
        try channel.pipeline.syncOperations.addHandler(
            tlsHandler(TLSConnection(server: serverTLS, unixTime: Int64(time(nil)))) { me, result in
                patience.cancel()
                me.acceptedHandshakes -= 1
                if case .success = result { try? me.announce(channel, transport, local, remote) }
            })
    }

    private func announce(_ channel: any Channel, _ transport: SIPTransport, _ local: Core.SocketAddress, _ remote: Core.SocketAddress) throws {
        let id = ConnectionID(raw: nextAccepted)
        nextAccepted &+= 2
        let flow = SIPFlow(transport: transport, local: local, remote: remote, connection: id)
        connections[id] = channel
        try channel.pipeline.syncOperations.addHandler(streamHandler(flow))
        let now = PhoneClient.now()
        phone.handle(.signalling(.accepted(flow)), at: now)
        drain(at: now)
    }

    private func streamHandler(_ flow: SIPFlow) -> StreamHandler {
        StreamHandler { [weak self] bytes in
            self?.assumeIsolated { me in
                let now = PhoneClient.now()
                me.phone.receiveSignallingStream(bytes, flow: flow, at: now)
                me.drain(at: now)
            }
        } closed: { [weak self] in
            self?.assumeIsolated { $0.lost(flow) }
        }
    }

    /// Each WebSocket message is one SIP message, whatever its Content-Length says (RFC 7118 §5).
    func webSocketHandler(_ flow: SIPFlow, isServer: Bool = false) -> WebSocketHandler {
        WebSocketHandler(isServer: isServer) { [weak self] message in
            self?.assumeIsolated { me in
                let now = PhoneClient.now()
                me.phone.receiveSignalling(message, flow: flow, at: now)
                me.drain(at: now)
            }
        } closed: { [weak self] in
            self?.assumeIsolated { $0.lost(flow) }
        }
    }

    private func lost(_ flow: SIPFlow) {
        guard let id = flow.connection, connections.removeValue(forKey: id) != nil else { return }
        tell(.signalling(.closed(id)))
    }

    func tlsHandler(_ connection: TLSConnection, completed: @escaping @Sendable (isolated PhoneClient, Result<TLSNegotiated, TLSFailure>) -> Void)
        -> TLSHandler
    {
        TLSHandler(connection) { [observer] line in
            observer.keyLog(line)
        } completed: { [weak self] result in
            self?.assumeIsolated { completed($0, result) }
        }
    }

    var tlsConfiguration: TLSConfiguration {
        var configuration = TLSConfiguration(trust: transports.trust, identity: transports.identity)
        configuration.keyLog = logsKeys
        return configuration
    }

    /// Made when it is first needed: reading the system's store takes some milliseconds.
    func clientContext() throws(TLSFailure) -> TLSContext {
        if let clientTLS { return clientTLS }
        let made = try TLSContext(role: .client, configuration: tlsConfiguration)
        clientTLS = made
        return made
    }

    // MARK: opening

    /// What one connection is to become.
    private struct Attempt: Sendable {
        var id: ConnectionID
        var transport: SIPTransport
        var remote: Core.SocketAddress
        var serverName: String
    }

    func connect(_ id: ConnectionID, _ transport: SIPTransport, from: Core.SocketAddress?, to: Core.SocketAddress, serverName: String) {
        guard transport != .udp, let remote = Sockets.nio(to) else {
            post(.signalling(.connectionFailed(id, reason: .other("\(transport.rawValue.uppercased()) has no connections"))))
            return
        }
        let attempt = Attempt(id: id, transport: transport, remote: to, serverName: serverName)
        var bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(8))
        if let from, !from.ip.isUnspecified, let local = Sockets.nio(Core.SocketAddress(from.ip, 0)) { bootstrap = bootstrap.bind(to: local) }
        connecting[id] = .some(nil)
        bootstrap.connect(to: remote).whenComplete { [weak self] result in
            self?.assumeIsolated { me in
                switch result {
                case .success(let channel): me.reached(channel, attempt)
                case .failure(let error): me.failed(id, PhoneClient.failure(error))
                }
            }
        }
    }

    /// The TCP connection stands. The phone may have given it up meanwhile.
    private func reached(_ channel: any Channel, _ attempt: Attempt) {
        guard connecting[attempt.id] != nil else {
            channel.close(promise: nil)
            return
        }
        connecting[attempt.id] = channel
        let patience = loop.scheduleTask(in: .nanoseconds(transports.handshakeLimit.totalNanoseconds)) { [weak self] () -> Void in
            self?.assumeIsolated { $0.failed(attempt.id, .timeout) }
        }
        channel.closeFuture.whenComplete { _ in patience.cancel() }
        guard attempt.transport.isSecure else {
            if attempt.transport == .tcp { open(channel, attempt, patience) } else { upgrade(channel, attempt, patience) }
            return
        }
        let context: TLSContext
        do throws(TLSFailure) { context = try clientContext() } catch { return failed(attempt.id, .tls(error.description)) }
        let name = TLSPeerName(attempt.serverName, rules: attempt.transport == .tls ? .sip : .web)
        let handler = tlsHandler(TLSConnection(client: context, server: name, unixTime: Int64(time(nil)))) { me, result in
            switch result {
            case .failure(let failure): me.failed(attempt.id, .tls(failure.description))
            case .success:
                guard me.connecting[attempt.id] != nil else { return }
                if attempt.transport == .tls { me.open(channel, attempt, patience) } else { me.upgrade(channel, attempt, patience) }
            }
        }
        do { try channel.pipeline.syncOperations.addHandler(handler) } catch { failed(attempt.id, .other("\(error)")) }
    }

    private func upgrade(_ channel: any Channel, _ attempt: Attempt, _ patience: Scheduled<Void>) {
        guard let local = channel.localAddress.flatMap(Sockets.address(of:)) else { return failed(attempt.id, .other("the connection was lost")) }
        let flow = SIPFlow(transport: attempt.transport, local: local, remote: attempt.remote, connection: attempt.id)
        let port = attempt.remote.port == attempt.transport.defaultPort ? "" : ":\(attempt.remote.port)"
        do {
            try WebSocketUpgrade.begin(
                on: channel, host: attempt.serverName + port, path: transports.webSocketPath, handler: webSocketHandler(flow),
                opened: { [weak self] in self?.assumeIsolated { $0.opened(channel, flow, patience) } },
                refused: { [weak self] text in self?.assumeIsolated { $0.failed(attempt.id, .other(text)) } })
        } catch { failed(attempt.id, .other("\(error)")) }
    }

    private func open(_ channel: any Channel, _ attempt: Attempt, _ patience: Scheduled<Void>) {
        guard let local = channel.localAddress.flatMap(Sockets.address(of:)) else { return failed(attempt.id, .other("the connection was lost")) }
        let flow = SIPFlow(transport: attempt.transport, local: local, remote: attempt.remote, connection: attempt.id)
        try? channel.pipeline.syncOperations.addHandler(streamHandler(flow))
        opened(channel, flow, patience)
    }

    private func opened(_ channel: any Channel, _ flow: SIPFlow, _ patience: Scheduled<Void>) {
        patience.cancel()
        guard let id = flow.connection, connecting.removeValue(forKey: id) != nil else {
            channel.close(promise: nil)
            return
        }
        connections[id] = channel
        tell(.signalling(.connected(id, local: flow.local, remote: flow.remote)))
    }

    private func failed(_ id: ConnectionID, _ reason: ConnectionFailure) {
        guard let channel = connecting.removeValue(forKey: id) else { return }
        channel?.close(promise: nil)
        tell(.signalling(.connectionFailed(id, reason: reason)))
    }

    /// The phone does not want it any more, made or not.
    func closeConnection(_ id: ConnectionID) {
        if let channel = connecting.removeValue(forKey: id) { channel?.close(promise: nil) }
        connections.removeValue(forKey: id)?.close(promise: nil)
    }

    static func words(_ failure: ConnectionFailure) -> String {
        switch failure {
        case .refused: "connection refused"
        case .timeout: "connection timed out"
        case .tls(let text), .other(let text): text
        }
    }

    static func failure(_ error: any Error) -> ConnectionFailure {
        if let error = error as? IOError {
            return error.errnoCode == ECONNREFUSED ? .refused : .other(String(cString: strerror(error.errnoCode)))
        }
        if let error = error as? ChannelError, case .connectTimeout = error { return .timeout }
        return .other(String(describing: error))
    }
}

private func platformPort(_ descriptor: Int32) -> UInt16 {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    guard result == 0 else { return 0 }
    // The port stands at the same place in both families.
    return withUnsafeBytes(of: &storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
}
