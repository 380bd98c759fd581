import CVirtualTime
import Core
import Interface
import Secure
import Testing

@testable import Engine

/// One component of a call's media without the call around it.
@Suite struct MediaTransportTests {
    private static func identity() throws -> CertificateIdentity { try CertificateIdentity.selfSigned(unixTime: 1_790_000_000) }

    private static func setClock(_ now: Instant) { virtual_time_set(1_000_000_000 + now.nanoseconds / 1000) }

    private let route = MediaTransport.Route(base: SocketAddress(.v4(0xC000_0201), 4000), remote: SocketAddress(.v4(0xC000_0202), 5000))

    private func association(_ role: DTLSRole, expecting peer: CertificateIdentity, _ own: CertificateIdentity) -> DTLSAssociation {
        let association = DTLSAssociation(role: role, identity: own, clock: Self.setClock)
        association.expect(fingerprints: peer.fingerprints, at: .zero)
        return association
    }

    /// The newest 8 datagrams and 16 KiB of DTLS are kept until the handshake begins.
    @Test(arguments: [(20, 100, 8), (8, 3000, 5), (1, 20_000, 0), (3, 10, 3)]) func earlyDatagramsAreCapped(count: Int, bytes: Int, kept: Int) throws
    {
        let transport = MediaTransport(component: 1)
        let datagram = [UInt8](repeating: 22, count: bytes)
        for _ in 0..<count { transport.keepEarly(datagram.span.bytes, from: route.remote, at: .zero) }
        let own = try Self.identity()
        let server = association(.server, expecting: own, own)
        transport.setRoute(route)
        transport.start(server, at: .zero)
        #expect(server.statistics.datagramsReceived == kept)
    }

    /// Four handshakes at most; keys come from the one whose certificate is right, and its source becomes the route.
    @Test func theVerifiedOneWins() throws {
        let own = try Self.identity()
        let peer = try Self.identity()
        let transport = MediaTransport(component: 1)
        transport.setRoute(route)
        transport.start(association(.server, expecting: peer, own), at: .zero)
        let sources = (1...5).map { SocketAddress(.v4(0xCB00_7100 + $0), 6000) }
        let taken = sources.map { transport.startBeside(association(.server, expecting: peer, own), source: $0, at: .zero) }
        #expect(taken == [true, true, true, false, false])
        #expect(!transport.isReady)

        let client = association(.client, expecting: own, peer)
        client.start(at: .zero)
        var outcomes: [String] = []
        for _ in 0..<10 {
            while let output = client.poll() {
                if case .transmit(let bytes) = output { _ = transport.receiveDTLS(bytes.span.bytes, from: sources[1], isKnown: false, at: .zero) }
            }
            for step in transport.progress(at: .zero) {
                switch step {
                case .transmit(let bytes, let to): if to.remote == sources[1] { client.receive(bytes.span.bytes, at: .zero) }
                case .keyed: outcomes.append("keyed")
                case .failed: outcomes.append("failed")
                case .connecting, .keyLog: break
                }
            }
        }
        #expect(outcomes == ["keyed"])
        #expect(transport.isReady && transport.route?.remote == sources[1])
        #expect(client.state == .connected)
        // Others can begin nothing any more.
        #expect(!transport.startBeside(association(.server, expecting: peer, own), source: sources[4], at: .zero))
        let isTaken = transport.receiveDTLS([22, 0xFE, 0xFD].span.bytes, from: sources[4], isKnown: false, at: .zero)
        #expect(!isTaken)
    }

    /// A certificate that was not signalled gives no keys.
    @Test func aWrongCertificateGivesNoKeys() throws {
        let own = try Self.identity()
        let transport = MediaTransport(component: 1)
        transport.setRoute(route)
        transport.start(association(.server, expecting: own, own), at: .zero)
        let client = association(.client, expecting: own, try Self.identity())
        client.start(at: .zero)
        var isMismatch = false
        for _ in 0..<10 {
            while let output = client.poll() {
                if case .transmit(let bytes) = output { _ = transport.receiveDTLS(bytes.span.bytes, from: route.remote, isKnown: true, at: .zero) }
            }
            for step in transport.progress(at: .zero) {
                switch step {
                case .transmit(let bytes, _): client.receive(bytes.span.bytes, at: .zero)
                case .failed(let failure): isMismatch = failure.isMismatch
                case .keyed: Issue.record("keys for a stranger")
                case .connecting, .keyLog: break
                }
            }
        }
        #expect(isMismatch && !transport.isReady && transport.keys == nil)
        #expect(transport.dtlsState == .failed)
    }
}
