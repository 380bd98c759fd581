import Core
import Digest
import Foundation
import Glibc
import Runtime
import Secure
import Testing

/// One connection that a test accepts and speaks on by itself, over TLS when it is given a certificate. Blocking: it runs on a thread of its own.
final class StreamServer {
    private let descriptor: Int32
    private let tls: TLSConnection?
    private var plain: [UInt8] = []
    private(set) var isOver = false
    private(set) var tlsFailure: TLSFailure?
    private(set) var wasEstablished = false

    /// Waits for a connection.
    init(_ listener: RawSocket, identity: TLSIdentity? = nil) throws {
        var accepted: Int32 = -1
        for _ in 0..<90 where accepted < 0 { accepted = accept(listener.descriptor, nil, nil) }
        guard accepted >= 0 else { throw Hang(description: "nobody connected") }
        descriptor = accepted
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        tls = try identity.map {
            TLSConnection(
                server: try TLSContext(role: .server, configuration: TLSConfiguration(identity: $0)), unixTime: Int64(Date().timeIntervalSince1970))
        }
        tls?.start()
    }

    deinit { Glibc.close(descriptor) }

    func write(_ bytes: [UInt8]) {
        guard let tls else { return raw(bytes) }
        tls.send(bytes)
        drain()
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    private func raw(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    private func drain() {
        while let output = tls?.poll() {
            switch output {
            case .transmit(let bytes): raw(bytes)
            case .received(let bytes): plain += bytes
            case .failed(let failure):
                tlsFailure = failure
                isOver = true
            case .closed: isOver = true
            case .established: wasEstablished = true
            case .keyLog: break
            }
        }
    }

    /// Reads more; false at the end of the stream.
    private func more() throws {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<90 {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else {
                isOver = true
                tls?.endOfInput()
                drain()
                return
            }
            if let tls {
                tls.receive(buffer.prefix(count))
                drain()
            } else {
                plain += buffer.prefix(count)
            }
            return
        }
        throw Hang(description: "nothing came; so far \(String(decoding: plain, as: UTF8.self))")
    }

    func take(_ count: Int) throws -> [UInt8] {
        while plain.count < count {
            guard !isOver else { throw Hang(description: "the stream ended") }
            try more()
        }
        defer { plain.removeFirst(count) }
        return Array(plain.prefix(count))
    }

    /// A header with its empty line.
    func takeHeader() throws -> String {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = plain.firstRange(of: end) { return String(decoding: try take(range.upperBound), as: UTF8.self) }
            guard !isOver else { throw Hang(description: "the stream ended") }
            try more()
        }
    }

    func waitForEnd() throws { while !isOver { try more() } }

    // MARK: WebSocket (RFC 6455), from the server's side

    struct Frame {
        var isFinal: Bool
        var isMasked: Bool
        var opcode: UInt8
        var payload: [UInt8]
        var text: String { String(decoding: payload, as: UTF8.self) }
    }

    /// Answers the upgrade; gives its header.
    @discardableResult func upgrade(subprotocol: String? = "sip", key changed: String? = nil) throws -> String {
        let header = try takeHeader()
        let key = header.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }?.dropFirst(19) ?? ""
        let hash = Digest.hash(.sha1, Array("\(changed ?? String(key))258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        var lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines.append("Sec-WebSocket-Accept: \(Data(hash).base64EncodedString())")
        if let subprotocol { lines.append("Sec-WebSocket-Protocol: \(subprotocol)") }
        write(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return header
    }

    func takeFrame() throws -> Frame {
        let head = try take(2)
        let isMasked = head[1] & 0x80 != 0
        var length = Int(head[1] & 0x7F)
        if length > 125 {
            let bytes: [UInt8] = try take(length == 126 ? 2 : 8)
            length = 0
            for byte in bytes { length = length << 8 | Int(byte) }
        }
        let mask: [UInt8] = isMasked ? try take(4) : [0, 0, 0, 0]
        var payload: [UInt8] = try take(length)
        for index in payload.indices { payload[index] ^= mask[index % 4] }
        return Frame(isFinal: head[0] & 0x80 != 0, isMasked: isMasked, opcode: head[0] & 0x0F, payload: payload)
    }

    /// Sends the same frame again and again and reads nothing; without TLS.
    /// - Returns: how many bytes it took until the peer was gone; nil when it took `limit` of them and was not.
    func flood(_ opcode: UInt8, _ payload: [UInt8], limit: Int) -> Int? {
        let frame = [opcode | 0x80, UInt8(payload.count & 0x7F)] + payload
        let frames = [[UInt8]](repeating: frame, count: 512).flatMap { $0 }
        var sent = 0
        while sent < limit {
            let rest = frames[(sent % frames.count)...]
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return sent }
            sent += count
        }
        return nil
    }

    func sendFrame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) {
        var writer = ByteWriter()
        writer.u8(opcode | (isFinal ? 0x80 : 0))
        if payload.count < 126 {
            writer.u8(UInt8(payload.count))
        } else if payload.count < 65_536 {
            writer.u8(126)
            writer.u16(UInt16(payload.count))
        } else {
            writer.u8(127)
            writer.u64(UInt64(payload.count))
        }
        writer.append(payload)
        write(writer.bytes)
    }

    // MARK: SIP

    /// A response to a request of the phone, without a Content-Length.
    static func answer(_ request: String, _ status: String) -> [UInt8] {
        let kept = ["via:", "from:", "call-id:", "cseq:"]
        var lines = ["SIP/2.0 \(status)"]
        for line in request.components(separatedBy: "\r\n") {
            let lower = line.lowercased()
            if kept.contains(where: lower.hasPrefix) { lines.append(line) }
            if lower.hasPrefix("to:") { lines.append(line + ";tag=server") }
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

/// Runs blocking code beside the concurrency pool.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// The certificates of the TLS tests.
enum TestCertificates {
    private static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: folder.appendingPathComponent("SecureTests/Fixtures/tls/\(name).pem")))
    }

    static func identity(_ name: String) throws -> TLSIdentity { try TLSIdentity(certificatePEM: bytes(name), keyPEM: bytes(name)) }

    /// Trusts the tests' CA; `name`: the certificate of one's own.
    static func transports(_ name: String? = nil) throws -> TransportConfiguration {
        TransportConfiguration(trust: .authorities(try CertificateList(pem: bytes("ca"))), identity: try name.map(identity))
    }
}
