import Core
import Engine
import Interface
import Secure
import Simulator
import Testing

/// Which security a call gets, and what ends it.
@Suite struct SecurityTests {
    /// A phone that takes `policy` only makes `prefer` step down, with a warning for each step.
    @Test(arguments: [SecurityPolicy.sdes, .none]) func preferStepsDown(policy: SecurityPolicy) {
        let pair = Pair(bob: { $0.security = policy })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.notices.filter { $0 == "security-downgrade" }.count == (policy == .sdes ? 1 : 2))
        #expect(pair.alice.snapshot.calls.first?.securityDowngraded == true)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        #expect(pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        pair.finish()
        #expect(pair.alice.result?.security?.rawValue == policy.rawValue)
        #expect(pair.alice.result?.securityOffered == .dtls)
        #expect(pair.alice.result?.outcome == .answered)
        #expect(pair.alice.results.count == 1)
    }

    @Test(arguments: [(SecurityPolicy.dtls, SecurityPolicy.sdes), (.sdes, .dtls), (.none, .sdes), (.dtls, .none), (.sdes, .none)])
    func strictPoliciesDoNotMeet(caller: SecurityPolicy, callee: SecurityPolicy) {
        let pair = Pair(alice: { $0.security = caller }, bob: { $0.security = callee })
        pair.dial()
        pair.simulation.run(for: .seconds(3))
        #expect(pair.alice.result?.outcome == .notAcceptable)
        #expect(pair.alice.result?.status == 488)
        pair.finish()
    }

    @Test(arguments: [SecurityPolicy.dtls, .sdes, .none]) func equalPoliciesMeet(policy: SecurityPolicy) {
        let pair = Pair(both: { $0.security = policy })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        #expect(pair.alice.notices.isEmpty)
        let transport = pair.alice.snapshot.calls.first?.transports.first
        #expect((transport?.srtpCipher == nil) == (policy == .none))
        #expect(transport?.iceState == (policy == .dtls ? "completed" : "none"))
        pair.finish()
        #expect(pair.alice.result?.security?.rawValue == policy.rawValue)
    }

    /// The answer refuses the only m-line.
    @Test func anAnswerThatRefusesEverything() {
        let pair = Pair()
        pair.edit(from: pair.bob) { text in
            guard text.status == 200, let media = text.line("m=audio ") else { return }
            let rest = media.drop { $0 != " " }
            text.replaceLines("m=audio", with: "m=audio 0\(rest)")
        }
        pair.dial()
        pair.simulation.run(for: .seconds(5))
        #expect(pair.alice.result?.outcome == .notAcceptable)
        #expect(pair.bob.hasEnded)
        pair.finish()
    }

    static let wrong = "sha-256 " + Array(repeating: "AB", count: 32).joined(separator: ":")

    /// Somebody in between changes the fingerprint of one side: who sees the other's certificate ends the call, and nobody hears anything.
    /// By default the answerer is DTLS client; with `a=setup:active` in the offer the offerer is.
    @Test(arguments: [true, false], [true, false]) func wrongFingerprint(inOffer: Bool, offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.edit(from: pair.alice) { $0.replaceLines("a=setup:actpass", with: "a=setup:active") } }
        pair.edit(from: inOffer ? pair.alice : pair.bob) { $0.replaceLines("a=fingerprint", with: "a=fingerprint:\(Self.wrong)") }
        pair.dial()
        // Alice's last offer said actpass: her own role follows the answer.
        pair.simulation.run(for: .seconds(10))
        let deceived = inOffer ? pair.bob : pair.alice
        let other = inOffer ? pair.alice : pair.bob
        #expect(deceived.result?.outcome == .fingerprintMismatch)
        #expect(deceived.result?.exitCode == 22)
        #expect(deceived.result?.transports.first?.dtlsRole == (offererIsClient == inOffer ? "server" : "client"))
        #expect(deceived.result?.transports.first?.remoteFingerprint?.verified == false)
        #expect(other.hasEnded && !other.hasMedia && !deceived.hasMedia)
        #expect(pair.alice.heard().samples.isEmpty && pair.bob.heard().samples.isEmpty)
        #expect(pair.simulation.sent[.rtp, default: 0] == 0 || other.result?.outcome != .fingerprintMismatch)
        pair.finish()
    }

    /// The certificate is another's: the peer answers the handshake with a key that it did not signal.
    @Test func fingerprintsOfBothAreChecked() {
        let pair = Pair()
        #expect(pair.connect())
        let own = Identities.alice.fingerprint(.sha256).value
        #expect(pair.bob.snapshot.calls.first?.transports.first?.remoteFingerprint?.value == own)
        #expect(pair.bob.snapshot.calls.first?.transports.first?.remoteFingerprint?.verified == true)
        let roles = [pair.alice, pair.bob].map { $0.snapshot.calls.first?.transports.first?.dtlsRole }
        #expect(roles == ["server", "client"])
        pair.finish()
    }
}
