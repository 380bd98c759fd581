import Core
import Testing

@testable import Secure

/// A wrong certificate that was seen before the handshake was done.
@Suite struct CertificateFailureTests {
    private static let now = Instant.zero + .seconds(1000)

    private func datagrams(_ association: DTLSAssociation) -> [[UInt8]] {
        var out: [[UInt8]] = []
        while let output = association.poll() { if case .transmit(let bytes) = output { out.append(bytes) } }
        return out
    }

    /// A client that has the server's first flight and nothing more.
    private func client(expecting fingerprint: CertificateFingerprint?) throws -> DTLSAssociation {
        let server = DTLSAssociation(role: .server, identity: try .selfSigned(unixTime: 1_790_000_000))
        let client = DTLSAssociation(role: .client, identity: try .selfSigned(unixTime: 1_790_000_000))
        if let fingerprint { client.expect(fingerprints: [fingerprint], at: Self.now) }
        server.start(at: Self.now)
        client.start(at: Self.now)
        for datagram in datagrams(client) { server.receive(datagram.span.bytes, at: Self.now) }
        for datagram in datagrams(server) { client.receive(datagram.span.bytes, at: Self.now) }
        return client
    }

    @Test func isKnownBeforeTheEnd() throws {
        let other = try CertificateIdentity.selfSigned(unixTime: 1_790_000_000).fingerprint(.sha256)
        let client = try client(expecting: other)
        #expect(client.state == .connecting && client.negotiated == nil)
        guard case .fingerprintMismatch? = client.certificateFailure else {
            Issue.record("\(String(describing: client.certificateFailure))")
            return
        }
        client.handleTimeout(at: Self.now + .seconds(60))
        guard case .fingerprintMismatch? = client.failure else {
            Issue.record("\(String(describing: client.failure))")
            return
        }
    }

    @Test func needsSomethingToCompareWith() throws {
        let client = try client(expecting: nil)
        #expect(client.state == .connecting && client.certificateFailure == nil)
    }
}
