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
            case .tcp, .tls: try await openServer(listener)
            case .ws, .wss: try checkSource(listener)
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
        signalling.append(
            SignallingSocket(transport: .udp, address: bound.address, descriptor: bound.descriptor, sendsOnly: listener.sendsOnly))
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
}
