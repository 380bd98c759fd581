import Core
import Foundation
import Glibc
import Synchronization
import Testing

/// A DNS server of one test, over UDP and TCP: it says what it was told to.
final class NameServer: Sendable {
    enum Record: Sendable {
        case address(IPAddress)
        case srv(priority: UInt16, port: UInt16, target: String)
    }

    typealias Zone = [String: [Record]]

    private let udp: RawSocket
    private let tcp: RawSocket
    private let zone: Zone
    /// Answers by UDP only say that they were cut.
    private let truncates: Bool
    private let isStopped = Atomic<Bool>(false)
    let questions = Atomic<Int>(0)
    let questionsByTCP = Atomic<Int>(0)

    var address: SocketAddress { SocketAddress(.loopbackV4, udp.port) }

    /// - Parameter zone: "name type" to records; what is not in it does not exist.
    init(_ zone: Zone, truncates: Bool = false) throws {
        udp = try RawSocket(.udp)
        tcp = try RawSocket(.tcp, port: udp.port)
        self.zone = zone
        self.truncates = truncates
        Thread.detachNewThread { self.serveDatagrams() }
        Thread.detachNewThread { self.serveStreams() }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func serveDatagrams() {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while !isStopped.load(ordering: .relaxed) {
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(udp.descriptor, &buffer, buffer.count, 0, $0, &length) }
            }
            guard count > 12, let answer = answer(Array(buffer.prefix(count)), isTruncated: truncates) else { continue }
            questions.add(1, ordering: .relaxed)
            _ = withUnsafePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(udp.descriptor, answer, answer.count, 0, $0, length) }
            }
        }
    }

    private func serveStreams() {
        while !isStopped.load(ordering: .relaxed) {
            let connection = accept(tcp.descriptor, nil, nil)
            guard connection >= 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 2048)
            let count = recv(connection, &buffer, buffer.count, 0)
            if count > 14, let answer = answer(Array(buffer[2..<count]), isTruncated: false) {
                questionsByTCP.add(1, ordering: .relaxed)
                // In two pieces: the length may come alone.
                let whole = [UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
                _ = send(connection, whole, 1, Int32(MSG_NOSIGNAL))
                _ = whole.dropFirst().withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
            close(connection)
        }
    }

    private func answer(_ question: [UInt8], isTruncated: Bool) -> [UInt8]? {
        var labels: [String] = []
        var place = 12
        while place < question.count, question[place] != 0 {
            let end = place + 1 + Int(question[place])
            guard end < question.count else { return nil }
            labels.append(String(decoding: question[(place + 1)..<end], as: UTF8.self))
            place = end
        }
        guard place + 4 < question.count else { return nil }
        let type = Int(question[place + 2])
        let name = "\(labels.joined(separator: ".").lowercased()) \([1: "A", 28: "AAAA", 33: "SRV", 35: "NAPTR"][type] ?? "?")"
        let records = isTruncated ? [] : zone[name] ?? []
        var writer = ByteWriter()
        writer.append(question[0..<2])
        writer.u16(isTruncated ? 0x8380 : zone[name] == nil ? 0x8183 : 0x8180)
        for word in [1, records.count, 0, 0] { writer.u16(UInt16(word)) }
        writer.append(question[12..<(place + 5)])
        for record in records {
            writer.u16(0xC00C)
            writer.u16(UInt16(type))
            writer.u16(1)
            writer.u32(60)
            var data = ByteWriter()
            switch record {
            case .address(let ip): data.append(ip.bytes)
            case .srv(let priority, let port, let target):
                for word in [priority, 0, port] { data.u16(word) }
                for label in target.split(separator: ".") {
                    data.u8(UInt8(label.utf8.count))
                    data.append(String(label))
                }
                data.u8(0)
            }
            writer.u16(UInt16(data.count))
            writer.append(data.bytes)
        }
        return writer.bytes
    }
}
