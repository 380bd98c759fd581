import Core
import Secure
import Testing

@Suite struct FingerprintTests {
    private func run(client: [CertificateFingerprint], server: [CertificateFingerprint], policy: FingerprintPolicy = FingerprintPolicy()) -> Link {
        let link = Link(expecting: false)
        link.client.association.expect(fingerprints: client, policy: policy, at: .zero)
        link.server.association.expect(fingerprints: server, policy: policy, at: .zero)
        link.start()
        link.run(until: at(3000), stopWhenDone: false)
        return link
    }

    @Test func mismatchSeenByTheClient() {
        let link = run(client: Identities.mallory.fingerprints, server: Identities.alice.fingerprints)
        #expect(link.client.failure == .fingerprintMismatch(presented: Identities.bob.fingerprint(.sha512)))
        #expect(link.client.states == [.connecting, .failed])
        #expect(link.client.association.negotiated == nil)
        // The other side was told by close_notify.
        #expect(link.server.states == [.connecting, .connected, .closed])
    }

    @Test func mismatchSeenByTheServer() {
        let link = run(client: Identities.bob.fingerprints, server: [Identities.mallory.fingerprint(.sha256)])
        #expect(link.server.failure == .fingerprintMismatch(presented: Identities.alice.fingerprint(.sha256)))
        #expect(link.server.states == [.connecting, .failed])
        #expect(link.server.association.negotiated == nil)
        #expect(link.client.association.negotiated == nil)
    }

    @Test(arguments: [FingerprintAlgorithm.sha256, .sha384, .sha512])
    func row11OneAlgorithmIsEnough(algorithm: FingerprintAlgorithm) {
        let link = run(client: [Identities.bob.fingerprint(algorithm)], server: [Identities.alice.fingerprint(algorithm)])
        #expect(link.bothConnected)
        #expect(link.client.association.negotiated?.remoteFingerprint.algorithm == algorithm)
    }

    @Test func row11SeveralValuesOfOneAlgorithm() {
        let link = run(
            client: [Identities.mallory.fingerprint(.sha256), Identities.bob.fingerprint(.sha256)], server: Identities.alice.fingerprints)
        #expect(link.bothConnected)
    }

    @Test func row11TheStrongestDecides() {
        let link = run(
            client: [Identities.bob.fingerprint(.sha256), Identities.mallory.fingerprint(.sha512)], server: Identities.alice.fingerprints)
        #expect(link.client.failure == .fingerprintMismatch(presented: Identities.bob.fingerprint(.sha512)))
    }

    @Test func row11SHA1OnlyByPolicy() {
        let weak = [Identities.bob.fingerprint(.sha1)]
        let refused = run(client: weak, server: Identities.alice.fingerprints)
        #expect(refused.client.failure == .noUsableFingerprint)
        let allowed = run(client: weak, server: Identities.alice.fingerprints, policy: FingerprintPolicy(allowsSHA1: true))
        #expect(allowed.bothConnected)
    }

    @Test func nothingSignalledIsAFailure() {
        #expect(run(client: [], server: Identities.alice.fingerprints).client.failure == .noUsableFingerprint)
    }

    @Test func earlyClientHelloBeforeTheAnswer() {
        let link = Link(expecting: false)
        link.server.association.expect(fingerprints: Identities.alice.fingerprints, at: .zero)
        link.start()
        link.run(until: at(60_000), stopWhenDone: false)
        // The handshake is long done; without the fingerprint there is no key and no end.
        #expect(link.client.association.state == .connecting)
        #expect(link.client.association.negotiated == nil)
        #expect(link.client.association.deadline == nil)
        #expect(link.client.association.match(fingerprints: Identities.mallory.fingerprints) == .mismatch(Identities.bob.fingerprint(.sha512)))
        link.client.association.expect(fingerprints: Identities.bob.fingerprints, at: link.now)
        link.pump()
        #expect(link.client.states == [.connecting, .connected])
        #expect(link.keysAgree)
    }

    @Test func lateMismatch() {
        let link = Link(expecting: false)
        link.start()
        link.run(until: at(1000), stopWhenDone: false)
        #expect(link.server.association.state == .connecting)
        link.server.association.expect(fingerprints: Identities.mallory.fingerprints, at: link.now)
        link.pump()
        #expect(link.server.failure == .fingerprintMismatch(presented: Identities.alice.fingerprint(.sha512)))
        #expect(link.server.association.negotiated == nil)
    }

    @Test func text() throws {
        let upper = "sha-256 " + Identities.alice.fingerprint(.sha256).value
        #expect(Identities.alice.fingerprint(.sha256).description == upper)
        #expect(upper.utf8.count == 8 + 95)
        #expect(CertificateFingerprint(attribute: upper) == Identities.alice.fingerprint(.sha256))
        #expect(CertificateFingerprint(attribute: upper.lowercased()) == Identities.alice.fingerprint(.sha256))
        #expect(CertificateFingerprint(attribute: "SHA-256 " + upper.dropFirst(8)) == Identities.alice.fingerprint(.sha256))
    }

    @Test(arguments: [
        "", "sha-256", "sha-256 ", "md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", "sha-224 AB", "sha-256 AB:CD",
        "sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:3", "sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:GG",
        "sha-1 00112233445566778899AABBCCDDEEFF00112233", "sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:",
        "sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44",
    ])
    func textThatIsNoFingerprint(text: String) {
        #expect(CertificateFingerprint(attribute: text) == nil)
    }
}
