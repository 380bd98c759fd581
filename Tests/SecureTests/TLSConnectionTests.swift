import Core
import Secure
import Testing

@Suite struct TLSConnectionTests {
    private func pair(
        _ certificate: String = "dns", trusting trust: TLSConfiguration.Trust? = nil, unixTime: Int64 = TLSFixture.time
    ) throws -> TLSPair {
        TLSPair(
            TLSPeerName("pbx.example", rules: .sip), client: try TLSFixture.client(trusting: trust), server: try TLSFixture.server(certificate),
            unixTime: unixTime)
    }

    // MARK: whom it trusts

    @Test func anUnknownAuthority() throws {
        let pair = try pair("strange")
        pair.run()
        #expect(pair.client.failure == .unknownAuthority)
        #expect(pair.server.failure == .alert(48))
        #expect(pair.client.failure?.description == "certificate is signed by an unknown CA")
    }

    @Test func aCertificateSignedByItself() throws {
        let refused = try pair("self")
        refused.run()
        #expect(refused.client.failure == .selfSigned)
        // Named, it is trusted.
        let trusted = try pair("self", trusting: TLSFixture.trust("self"))
        trusted.run()
        #expect(trusted.client.negotiated != nil)
    }

    @Test func theSystemDoesNotKnowTheTestAuthority() throws {
        let pair = try pair(trusting: .system)
        pair.run()
        #expect(pair.client.failure == .unknownAuthority)
    }

    @Test func anAuthorityBetweenMayBeTrustedByItself() throws {
        let pair = try pair("chained", trusting: TLSFixture.trust("between"))
        pair.run()
        #expect(pair.client.negotiated != nil)
    }

    @Test func aChainWithAGap() throws {
        let bytes = try TLSFixture.bytes("chained")
        let alone = try TLSIdentity(CertificateIdentity(pem: bytes))
        let server = try TLSContext(role: .server, configuration: TLSConfiguration(identity: alone))
        let pair = TLSPair(TLSPeerName("pbx.example", rules: .sip), client: try TLSFixture.client(), server: server)
        pair.run()
        #expect(pair.client.failure == .unknownAuthority)
    }

    @Test func expiredAndNotYetValid() throws {
        // The fixtures live from 2026 to 2126.
        let late = try pair(unixTime: 6_000_000_000)
        late.run()
        guard case .expired(let day) = late.client.failure else {
            Issue.record("\(String(describing: late.client.failure))")
            return
        }
        #expect(day.count == 10 && day.hasPrefix("2126-"))
        #expect(late.client.failure?.description == "certificate expired on \(day)")
        let early = try pair(unixTime: 1_000_000_000)
        early.run()
        guard case .notYetValid = early.client.failure else {
            Issue.record("\(String(describing: early.client.failure))")
            return
        }
    }

    @Test func aClientsCertificateIsNoServers() throws {
        let pair = try pair("only-client")
        pair.run()
        #expect(pair.client.failure == .certificate(reason: "it is not a server's"))
    }

    // MARK: bytes

    @Test(arguments: [1, 7, 1000, Int.max]) func bytesArriveInWhateverPieces(piece: Int) throws {
        let pair = try pair()
        pair.piece = piece
        pair.run()
        let long = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        pair.client.connection.send(long)
        pair.server.connection.send(Array("hello".utf8))
        pair.run()
        #expect(pair.server.received == long)
        #expect(pair.client.received == Array("hello".utf8))
        // Not in clear.
        #expect(!pair.server.sent.contains { $0.starts(with: Array("hello".utf8)) })
    }

    @Test func nothingIsSentBeforeTheHandshake() throws {
        let pair = try pair()
        pair.client.connection.send(Array("too early".utf8))
        pair.run()
        #expect(pair.server.received.isEmpty && pair.client.negotiated != nil)
    }

    @Test(arguments: [true, false]) func goodbyeIsSaidBothWays(byClient: Bool) throws {
        let pair = try pair()
        pair.run()
        let (first, second) = byClient ? (pair.client, pair.server) : (pair.server, pair.client)
        first.connection.close()
        pair.run()
        #expect(first.isClosed && second.isClosed && second.failure == nil)
        first.connection.send([1])
        pair.run()
        #expect(second.received.isEmpty)
    }

    @Test func anEndWithoutGoodbyeIsTold() throws {
        let pair = try pair()
        pair.client.connection.endOfInput()
        _ = pair.client.drain()
        #expect(pair.client.failure == .interrupted)
        let later = try self.pair()
        later.run()
        later.client.connection.endOfInput()
        _ = later.client.drain()
        #expect(later.client.failure == .truncated)
    }

    @Test func theKeyLogIsWrittenWhenAsked() throws {
        let pair = TLSPair(
            TLSPeerName("pbx.example", rules: .sip), client: try TLSFixture.client(keyLog: true), server: try TLSFixture.server("dns"))
        pair.run()
        #expect(pair.client.keyLog.contains { $0.hasPrefix("CLIENT_TRAFFIC_SECRET_0 ") })
        #expect(pair.server.keyLog.isEmpty)
    }

    @Test func aServerNeedsACertificate() {
        #expect(throws: TLSFailure.self) { try TLSContext(role: .server, configuration: TLSConfiguration()) }
    }

    @Test func whatIsNoCertificateIsRefused() throws {
        #expect(throws: IdentityError.noCertificate) { try CertificateList(pem: []) }
        #expect(throws: IdentityError.noCertificate) { try CertificateList(pem: Array("hello".utf8)) }
        let broken = Array(String(decoding: try TLSFixture.bytes("ca"), as: UTF8.self).replacing("MII", with: "AAA").utf8)
        #expect(throws: IdentityError.self) { try CertificateList(pem: broken) }
        #expect(try CertificateList(pem: TLSFixture.bytes("ca") + TLSFixture.bytes("stranger")).count == 2)
    }
}
