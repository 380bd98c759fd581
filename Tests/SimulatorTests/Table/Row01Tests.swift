import Core
import Engine
import Interface
import Secure
import Simulator
import Testing

/// Row 1: certificates signed by themselves, `dtls.verify` and `dtls.ciphers`.
@Suite struct Row01Tests {
    @Test(arguments: [true, false]) func row01_selfSigned(offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.expectVerified()
        #expect(pair.dtlsRole(of: pair.alice) == (offererIsClient ? "client" : "server"))
        #expect(pair.alice.transport?.remoteFingerprint?.value == Identities.bob.fingerprint(.sha256).value)
        #expect(pair.bob.transport?.remoteFingerprint?.value == Identities.alice.fingerprint(.sha256).value)
        pair.expectAudio()
        pair.finish()
        guard case .fingerprint = DTLSConfiguration().verification else {
            Issue.record("the default is not the fingerprint")
            return
        }
    }

    private static let now: Int64 = 1_790_000_000

    /// One of us asks for a chain as well.
    private func pair(_ role: Role, trusting identity: CertificateIdentity, offererIsClient: Bool) -> Pair {
        let strict = { (configuration: inout PhoneConfiguration) in
            configuration.security = .dtls
            configuration.dtls.verification = .ca(.authorities(pem: identity.pem), unixTime: Row01Tests.now)
        }
        let pair = Pair(alice: { if role == .caller { strict(&$0) } }, bob: { if role == .callee { strict(&$0) } })
        if offererIsClient { pair.makeOffererClient() }
        return pair
    }

    @Test(arguments: Role.allCases, [true, false]) func row01_caWantsAChain(role: Role, offererIsClient: Bool) {
        let pair = pair(role, trusting: Identities.mallory, offererIsClient: offererIsClient)
        pair.dial()
        pair.simulation.run(for: .seconds(10))
        #expect(pair.own(role).result?.outcome == .dtlsFailed && pair.own(role).result?.exitCode == 21)
        #expect(pair.own(role).endReason?.contains("self-signed certificate") == true)
        #expect(!pair.alice.hasMedia && !pair.bob.hasMedia && pair.own(role).heard().samples.isEmpty)
        pair.finish()
    }

    @Test(arguments: Role.allCases, [true, false]) func row01_caTakesATrustedOne(role: Role, offererIsClient: Bool) {
        let pair = pair(role, trusting: role == .caller ? Identities.bob : Identities.alice, offererIsClient: offererIsClient)
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }

    /// A trusted certificate that is not the one signalled is refused all the same: nothing is without the fingerprint.
    @Test(arguments: Role.allCases, [true, false]) func row01_caStillWantsTheFingerprint(role: Role, offererIsClient: Bool) {
        let pair = pair(role, trusting: role == .caller ? Identities.bob : Identities.alice, offererIsClient: offererIsClient)
        pair.editPeer(of: role) { $0.replaceLines("a=fingerprint", with: "a=fingerprint:\(SecurityTests.wrong)") }
        pair.dial()
        pair.simulation.run(for: .seconds(10))
        #expect(pair.own(role).result?.outcome == .fingerprintMismatch)
        #expect(!pair.alice.hasMedia && !pair.bob.hasMedia)
        pair.finish()
    }

    @Test(arguments: Role.allCases, [true, false]) func row01_ciphers(role: Role, offererIsClient: Bool) {
        let list = { (configuration: inout PhoneConfiguration) in configuration.dtls.cipherList = "ECDHE-ECDSA-CHACHA20-POLY1305" }
        let pair = Pair(alice: { if role == .caller { list(&$0) } }, bob: { if role == .callee { list(&$0) } })
        if offererIsClient { pair.makeOffererClient() }
        #expect(pair.connect())
        for node in [pair.alice, pair.bob] { #expect(node.transport?.dtlsCipher == "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256") }
        pair.finish()
    }

    /// Whatever the list says: without authentication or encryption nothing is even begun.
    @Test(arguments: Role.allCases, ["aNULL", "AECDH-AES128-SHA", "ECDHE-ECDSA-NULL-SHA", "ECDHE-ECDSA-AES128-GCM-SHA256:eNULL"])
    func row01_suitesThatProtectNothing(role: Role, suites: String) {
        let list = { (configuration: inout PhoneConfiguration) in configuration.dtls.cipherList = suites }
        let pair = Pair(alice: { if role == .caller { list(&$0) } }, bob: { if role == .callee { list(&$0) } })
        var sent = 0
        pair.simulation.filters.append { [own = pair.own(role).address] datagram in
            if datagram.kind == .dtls, datagram.source.ip == own { sent += 1 }
            return [datagram]
        }
        pair.dial()
        pair.simulation.run(for: .seconds(20))
        #expect(pair.own(role).result?.outcome == .dtlsFailed)
        #expect(sent == 0 && pair.simulation.sent[.rtp] == nil)
        pair.finish()
    }
}
