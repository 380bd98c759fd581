import Core
import SDP
import Testing

@Suite struct EvaluateTests {
    static let fingerprint = "fingerprint:sha-256 " + hex32
    static let key = "inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"
    static let crypto = "crypto:1 AES_CM_128_HMAC_SHA1_80 " + key
    static let profiles = ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "udp/tls/rtp/savpf"]

    // MARK: Security

    @Test(arguments: profiles) func row2AnyProfileWithAFingerprintIsDTLSAndIsEchoed(_ profile: String) throws {
        for security in [SecurityPolicy.dtls, .prefer] {
            let answer = try answered(try sdp(profile, [EvaluateTests.fingerprint, "setup:actpass"]), policy(security))
            #expect(answer.media.security == .dtls && answer.description.media[0].profile == profile)
            #expect(answer.media.isAVPF == profile.uppercased().hasSuffix("F"))
        }
    }

    @Test func row4DTLSWinsOverCrypto() throws {
        let offer = try sdp("RTP/SAVP", [EvaluateTests.crypto, EvaluateTests.fingerprint])
        let answer = try answered(offer)
        #expect(answer.media.security == .dtls && answer.media.sdes == nil && answer.description.section(0)?.cryptos.isEmpty == true)
        #expect(try Negotiation.evaluate(offer: offer, policy: policy()).get().suiteBesideDTLS == .aesCM80)
        let quirk = try answered(offer) { local in
            local.cryptoInAnswer = true
            local.cryptos = [.generate(tag: 5, suite: .aesCM80, random: RandomSource(seed: 1))]
        }
        // A line that could be used, with the offerer's tag and suite and a key of its own, and no SDES by it.
        let line = try #require(quirk.description.section(0)?.cryptos.first)
        #expect(quirk.media.security == .dtls && quirk.media.sdes == nil && quirk.description.section(0)?.cryptos.count == 1)
        #expect(
            line.tag == 1 && line.suite == .aesCM80 && line.usableKey?.count == 30 && !EvaluateTests.crypto.hasSuffix(line.description.suffix(40)))
        // Not where the offer has no such line, and none with DTLS unless the quirk is on.
        let plain = try answered(try sdp("RTP/SAVP", [EvaluateTests.fingerprint])) { $0.cryptoInAnswer = true }
        #expect(plain.description.section(0)?.cryptos.isEmpty == true)
        #expect(failure(offer, policy(.sdes)) == .securityUnacceptable(profile: "RTP/SAVP"))
    }

    static let refusals: [(String, [String], SecurityPolicy, NegotiationError)] = [
        ("RTP/AVP", [], .dtls, .securityUnacceptable(profile: "RTP/AVP")),
        ("RTP/SAVP", [crypto], .dtls, .securityUnacceptable(profile: "RTP/SAVP")),
        ("UDP/TLS/RTP/SAVPF", [crypto], .dtls, .fingerprintMissing), ("UDP/TLS/RTP/SAVPF", [crypto], .prefer, .fingerprintMissing),
        ("RTP/AVP", [], .sdes, .securityUnacceptable(profile: "RTP/AVP")), ("RTP/SAVP", [], .sdes, .securityUnacceptable(profile: "RTP/SAVP")),
        ("RTP/SAVP", [fingerprint], .sdes, .securityUnacceptable(profile: "RTP/SAVP")),
        ("RTP/SAVP", [crypto], .none, .securityUnacceptable(profile: "RTP/SAVP")),
        ("RTP/SAVP", [fingerprint], .none, .securityUnacceptable(profile: "RTP/SAVP")),
        ("RTP/SAVP", [], .prefer, .securityUnacceptable(profile: "RTP/SAVP")),
        ("RTP/SAVP", ["crypto:1 NEW inline:QUJD"], .prefer, .cryptoUnacceptable),
        ("RTP/SAVP", ["\(crypto)|1:4"], .sdes, .cryptoUnacceptable), ("TCP/MSRP", [fingerprint], .prefer, .securityUnacceptable(profile: "TCP/MSRP")),
        ("RTP/AVP", ["fingerprint:md5 AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA"], .prefer, .fingerprintUnsupported(["md5"])),
    ]

    @Test(arguments: refusals) func securityRefused(_ profile: String, _ lines: [String], _ security: SecurityPolicy, _ error: NegotiationError)
        throws
    {
        #expect(failure(try sdp(profile, lines), policy(security)) == error)
    }

    static let acceptances: [(String, [String], SecurityPolicy, MediaSecurity)] = [
        ("RTP/AVP", [], .prefer, .none), ("RTP/AVPF", [], .prefer, .none), ("RTP/AVP", [crypto], .prefer, .sdes),
        ("RTP/SAVPF", [crypto], .prefer, .sdes), ("RTP/AVP", ["crypto:1 NEW inline:QUJD"], .prefer, .none), ("RTP/AVP", [crypto], .sdes, .sdes),
        ("RTP/SAVP", [crypto], .sdes, .sdes), ("RTP/AVP", [crypto, fingerprint], .none, .none), ("RTP/AVPF", [crypto, fingerprint], .none, .none),
    ]

    @Test(arguments: acceptances) func securityTaken(_ profile: String, _ lines: [String], _ security: SecurityPolicy, _ expected: MediaSecurity)
        throws
    {
        let answer = try answered(try sdp(profile, lines), policy(security))
        let section = try #require(answer.description.section(0))
        #expect(answer.media.security == expected)
        #expect(section.cryptos.count == (expected == .sdes ? 1 : 0))
        #expect(!section.hasFingerprint && section.media.profile == profile)
    }

    @Test func strongestSuiteWithTheOfferersTag() throws {
        let random = RandomSource(seed: 5)
        let lines = [CryptoSuite.aes256CM80, .aesCM32, .aesCM80, .aeadAES128GCM, .aeadAES256GCM].enumerated().map {
            "crypto:" + CryptoLine.generate(tag: UInt32($0.offset + 10), suite: $0.element, random: random).description
        }
        let answer = try answered(try sdp("RTP/SAVP", lines))
        #expect(answer.media.sdes?.suite == .aeadAES256GCM && answer.media.sdes?.remote.tag == 14)
        #expect(answer.description.section(0)?.cryptos == [try #require(answer.media.sdes?.local)])
        #expect(answer.media.sdes?.local?.tag == 14)
        #expect(try evaluated(try sdp("RTP/SAVP", Array(lines.prefix(2)))).sdes?.suite == .aesCM32)
        let evaluation = try Negotiation.evaluate(offer: try sdp("RTP/SAVP", lines), policy: policy()).get()
        let without = Negotiation.answer(evaluation, session: origin, local: localMedia(.none))
        #expect(without == .failure(.cryptoUnacceptable))
    }

    static let setups: [(String?, DTLSRole)] = [
        (nil, DTLSRole.active), ("actpass", .active), ("passive", .active), ("active", .passive), ("ACTIVE", .passive), ("nonsense", .active),
    ]

    @Test(arguments: setups) func row5SetupInAnOffer(_ setup: String?, _ role: DTLSRole) throws {
        let answer = try answered(try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint] + (setup.map { ["setup:" + $0] } ?? [])))
        #expect(answer.media.dtls?.role == role)
        #expect(answer.description.section(0)?.setup?.rawValue == role.rawValue)
    }

    @Test func row5HoldconnIsRefused() throws {
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint, "setup:holdconn"])) == .holdconn)
    }

    @Test func row13ActpassKeepsTheRoleOfTheAssociation() throws {
        var next = policy()
        next.current = try evaluated(try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint, "setup:active"]))
        #expect(try evaluated(try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint, "setup:actpass"]), next).dtls?.role == .passive)
        let other = "fingerprint:sha-256 " + Array(repeating: "CD", count: 32).joined(separator: ":")
        let changed = try evaluated(try sdp("UDP/TLS/RTP/SAVPF", [other, "setup:actpass"]), next)
        #expect(changed.dtls?.role == .active)
        #expect(changed.changes(since: try #require(next.current)) == .dtls)
    }

    @Test func aReofferCannotStepDown() throws {
        var next = policy()
        next.current = try evaluated(try sdp("RTP/SAVP", [EvaluateTests.crypto]))
        #expect(failure(try sdp("RTP/AVP"), next) == .securityDropped(offered: .sdes, profile: "RTP/AVP", how: .noCrypto))
        #expect(try evaluated(try sdp("RTP/SAVP", [EvaluateTests.fingerprint]), next).security == .dtls)
        next.current = try evaluated(try sdp("RTP/SAVP", [EvaluateTests.fingerprint]))
        #expect(
            failure(try sdp("RTP/SAVP", [EvaluateTests.crypto]), next) == .securityDropped(offered: .dtls, profile: "RTP/SAVP", how: .cryptoInstead))
    }

    @Test func row11Fingerprints() throws {
        let of = { (bytes: Int, digit: String) in Array(repeating: digit, count: bytes).joined(separator: ":") }
        let sha1 = "fingerprint:sha-1 " + of(20, "01")
        let sha384 = "fingerprint:SHA-384 " + of(48, "0a")
        let sha512 = "fingerprint:sha-512 " + of(64, "0B")
        let other = "fingerprint:sha-512 " + of(64, "0C")
        let chosen = { (lines: [String]) in try evaluated(try sdp("UDP/TLS/RTP/SAVPF", lines)).dtls?.fingerprints.map(\.description) }
        #expect(try chosen([EvaluateTests.fingerprint, sha512, sha1, other]) == ["sha-512 " + of(64, "0B"), "sha-512 " + of(64, "0C")])
        #expect(try chosen([sha384]) == ["sha-384 " + of(48, "0A")])
        #expect(try chosen([sha1, EvaluateTests.fingerprint]) == ["sha-256 " + hex32.uppercased()])
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [sha1])) == .fingerprintSHA1Only)
        var quirk = policy()
        quirk.acceptsSHA1 = true
        let weak = try #require(try evaluated(try sdp("UDP/TLS/RTP/SAVPF", [sha1]), quirk).dtls)
        #expect(weak.fingerprints.map(\.algorithm) == ["sha-1"] && weak.isWeak)
        // The quirk is no preference: a stronger one still wins, and nothing is weak then.
        #expect(try evaluated(try sdp("UDP/TLS/RTP/SAVPF", [sha1, sha384]), quirk).dtls?.isWeak == false)
        let md5 = "fingerprint:md5 " + of(16, "AA")
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [md5])) == .fingerprintUnsupported(["md5"]))
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [md5]), quirk) == .fingerprintUnsupported(["md5"]))
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", [])) == .fingerprintMissing)
        let sentences: [NegotiationError] = [
            .fingerprintMissing, .fingerprintMalformed, .fingerprintWrongLength(algorithm: "sha-256"), .fingerprintSHA1Only,
            .fingerprintUnsupported(["md5"]),
        ]
        #expect(Set(sentences.map(\.description)).count == sentences.count)
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", ["fingerprint:sha-256 " + of(31, "AB")])) == .fingerprintWrongLength(algorithm: "sha-256"))
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", ["fingerprint:sha-256 zz"])) == .fingerprintMalformed)
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", ["fingerprint:sha3-256 " + of(32, "AB")])) == .fingerprintUnsupported(["sha3-256"]))
    }
}
