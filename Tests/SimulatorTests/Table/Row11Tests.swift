import Core
import Engine
import Interface
import SIP
import Secure
import Simulator
import Testing

/// Row 11: which fingerprints count.
@Suite struct Row11Tests {
    private static func lines(_ identity: CertificateIdentity, _ algorithms: [FingerprintAlgorithm]) -> [String] {
        algorithms.map { "a=fingerprint:\(identity.fingerprint($0))" }
    }

    enum Good: CaseIterable {
        case sha384, sha512, several, oneOfSeveral, lowerCase, upperCaseName, besideUnknown, weakBesideStrong

        /// The lines, and the hash that counts.
        func lines(_ identity: CertificateIdentity) -> ([String], String) {
            let wrong = Identities.mallory
            return switch self {
            case .sha384: (Row11Tests.lines(identity, [.sha384]), "sha-384")
            case .sha512: (Row11Tests.lines(identity, [.sha512]), "sha-512")
            case .several: (Row11Tests.lines(identity, [.sha1, .sha256, .sha512, .sha384]), "sha-512")
            // RFC 8122 §5: one of the same hash is enough.
            case .oneOfSeveral: (Row11Tests.lines(wrong, [.sha256]) + Row11Tests.lines(identity, [.sha256]), "sha-256")
            case .lowerCase: (Row11Tests.lines(identity, [.sha256]).map { $0.lowercased() }, "sha-256")
            case .upperCaseName: (Row11Tests.lines(identity, [.sha256]).map { $0.replacing("sha-256", with: "SHA-256") }, "sha-256")
            case .besideUnknown:
                (["a=fingerprint:md5 \(Row11Tests.colons(16))", "a=fingerprint:sha3-512 AA"] + Row11Tests.lines(identity, [.sha256]), "sha-256")
            case .weakBesideStrong: (Row11Tests.lines(wrong, [.sha1]) + Row11Tests.lines(identity, [.sha256]), "sha-256")
            }
        }
    }

    static func colons(_ count: Int) -> String { Array(repeating: "AB", count: count).joined(separator: ":") }

    private static func setFingerprints(_ text: inout SIPText, _ lines: [String]) {
        guard let place = text.lines.firstIndex(where: { $0.hasPrefix("a=fingerprint") }) else { return }
        text.lines.replaceSubrange(place...place, with: lines)
    }

    private func identity(_ pair: Pair, peerOf role: Role) -> CertificateIdentity { role == .caller ? Identities.bob : Identities.alice }

    @Test(arguments: Good.allCases, Role.allCases) func row11_accepted(good: Good, role: Role) {
        let pair = Pair(both: { $0.security = .dtls })
        let (lines, algorithm) = good.lines(identity(pair, peerOf: role))
        pair.editPeer(of: role) { Row11Tests.setFingerprints(&$0, lines) }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.expectVerified()
        pair.expectAudio()
        let shown = pair.own(role).transport?.remoteFingerprint
        #expect(shown?.algorithm == algorithm && shown?.isWeak == false)
        pair.finish()
    }

    /// The strongest known hash decides: a weaker one that is right does not help.
    @Test(arguments: [FingerprintAlgorithm.sha384, .sha512], Role.allCases) func row11_theStrongestDecides(wrong: FingerprintAlgorithm, role: Role) {
        let pair = Pair(both: { $0.security = .dtls })
        let lines = Row11Tests.lines(identity(pair, peerOf: role), [.sha256]) + Row11Tests.lines(Identities.mallory, [wrong])
        pair.editPeer(of: role) { Row11Tests.setFingerprints(&$0, lines) }
        pair.dial()
        pair.simulation.run(for: .seconds(10))
        #expect(pair.own(role).result?.outcome == .fingerprintMismatch && pair.own(role).result?.exitCode == 22)
        #expect(!pair.alice.hasMedia && !pair.bob.hasMedia)
        pair.finish()
    }

    enum Bad: CaseIterable {
        case md5, missing, tooShort, tooLong, unreadable, sha1Alone

        func lines(_ identity: CertificateIdentity) -> [String] {
            switch self {
            case .md5: ["a=fingerprint:md5 \(Row11Tests.colons(16))"]
            case .missing: []
            case .tooShort: ["a=fingerprint:sha-256 \(Row11Tests.colons(31))"]
            case .tooLong: ["a=fingerprint:sha-256 \(Row11Tests.colons(33))"]
            case .unreadable: ["a=fingerprint:sha-256"]
            case .sha1Alone: Row11Tests.lines(identity, [.sha1])
            }
        }

        /// In what is told to the person.
        func words(_ role: Role) -> String {
            switch self {
            case .md5: "no fingerprint of an accepted hash (md5 came)"
            case .missing: role == .caller ? "without a fingerprint" : "the fingerprint is missing"
            case .tooShort, .tooLong: "the fingerprint has not the length of a sha-256 value"
            case .unreadable: "the fingerprint cannot be read"
            case .sha1Alone: "the only fingerprint is SHA-1, which is too weak"
            }
        }
    }

    @Test(arguments: Bad.allCases, Role.allCases) func row11_refused(bad: Bad, role: Role) {
        let pair = Pair(both: { $0.security = .dtls })
        let lines = bad.lines(identity(pair, peerOf: role))
        pair.editPeer(of: role) { Row11Tests.setFingerprints(&$0, lines) }
        pair.dial()
        pair.simulation.run(for: .seconds(10))
        #expect(pair.alice.result?.outcome == .notAcceptable && pair.alice.result?.exitCode == 17)
        let told = role == .caller ? pair.alice.sentences("not-acceptable") : pair.bob.sentences("offer-refused")
        #expect(told.count == 1 && told.allSatisfy { $0.contains(bad.words(role)) }, "\(told)")
        if role == .callee { #expect(pair.alice.result?.status == 488) }
        #expect(pair.simulation.sent[.dtls] == nil || role == .caller)
        #expect(!pair.alice.hasMedia && !pair.bob.hasMedia && pair.simulation.sent[.rtp] == nil)
        pair.finish()
    }

    /// The account of one of us has the quirk: SHA-1 alone will do, and is shown as weak. A wrong value is refused all the same.
    @Test(arguments: Role.allCases, [true, false]) func row11_theQuirk(role: Role, isRight: Bool) {
        let own = role == .caller ? "sip:alice@192.0.2.1" : "sip:bob@192.0.2.2"
        let quirky = { (configuration: inout PhoneConfiguration) in
            guard let uri = SIPURI(own) else { return }
            configuration.accounts = [SIPAccount(id: "old", uri: uri)]
            configuration.unregisteredAccounts = ["old"]
            var quirks = AccountQuirks()
            quirks.acceptsSHA1Fingerprint = true
            configuration.quirks["old"] = quirks
        }
        let pair = Pair(
            both: { $0.security = .dtls }, alice: { if role == .caller { quirky(&$0) } }, bob: { if role == .callee { quirky(&$0) } })
        let lines = Row11Tests.lines(isRight ? identity(pair, peerOf: role) : Identities.mallory, [.sha1])
        pair.editPeer(of: role) { Row11Tests.setFingerprints(&$0, lines) }
        guard isRight else {
            pair.dial()
            pair.simulation.run(for: .seconds(10))
            #expect(pair.own(role).result?.outcome == .fingerprintMismatch)
            pair.finish()
            return
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.expectVerified()
        pair.expectAudio()
        let shown = pair.own(role).transport?.remoteFingerprint
        #expect(shown?.algorithm == "sha-1" && shown?.isWeak == true)
        #expect(pair.peer(role).transport?.remoteFingerprint?.isWeak == false)
        pair.finish()
    }
}
