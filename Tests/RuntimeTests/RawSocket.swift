import Foundation
import Glibc
import Testing

/// A plain socket of 127.0.0.1, to be a stranger with.
final class RawSocket: Sendable {
    enum Kind: Sendable { case udp, tcp }

    let descriptor: Int32
    let port: UInt16

    /// Bound to `port`, or to any; a TCP one listens unless `isListening` is false.
    init(_ kind: Kind, port: UInt16 = 0, isListening: Bool = true) throws {
        let type = kind == .udp ? SOCK_DGRAM : SOCK_STREAM
        let fd = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(fd >= 0)
        var address = RawSocket.loopback(port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(fd, $0, length) == 0 && getsockname(fd, $0, &length) == 0 }
        }
        if isBound, kind == .tcp, isListening { isBound = listen(fd, 8) == 0 }
        guard isBound else {
            Glibc.close(fd)
            throw Hang(description: "cannot bind \(kind) port \(port)")
        }
        descriptor = fd
        self.port = UInt16(bigEndian: address.sin_port)
        // Receiving ends after this time, so that nothing hangs; who waits tries again.
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Glibc.close(descriptor) }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    func connect(to port: UInt16) -> Bool {
        var address = RawSocket.loopback(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
                == 0
        }
    }

    func send(_ bytes: [UInt8], to port: UInt16) {
        var address = RawSocket.loopback(port)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    private func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// Sends again until something comes back (RFC 3261 section 17.1.2.2 in short), at most 60 times. Off the concurrency pool.
    func exchange(_ bytes: [UInt8], with port: UInt16) async -> String? {
        await blocking {
            for _ in 0..<60 {
                self.send(bytes, to: port)
                if let answer = self.receive() { return answer }
            }
            return nil
        }
    }

    /// Sends once on a connection and reads until the header is whole or the peer closes.
    func exchange(_ bytes: [UInt8]) async -> String? {
        await blocking {
            self.send(bytes)
            var text = ""
            for _ in 0..<60 where !text.contains("\r\n\r\n") { text += self.receive() ?? "" }
            return text.isEmpty ? nil : text
        }
    }

    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }
}

enum Requests {
    static func options(_ transport: String, from port: UInt16, branch: String) -> [UInt8] {
        Array(
            [
                "OPTIONS sip:phone@127.0.0.1 SIP/2.0", "Via: SIP/2.0/\(transport) 127.0.0.1:\(port);branch=z9hG4bK\(branch);rport",
                "Max-Forwards: 70",
                "From: <sip:stranger@127.0.0.1>;tag=\(branch)", "To: <sip:phone@127.0.0.1>", "Call-ID: \(branch)@127.0.0.1", "CSeq: 1 OPTIONS",
                "Content-Length: 0", "", "",
            ].joined(separator: "\r\n").utf8)
    }
}
