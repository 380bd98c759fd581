import Core
import Secure
import Testing

@Suite struct CertificateTests {
    private let year: Int64 = 365 * 86_400

    @Test func validity() {
        let now = Identities.wallClock
        #expect(Identities.alice.isValid(unixTime: now))
        #expect(Identities.alice.isValid(unixTime: now - 86_000))
        #expect(!Identities.alice.isValid(unixTime: now - 86_500))
        #expect(Identities.alice.isValid(unixTime: now + year - 100))
        #expect(!Identities.alice.isValid(unixTime: now + year + 100))
    }

    @Test func everyOneIsDifferentAndSmall() {
        #expect(Identities.alice.der != Identities.bob.der)
        #expect(Identities.alice.der.count < 500)
        #expect(Identities.alice.fingerprints.map(\.algorithm) == [.sha256, .sha384, .sha512])
    }

    @Test func pemRoundTrip() throws {
        let pem = Identities.alice.pem
        let text = String(decoding: pem, as: UTF8.self)
        #expect(text.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
        #expect(text.contains("-----BEGIN PRIVATE KEY-----\n"))
        let read = try CertificateIdentity(pem: pem)
        #expect(read.der == Identities.alice.der)
        #expect(read.pem == pem)
        // The key first, and text around them.
        let parts = text.split(separator: "-----END CERTIFICATE-----\n")
        let swapped = "hello\n" + parts[1] + "between\n" + parts[0] + "-----END CERTIFICATE-----\n"
        #expect(try CertificateIdentity(pem: Array(swapped.utf8)).der == read.der)
    }

    @Test func pemThatIsRefused() {
        let alice = Identities.alice.pem
        let bob = Identities.bob.pem
        #expect(throws: IdentityError.noCertificate) { try CertificateIdentity(pem: []) }
        #expect(throws: IdentityError.noCertificate) { try CertificateIdentity(pem: Array("no PEM".utf8)) }
        #expect(throws: IdentityError.noKey) { try CertificateIdentity(certificatePEM: alice, keyPEM: []) }
        #expect(throws: IdentityError.keyMismatch) { try CertificateIdentity(certificatePEM: alice, keyPEM: bob) }
        #expect(throws: (any Error).self) { try CertificateIdentity(pem: Array(alice.prefix(alice.count / 2))) }
    }
}
