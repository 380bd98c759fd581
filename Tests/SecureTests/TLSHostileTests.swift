import Core
import Secure
import Testing

/// What strangers may send in the place of a TLS peer.
@Suite struct TLSHostileTests {
    private func client() throws -> TLSPair.End {
        let end = TLSPair.End(
            TLSConnection(client: try TLSFixture.client(), server: TLSPeerName("pbx.example", rules: .sip), unixTime: TLSFixture.time))
        end.connection.start()
        _ = end.drain()
        return end
    }

    private func server() throws -> TLSPair.End {
        let end = TLSPair.End(TLSConnection(server: try TLSFixture.server("dns"), unixTime: TLSFixture.time))
        end.connection.start()
        return end
    }

    /// A handshake record of that version around a message.
    private func record(_ version: UInt16, _ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(22)
        writer.u16(version)
        writer.u16(UInt16(body.count + 4))
        writer.u8(type)
        writer.u24(UInt32(body.count))
        writer.append(body)
        return writer.bytes
    }

    @Test func aClientOfTLS11IsRefused() throws {
        var hello = ByteWriter()
        hello.u16(0x0302)
        hello.zeros(32)
        hello.u8(0)
        hello.u16(2)
        hello.u16(0xC014)
        hello.u8(1)
        hello.u8(0)
        let server = try server()
        server.connection.receive(record(0x0301, 1, hello.bytes))
        let answer = server.drain()
        #expect(server.failure == .protocolVersion)
        // A fatal protocol_version alert.
        #expect(answer.count == 7 && answer.first == 21 && answer.suffix(2) == [2, 70])
    }

    @Test func aServerOfTLS11IsRefused() throws {
        var hello = ByteWriter()
        hello.u16(0x0302)
        hello.zeros(32)
        hello.u8(0)
        hello.u16(0xC014)
        hello.u8(0)
        let client = try client()
        client.connection.receive(record(0x0302, 2, hello.bytes))
        #expect(client.drain().suffix(2) == [2, 70])
        #expect(client.failure == .protocolVersion)
        #expect(client.failure?.description.hasPrefix("protocol version") == true)
    }

    @Test func aPeerThatDoesNotSpeakTLS() throws {
        let client = try client()
        client.connection.receive(Array("SIP/2.0 400 Bad Request\r\n\r\n".utf8))
        _ = client.drain()
        #expect(client.failure == .protocolVersion)
        let server = try server()
        server.connection.receive(Array("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS x\r\n\r\n".utf8))
        _ = server.drain()
        #expect(server.failure == .protocolVersion)
    }

    enum Damage: CaseIterable { case cut, clientHello, serverFlight }

    /// Cuts and changes of a good exchange: it ends with a reason or waits, and nobody takes it for good. (The headers of the records in clear are
    /// not bound by anything; all else is.)
    @Test(arguments: Damage.allCases) func damagedHandshakes(_ damage: Damage) throws {
        let random = RandomSource(seed: 7)
        let (trusting, serving) = (try TLSFixture.client(), try TLSFixture.server("dns"))
        for _ in 0..<100 {
            let pair = TLSPair(TLSPeerName("pbx.example", rules: .sip), client: trusting, server: serving)
            var hello = pair.client.drain()
            let place = Int(random.next() % UInt64(hello.count - 5)) + 5
            if damage == .cut { hello = Array(hello.prefix(place)) }
            if damage == .clientHello { hello[place] ^= UInt8(truncatingIfNeeded: random.next() | 1) }
            pair.server.connection.receive(hello)
            var answer = pair.server.drain()
            if damage == .serverFlight {
                #expect(answer.count > 600)
                let half = answer.count / 2
                answer[half + Int(random.next() % UInt64(answer.count - half))] ^= UInt8(truncatingIfNeeded: random.next() | 1)
            }
            pair.client.connection.receive(answer)
            pair.run()
            #expect(pair.client.negotiated == nil && pair.server.negotiated == nil)
            pair.client.connection.endOfInput()
            pair.server.connection.endOfInput()
            _ = pair.client.drain()
            _ = pair.server.drain()
            #expect(pair.client.failure != nil && pair.server.failure != nil)
        }
    }

    @Test func noiseAfterTheHandshake() throws {
        let random = RandomSource(seed: 9)
        for _ in 0..<50 {
            let pair = TLSPair(TLSPeerName("pbx.example", rules: .sip), client: try TLSFixture.client(), server: try TLSFixture.server("dns"))
            pair.run()
            #expect(pair.client.negotiated != nil)
            let noise = (0..<Int(random.next() % 3000 + 6)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            pair.client.connection.receive([23, 3, 3, 0, 200] + noise)
            _ = pair.client.drain()
            #expect(pair.client.received.isEmpty)
        }
    }
}
