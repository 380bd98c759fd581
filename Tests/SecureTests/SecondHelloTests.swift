import COpenSSL
import Core
import Testing

@testable import Secure

/// Row 10: what comes after a handshake, or looks like another one.
@Suite struct SecondHelloTests {
    /// A connected pair, and the first datagram of the client and of the server.
    func connected(_ client: DTLSConfiguration = DTLSConfiguration()) -> (link: Link, hello: [UInt8], serverFlight: [UInt8]) {
        let link = Link(client: client)
        var first: [Bool: [UInt8]] = [:]
        link.filter = { fromClient, number, datagram in
            if number == 0 { first[fromClient] = datagram }
            return [datagram]
        }
        link.start()
        link.run(until: at(1000))
        return (link, first[true] ?? [], first[false] ?? [])
    }

    /// Both sides still hold the same keys, have nothing to say, and can still end properly.
    func expectUntouched(_ link: Link, sent: (Int, Int), sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            link.keysAgree && link.client.states == [.connecting, .connected] && link.server.states == [.connecting, .connected],
            sourceLocation: sourceLocation)
        #expect(link.client.sentAt.count == sent.0 && link.server.sentAt.count == sent.1, sourceLocation: sourceLocation)
        #expect(link.client.association.deadline == nil && link.server.association.deadline == nil, sourceLocation: sourceLocation)
        link.client.association.close(at: link.now)
        link.pump()
        link.run(until: link.now + .seconds(1), stopWhenDone: false)
        #expect(link.server.states == [.connecting, .connected, .closed], sourceLocation: sourceLocation)
    }

    /// Each forged record alone, to each side, under suites that add 24 and 16 bytes: an encrypted record shorter than that is one that the library
    /// itself would take for a failure.
    @Test(arguments: [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384",
    ])
    func row10ForgedRecordsOfEveryLength(suite: String) {
        var configuration = DTLSConfiguration()
        configuration.cipherList = suite
        var server = DTLSConfiguration()
        server.cipherList = suite
        for toServer in [true, false] {
            let link = Link(client: configuration, server: server)
            link.start()
            link.run(until: at(1000))
            let sent = (link.client.sentAt.count, link.server.sentAt.count)
            for type in UInt8(20)...23 {
                for length in Array(0...100) + [16_384, 16_640, 18_432, 18_433, 40_000] {
                    for epoch in UInt16(0)...2 {
                        link.inject(
                            toServer: toServer, record(type: type, epoch: epoch, sequence: UInt16(300 &+ length), Array(repeating: 2, count: length)))
                    }
                }
            }
            expectUntouched(link, sent: sent)
        }
    }

    /// The same during the handshake: before each datagram comes a forged encrypted record.
    @Test func row10ForgedEncryptedRecordsDuringTheHandshake() {
        let link = Link()
        link.filter = { _, _, datagram in
            [record(type: 21, epoch: 1, sequence: 1, [2, 40]), record(type: 22, epoch: 1, sequence: 0, Array(repeating: 3, count: 20)), datagram]
        }
        link.start()
        link.run(until: at(5000))
        #expect(link.keysAgree)
    }

    @Test func row10ASecondClientHello() {
        let (link, hello, flight) = connected()
        let sent = (link.client.sentAt.count, link.server.sentAt.count)
        // The same one late, one of another client, and the server's own flight again.
        var other = hello
        other[10] = 7
        for index in 27..<59 where index < other.count { other[index] ^= 0x5A }
        for datagram in [hello, other, hello, other] { link.inject(toServer: true, datagram) }
        for datagram in [flight, hello] { link.inject(toServer: false, datagram) }
        expectUntouched(link, sent: sent)
    }

    @Test func row10AnotherClientsHelloAfterTheHandshake() {
        let (link, _, _) = connected()
        let sent = (link.client.sentAt.count, link.server.sentAt.count)
        let stranger = Side(.client, Identities.mallory)
        stranger.association.start(at: link.now)
        for datagram in stranger.drain(at: link.now) { link.inject(toServer: true, datagram) }
        #expect(stranger.association.state == .connecting)
        expectUntouched(link, sent: sent)
    }

    /// A real renegotiation, encrypted and authentic, from the peer itself: it is told no, and nothing changes for us.
    @Test(arguments: [DTLSRole.client, .server]) func row10Renegotiation(by role: DTLSRole) throws {
        let (link, _, _) = connected()
        let asking = role == .client ? link.client : link.server
        let asked = role == .client ? link.server : link.client
        let before = try #require(asked.association.negotiated)
        let ssl = try #require(asking.association.ssl)
        SSL_clear_options(ssl, UInt64(1) << 30)
        asking.association.prepare(at: link.now)
        #expect(SSL_renegotiate(ssl) == 1)
        _ = SSL_do_handshake(ssl)
        let datagrams = asking.association.drain()
        _ = asking.drain(at: link.now)
        // Encrypted handshake records: it is no record in clear that the filter would drop.
        #expect(datagrams.contains { $0.first == 22 && $0.count > 4 && $0[4] == 1 })
        for datagram in datagrams { asked.association.receive(datagram.span.bytes, at: link.now) }
        let reply = asked.drain(at: link.now)
        #expect(asked.states == [.connecting, .connected] && asked.association.negotiated == before && asked.association.deadline == nil)
        // No new flight: at most an alert (no_renegotiation is a warning).
        #expect(reply.allSatisfy { $0.first == 21 })
        for datagram in datagrams { asked.association.receive(datagram.span.bytes, at: link.now) }
        _ = asked.drain(at: link.now)
        #expect(asked.association.negotiated == before)
        asked.association.close(at: link.now)
        #expect(asked.drain(at: link.now).count == 1 && asked.association.state == .closed)
    }

    // MARK: a ClientHello of DTLS 1.3 and 1.2

    /// As browsers write it: 1.3 and 1.2, a key share of ML-KEM, some 1450 bytes, which do not fit a datagram.
    static func modernHello(keyShare: Int = 1216) -> [UInt8] {
        let random = RandomSource(seed: 5)
        func block(_ type: UInt16, _ write: (inout ByteWriter) -> Void) -> [UInt8] {
            var body = ByteWriter()
            write(&body)
            var w = ByteWriter()
            w.u16(type)
            w.u16(UInt16(body.bytes.count))
            w.append(body.bytes)
            return w.bytes
        }
        func list(_ values: [UInt16]) -> [UInt8] { values.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
        func counted(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }
        let shares = list([0x11EC]) + counted(random.bytes(keyShare)) + list([29]) + counted(random.bytes(32))
        let extensions = [
            block(10) { $0.append(counted(list([0x11EC, 29, 23, 24]))) }, block(11) { $0.append([1, 0]) },
            block(13) { $0.append(counted(list([0x0403, 0x0804, 0x0401]))) }, block(14) { $0.append(counted(list([1, 8, 7])) + [0]) },
            block(23) { _ in }, block(43) { $0.append([4] + list([0xFEFC, 0xFEFD])) }, block(51) { $0.append(counted(shares)) },
            block(0xFF01) { $0.append([0]) },
        ].flatMap { $0 }
        var body = ByteWriter()
        body.u16(0xFEFD)
        body.append(random.bytes(32))
        body.append([0, 0])
        body.append(counted(list([0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xCCA9])))
        body.append([1, 0])
        body.append(counted(extensions))
        return body.bytes
    }

    /// Fragments of one message at these offsets, each in a record and datagram of its own.
    static func fragments(_ body: [UInt8], cuts: [Int], firstSequence: UInt16 = 0) -> [[UInt8]] {
        let edges = [0] + cuts + [body.count]
        return zip(edges, edges.dropFirst()).enumerated().map { index, edge in
            var w = ByteWriter()
            w.u8(1)
            w.u24(UInt32(body.count))
            w.u16(0)
            w.u24(UInt32(edge.0))
            w.u24(UInt32(edge.1 - edge.0))
            w.append(body[edge.0..<edge.1])
            return record(type: 22, sequence: firstSequence + UInt16(index), w.bytes)
        }
    }

    /// The types of the handshake messages in clear.
    static func messages(_ datagrams: [[UInt8]]) -> [UInt8] {
        datagrams.flatMap(records).filter { $0[0] == 22 && $0[3] == 0 && $0[4] == 0 && $0.count > 13 }.map { $0[13] }
    }

    @Test(arguments: [[0, 1], [1, 0]]) func row10ModernHelloInTwoDatagrams(order: [Int]) throws {
        let body = SecondHelloTests.modernHello()
        #expect(body.count > 1300)
        let parts = SecondHelloTests.fragments(body, cuts: [1175])
        #expect(parts.map(\.count).max() == 1200)
        let server = Side(.server, Identities.bob)
        server.association.start(at: .zero)
        for (index, part) in order.enumerated() {
            #expect(server.drain(at: .zero).isEmpty)
            server.receive(parts[part], at: at(index))
        }
        let flight = server.drain(at: at(2))
        let types = SecondHelloTests.messages(flight)
        #expect(types.first == 2 && types.contains(11) && types.contains(12) && types.contains(13) && types.last == 14)
        let hello = try #require(flight.flatMap(records).first)
        // ServerHello, DTLS 1.2, with use_srtp.
        #expect(Array(hello[25..<27]) == [0xFE, 0xFD])
        #expect(hello.count > 60 && zip(hello, hello.dropFirst()).contains { $0 == (0, 14) })
        #expect(server.association.statistics.restarts == 0)
    }

    /// Half of it is lost, and the peer cuts it elsewhere when it tries again.
    @Test func row10ModernHelloCutAnew() {
        let body = SecondHelloTests.modernHello()
        let first = SecondHelloTests.fragments(body, cuts: [1175])
        let second = SecondHelloTests.fragments(body, cuts: [900, 1300], firstSequence: 2)
        let server = Side(.server, Identities.bob)
        server.association.start(at: .zero)
        server.receive(first[1], at: .zero)
        server.receive(second[2], at: at(50))
        server.receive(second[0], at: at(50))
        #expect(server.drain(at: at(50)).isEmpty)
        server.receive(second[1], at: at(51))
        #expect(SecondHelloTests.messages(server.drain(at: at(51))).first == 2)
    }

    /// Handshakes of a stranger that never complete hold no more than the limit.
    @Test func row10AnEndlessHelloIsRefused() {
        let server = Side(.server, Identities.bob)
        server.association.start(at: .zero)
        for part in SecondHelloTests.fragments([UInt8](repeating: 1, count: 40_000), cuts: Array(stride(from: 1000, to: 40_000, by: 1000))) {
            server.association.receive(part.span.bytes, at: .zero)
        }
        #expect(server.drain(at: .zero).isEmpty && server.association.statistics.recordsDropped == 40)
    }
}
