import CPlatform
import Core
import Glibc
import NIOCore

/// Between the kernel's sockets, NIO's addresses and ours.
enum Sockets {
    struct BindError: Error, Sendable {
        var errno: Int32
        var text: String { String(cString: strerror(errno)) }
    }

    /// A bound UDP descriptor and its port. Port 0 takes any.
    static func bindUDP(_ address: Core.SocketAddress, errors: Bool) throws(BindError) -> (descriptor: Int32, address: Core.SocketAddress) {
        let bytes = address.ip.bytes
        let fd = platform_udp_bind(bytes, Int32(bytes.count), address.port, errors ? 1 : 0)
        guard fd >= 0 else { throw BindError(errno: -fd) }
        return (fd, Core.SocketAddress(address.ip, platform_udp_port(fd)))
    }

    /// Past SwiftNIO, which closes a datagram channel when the kernel refuses one datagram (no route, a broadcast address, an earlier ICMP error).
    /// What cannot be sent is lost, as on the way.
    static func send(_ bytes: [UInt8], to address: Core.SocketAddress, descriptor: Int32) {
        let ip = address.ip.bytes
        _ = platform_udp_send(descriptor, ip, Int32(ip.count), address.port, bytes, UInt32(clamping: bytes.count))
    }

    /// One datagram that has arrived. nil when there is none.
    static func receive(descriptor: Int32) -> (bytes: [UInt8], from: Core.SocketAddress)? {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { receive(descriptor, $0) }
    }

    private static func receive(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> (bytes: [UInt8], from: Core.SocketAddress)? {
        var ip = [UInt8](repeating: 0, count: 16)
        var length: Int32 = 0
        var port: UInt16 = 0
        // What an earlier datagram met is told once by each of a few reads, before what has arrived.
        for _ in 0..<4 {
            let count = platform_udp_receive(descriptor, buffer.baseAddress, UInt32(clamping: buffer.count), &ip, &length, &port)
            if count == -EAGAIN || count == -EBADF { return nil }
            guard count >= 0, let from = IPAddress(bytes: ip.prefix(Int(length))) else { continue }
            return (Array(buffer.prefix(Int(count))), Core.SocketAddress(from.unmapped, port))
        }
        return nil
    }

    /// The local address toward `ip`, or nil without a route.
    static func route(to ip: IPAddress) -> IPAddress? {
        let bytes = ip.bytes
        var local = [UInt8](repeating: 0, count: 16)
        let n = platform_route(bytes, Int32(bytes.count), &local)
        return n > 0 ? IPAddress(bytes: local.prefix(Int(n))) : nil
    }

    /// The destinations of queued ICMP errors, at most 16 a call.
    static func unreachable(descriptor: Int32) -> [Core.SocketAddress] {
        var found: [Core.SocketAddress] = []
        for _ in 0..<16 {
            var bytes = [UInt8](repeating: 0, count: 16)
            var length: Int32 = 0
            var port: UInt16 = 0
            guard platform_udp_error(descriptor, &bytes, &length, &port) != 0 else { break }
            if let ip = IPAddress(bytes: bytes.prefix(Int(length))) { found.append(Core.SocketAddress(ip.unmapped, port)) }
        }
        return found
    }

    /// Addresses of interfaces that are up: IPv4 and global or unique-local IPv6; loopback apart.
    static func interfaceAddresses() -> (usable: [IPAddress], loopback: [IPAddress]) {
        var usable: [IPAddress] = []
        var loopback: [IPAddress] = []
        for device in (try? System.enumerateDevices()) ?? [] {
            guard let ip = device.address.flatMap(address(of:))?.ip, !ip.isUnspecified, !ip.isMulticast, !ip.isLinkLocal else { continue }
            if ip.isLoopback {
                if !loopback.contains(ip) { loopback.append(ip) }
            } else if !usable.contains(ip) {
                usable.append(ip)
            }
        }
        return (usable, loopback)
    }

    static func address(of nio: NIOCore.SocketAddress) -> Core.SocketAddress? {
        nio.withSockAddr { pointer, length in
            // sockaddr_in: family, port, 4 bytes of address; sockaddr_in6: family, port, flow, 16 bytes.
            let bytes = UnsafeRawBufferPointer(start: pointer, count: length).bytes
            guard let port = bytes.u16(at: 2) else { return nil }
            switch Int32(pointer.pointee.sa_family) {
            case AF_INET: return bytes.u32(at: 4).map { Core.SocketAddress(.v4($0), port) }
            case AF_INET6:
                guard let high = bytes.u64(at: 8), let low = bytes.u64(at: 16) else { return nil }
                return Core.SocketAddress(IPAddress.v6(high, low).unmapped, port)
            default: return nil
            }
        }
    }

    static func nio(_ address: Core.SocketAddress) -> NIOCore.SocketAddress? {
        try? NIOCore.SocketAddress(packedIPAddress: ByteBuffer(bytes: address.ip.bytes), port: Int(address.port))
    }
}
