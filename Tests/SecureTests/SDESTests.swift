import Core
import Secure
import Testing

@Suite struct SDESTests {
    /// RFC 4568 §6.1 and §9.1 have this key.
    private let key = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"

    @Test func exampleOfRFC4568() throws {
        let parsed = try SDESKey(attribute: "1 AES_CM_128_HMAC_SHA1_80 \(key)|2^20")
        #expect(parsed.tag == 1)
        #expect(parsed.profile == .aesCM128Tag80)
        #expect(parsed.lifetime == 1 << 20)
        #expect(parsed.master.key == Array("wDfvg&T+)xG7@fb5".utf8))
        #expect(parsed.master.salt == Array("jU,RaA}\\|p0%*#".utf8))
        #expect(parsed.attribute == "1 AES_CM_128_HMAC_SHA1_80 \(key)")
    }

    @Test(arguments: SRTPProfile.allCases)
    func madeKeysAreReadAgain(profile: SRTPProfile) throws {
        let random = RandomSource(seed: 5)
        let made = SDESKey.make(tag: 3, profile: profile, random: random)
        #expect(made.master.fits(profile))
        #expect(made != SDESKey.make(tag: 3, profile: profile, random: random))
        #expect(try SDESKey(attribute: made.attribute) == made)
        #expect(made.attribute.hasPrefix("3 \(profile.rawValue) inline:"))
        // A 46-byte key ends in "==", which some phones leave out.
        let bare = String(made.attribute.reversed().drop { $0 == "=" }.reversed())
        #expect(try SDESKey(attribute: bare) == made)
    }

    @Test(arguments: [
        ("1 AES_CM_128_HMAC_SHA1_80", SDESError.malformed), ("", .malformed), ("x AES_CM_128_HMAC_SHA1_80 KEY", .malformed),
        ("-1 AES_CM_128_HMAC_SHA1_80 KEY", .malformed), ("9999999999 AES_CM_128_HMAC_SHA1_80 KEY", .malformed),
        ("1 F8_128_HMAC_SHA1_80 KEY", .unknownSuite), ("1 AES_CM_128_HMAC_SHA1_80 uri:KEY", .malformed),
        ("1 AES_256_CM_HMAC_SHA1_80 KEY", .badKey), ("1 AEAD_AES_128_GCM KEY", .badKey), ("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", .badKey),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo*", .badKey),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|2^20|1:4", .masterKeyIdentifier), ("1 AES_CM_128_HMAC_SHA1_80 KEY|1:4", .masterKeyIdentifier),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY;KEY", .masterKeyIdentifier), ("1 AES_CM_128_HMAC_SHA1_80 KEY|2^49", .badLifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|0", .badLifetime), ("1 AES_CM_128_HMAC_SHA1_80 KEY|", .badLifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|a|b|c", .malformed), ("1 AES_CM_128_HMAC_SHA1_80 KEY UNENCRYPTED_SRTP", .sessionParameter),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY KDR=4", .sessionParameter), ("1 AES_CM_128_HMAC_SHA1_80 KEY FEC_ORDER=FEC_SRTP", .sessionParameter),
    ])
    func refused(line: String, error: SDESError) {
        let text = line.split(separator: "KEY", omittingEmptySubsequences: false).joined(separator: key)
        #expect(throws: error) { _ = try SDESKey(attribute: text) }
    }

    @Test(arguments: ["2^31", "2^48", "1", "1048576"])
    func lifetimes(text: String) throws {
        #expect(try SDESKey(attribute: "1 AES_CM_128_HMAC_SHA1_80 \(key)|\(text)").lifetime != nil)
    }

    @Test func windowSizeIsAHint() throws {
        #expect(try SDESKey(attribute: "2 AES_CM_128_HMAC_SHA1_80 \(key) WSH=128").tag == 2)
    }

    @Test func descriptionsHideTheKey() throws {
        let parsed = try SDESKey(attribute: "1 AES_CM_128_HMAC_SHA1_80 \(key)")
        #expect("\(parsed.master)" == "SRTPMasterKey(16+14 bytes)")
    }

    @Test func twoContextsFromOneLine() throws {
        let made = SDESKey.make(tag: 1, profile: .aesCM128Tag32, random: RandomSource(seed: 8))
        let read = try SDESKey(attribute: made.attribute)
        let sender = try SRTPContext(profile: made.profile, key: made.master, direction: .outbound)
        let receiver = try SRTPContext(profile: read.profile, key: read.master, direction: .inbound)
        var packet = rtp(sequence: 1)
        try sender.protectRTP(&packet)
        try receiver.unprotectRTP(&packet)
        #expect(packet == rtp(sequence: 1))
    }
}
