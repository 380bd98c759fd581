import Core
import Engine
import Glibc
import NIOCore
import NIOPosix
import SIP

extension PhoneClient {
    func openListeners() async throws {
        for listener in listeners {
            switch listener.transport {
            case .udp: try openUDP(listener)
            case .tcp: try await openTCP(listener)
            case .tls, .ws, .wss: throw StartError(message: "not in this version: --listen \(listener.transport.rawValue)")
            }
        }
    }

    private func openUDP(_ listener: ListenSpecification) throws {
        let bound: (descriptor: Int32, address: Core.SocketAddress)
        do {
            bound = try Sockets.bindUDP(listener.address, errors: true)
        } catch {
            guard error.errno == EADDRINUSE, !listener.isExplicit, listener.address.port != 0 else {
                throw StartError(message: "cannot listen on udp:\(listener.address): \(error.text)")
            }
            do {
                bound = try Sockets.bindUDP(Core.SocketAddress(listener.address.ip, 0), errors: true)
            } catch {
                throw StartError(message: "cannot listen on udp:\(listener.address.ip.uriHost): \(error.text)")
            }
            phone.handle(
                .warning(code: "port-taken", message: "UDP port \(listener.address.port) is taken; listening on \(bound.address.port)"),
                at: PhoneClient.now())
        }
        signalling.append(SignallingSocket(transport: .udp, address: bound.address, descriptor: bound.descriptor))
    }

    /// Signalling over UDP is read past SwiftNIO, which ends the process or the channel at most errors that the kernel reports for a datagram sent
    /// before (host unreachable). A thread that does nothing but wait says when there is something.
    func watchSignalling() throws {
        let descriptors = signalling.filter { $0.transport == .udp }.map(\.descriptor)
        guard !descriptors.isEmpty else { return }
        guard let watch = SocketWatch(descriptors: descriptors, loop: loop, body: { [weak self] in self?.assumeIsolated { $0.readSignalling() } })
        else { throw StartError(message: "cannot make a thread") }
        socketWatch = watch
    }

    private func readSignalling() {
        for index in signalling.indices where signalling[index].transport == .udp {
            for _ in 0..<16 {
                guard signalling.indices.contains(index), let datagram = Sockets.receive(descriptor: signalling[index].descriptor) else { break }
                received(datagram.bytes, from: datagram.from, onListener: index)
            }
            guard signalling.indices.contains(index) else { return }
            unreachable(descriptor: signalling[index].descriptor)
        }
    }

    /// A registered channel around a bound descriptor, made on the loop itself.
    func datagramChannel(
        descriptor: Int32, largest: Int = 65_535, received: @escaping @Sendable (AddressedEnvelope<ByteBuffer>) -> Void,
        closed: @escaping @Sendable () -> Void
    ) throws -> any Channel {
        let made = NIOLoopBoundBox<(any Channel)?>(nil, eventLoop: loop)
        let future = DatagramBootstrap(group: loop)
            // Media comes one packet at a time: a second read would only say that there is none.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: largest))
            .channelInitializer { channel in
                made.value = channel
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(received: received, closed: closed))
                }
            }
            .withBoundSocket(descriptor)
        future.whenFailure { _ in }
        guard let made = made.value else { throw StartError(message: "cannot use a socket on this loop") }
        return made
    }

    private func received(_ datagram: [UInt8], from remote: Core.SocketAddress, onListener index: Int) {
        let now = PhoneClient.now()
        let flow = SIPFlow(transport: .udp, local: specific(signalling[index].address, toward: remote.ip), remote: remote)
        phone.receiveSignalling(datagram, flow: flow, at: now)
        drain(at: now)
    }

    private func unreachable(descriptor: Int32) {
        let addresses = Sockets.unreachable(descriptor: descriptor)
        guard !addresses.isEmpty else { return }
        let now = PhoneClient.now()
        for address in addresses { phone.handle(.signalling(.unreachable(.udp, address)), at: now) }
        drain(at: now)
    }

    /// The address that a wildcard socket has toward a peer.
    func specific(_ address: Core.SocketAddress, toward remote: IPAddress) -> Core.SocketAddress {
        guard address.ip.isUnspecified, let route = Sockets.route(to: remote) else { return address }
        return Core.SocketAddress(route, address.port)
    }

    func sendSignalling(_ transmit: SIPTransmit) {
        if let id = transmit.flow.connection {
            guard let channel = connections[id] else { return }
            // A peer that does not read what it asks for would have us keep it all.
            if channel.isWritable { channel.writeAndFlush(ByteBuffer(bytes: transmit.bytes), promise: nil) } else { channel.close(promise: nil) }
            return
        }
        let local = transmit.flow.local
        let socket =
            signalling.first { $0.transport == .udp && $0.address == local }
            ?? signalling.first {
                $0.transport == .udp && $0.address.port == local.port && $0.address.ip.isUnspecified && $0.address.ip.isV4 == local.ip.isV4
            }
            ?? signalling.first { $0.transport == .udp && $0.address.ip.isV4 == local.ip.isV4 }
        guard let socket else { return }
        Sockets.send(transmit.bytes, to: transmit.flow.remote, descriptor: socket.descriptor)
    }

    // MARK: TCP

    private func openTCP(_ listener: ListenSpecification) async throws {
        guard let address = Sockets.nio(listener.address) else { throw StartError(message: "cannot listen on tcp:\(listener.address)") }
        let descriptor = socket(
            listener.address.ip.isV4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let bound = address.withSockAddr { pointer, length in bind(descriptor, pointer, socklen_t(length)) }
        guard descriptor >= 0, bound == 0, listen(descriptor, 64) == 0 else {
            let text = String(cString: strerror(errno))
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw StartError(message: "cannot listen on tcp:\(listener.address): \(text)")
        }
        let port = platformPort(descriptor)
        // Unlike a datagram channel, a server channel takes turns of the loop to be made.
        let future = ServerBootstrap(group: loop)
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture { try self?.assumeIsolated { try $0.accepted(channel) } }
            }
            .withBoundSocket(descriptor)
        let server: any Channel
        do {
            server = try await future.get()
        } catch {
            throw StartError(message: "cannot listen on tcp:\(listener.address): \(error)")
        }
        servers.append(server)
        let local = Core.SocketAddress(listener.address.ip, port)
        signalling.append(SignallingSocket(transport: .tcp, address: local, descriptor: descriptor))
    }

    private func accepted(_ channel: any Channel) throws {
        guard let local = channel.localAddress.flatMap(Sockets.address(of:)), let remote = channel.remoteAddress.flatMap(Sockets.address(of:)) else {
            return
        }
        let id = ConnectionID(raw: nextAccepted)
        nextAccepted &+= 2
        let flow = SIPFlow(transport: .tcp, local: local, remote: remote, connection: id)
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
            self?.assumeIsolated { me in
                guard let id = flow.connection, me.connections.removeValue(forKey: id) != nil else { return }
                me.tell(.signalling(.closed(id)))
            }
        }
    }

    func connect(_ id: ConnectionID, _ transport: SIPTransport, from: Core.SocketAddress?, to: Core.SocketAddress, serverName: String) {
        guard transport == .tcp, let remote = Sockets.nio(to) else {
            post(.signalling(.connectionFailed(id, reason: .other("\(transport.rawValue.uppercased()) is not in this version"))))
            return
        }
        var bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(8))
        if let from, !from.ip.isUnspecified, let local = Sockets.nio(Core.SocketAddress(from.ip, 0)) { bootstrap = bootstrap.bind(to: local) }
        connecting.insert(id)
        bootstrap.connect(to: remote).whenComplete { [weak self] result in
            self?.assumeIsolated { me in
                // The phone may have given it up meanwhile.
                let isWanted = me.connecting.remove(id) != nil
                switch result {
                case .success(let channel):
                    guard isWanted, let local = channel.localAddress.flatMap(Sockets.address(of:)) else {
                        channel.close(promise: nil)
                        if isWanted { me.tell(.signalling(.connectionFailed(id, reason: .other("the connection was lost")))) }
                        return
                    }
                    me.connections[id] = channel
                    let flow = SIPFlow(transport: .tcp, local: local, remote: to, connection: id)
                    try? channel.pipeline.syncOperations.addHandler(me.streamHandler(flow))
                    me.tell(.signalling(.connected(id, local: local, remote: to)))
                case .failure(let error):
                    guard isWanted else { return }
                    me.tell(.signalling(.connectionFailed(id, reason: PhoneClient.failure(error))))
                }
            }
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
