import Core
import SDP
import Testing

@Suite struct AttributeTests {
    @Test(arguments: [
        "1 1 UDP 2130706431 10.0.1.1 8998 typ host",
        "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998",
        "1 1 TCP 2105524479 19d018a7-ef01-47c8-993c-912773613bde.local 9 typ host tcptype active",
        "651845563 2 udp 4294967295 2001:db8::1 1 typ relay raddr :: rport 0 generation 0 network-id 1 x-new value",
    ]) func candidateRoundTrip(_ text: String) throws {
        #expect(try #require(SDPCandidate(text)).description == text)
        #expect(SDPCandidate("candidate:" + text) == SDPCandidate(text))
    }

    @Test func candidateFields() throws {
        let tcp = try #require(SDPCandidate("1 1 TCP 2105524479 a.local 9 typ host tcptype active generation 0"))
        #expect(tcp.isTCP && tcp.tcpType == "active" && tcp.extensions.count == 2)
        let relay = try #require(SDPCandidate("f 2 udp 5 192.0.2.9 77 TYP Relay raddr 192.0.2.8 rport 66"))
        #expect(relay.relatedAddress == "192.0.2.8" && relay.relatedPort == 66 && relay.type == "relay" && relay.component == 2)
    }

    @Test(arguments: [
        "", "1 1 UDP 1 10.0.0.1 1", "1 0 UDP 1 10.0.0.1 1 typ host", "1 257 UDP 1 10.0.0.1 1 typ host", "1 1 UDP 4294967296 10.0.0.1 1 typ host",
        "1 1 UDP 1 10.0.0.1 65536 typ host", "1 1 UDP -1 10.0.0.1 1 typ host", "1 1 UDP 1 10.0.0.1 1 type host",
        "123456789012345678901234567890123 1 UDP 1 10.0.0.1 1 typ host", "1 1 UDP 1 10.0.0.1 1 typ srflx raddr 1.2.3.4 rport 99999",
    ]) func candidateRefused(_ text: String) {
        #expect(SDPCandidate(text) == nil)
    }

    @Test(arguments: [
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk",
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk|2^20|1:4",
        "12 AES_CM_128_HMAC_SHA1_32 inline:QUJDREVGR0hJSktMTU5PUFFS|1:4;inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk|2^20|2:4 KDR=1 WSH=60",
        "3 F8_128_HMAC_SHA1_80 inline:QQ== UNENCRYPTED_SRTCP",
    ]) func cryptoRoundTrip(_ text: String) throws {
        #expect(try #require(CryptoLine(text)).description == text)
    }

    @Test func cryptoFields() throws {
        let line = try #require(CryptoLine("7 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk|2^20|1:4"))
        #expect(line.tag == 7 && line.suite == .aesCM80)
        #expect(line.keys.first?.material == Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcd".utf8))
        #expect(line.keys.first?.lifetime == "2^20" && line.keys.first?.mki == .init(value: 1, length: 4))
        #expect(line.usableKey == nil)
        #expect(CryptoLine("7 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk|2^31 WSH=64 -x")?.usableKey?.count == 30)
    }

    @Test(arguments: [
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJD", "1 AEAD_AES_128_GCM inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk", "1 NEW_SUITE inline:QUJD",
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk UNENCRYPTED_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk UNAUTHENTICATED_SRTP",
    ]) func cryptoUnusable(_ text: String) throws {
        #expect(try #require(CryptoLine(text)).usableKey == nil)
    }

    @Test(arguments: [
        "", "1 X", "x AES inline:QUJD", "1 AES uri:QUJD", "1 AES inline:Q!JD", "1 AES inline:", "1234567890 AES inline:QUJD", "1 AES inline:QUJD|a:b",
    ])
    func cryptoRefused(_ text: String) {
        #expect(CryptoLine(text) == nil)
    }

    @Test(arguments: CryptoSuite.allCases) func generatedLines(_ suite: CryptoSuite) throws {
        let line = CryptoLine.generate(tag: 1, suite: suite, random: RandomSource(seed: 1))
        #expect(line.usableKey?.count == suite.keyLength + suite.saltLength)
        #expect(CryptoLine(line.description) == line)
        #expect(line != CryptoLine.generate(tag: 1, suite: suite, random: RandomSource(seed: 2)))
    }

    @Test func fingerprints() throws {
        let lower = try #require(Fingerprint("SHA-256 " + hex32))
        #expect(lower.description == "sha-256 " + hex32.uppercased())
        #expect(lower == Fingerprint("sha-256 " + hex32.uppercased()))
        #expect(lower.hasRightLength)
        #expect(Fingerprint("sha-256 AB:C") == nil)
        #expect(Fingerprint("sha-256") == nil)
        #expect(Fingerprint("sha-256 XY") == nil)
        #expect(Fingerprint("sha-384 " + hex32)?.hasRightLength == false)
    }

    @Test func smallAttributes() throws {
        #expect(RTPMap("96 opus/48000/2")?.value == "96 opus/48000/2")
        #expect(RTPMap("9 G722/8000/1")?.value == "9 G722/8000")
        #expect(RTPMap("128 x/8000") == nil && RTPMap("96 x") == nil && RTPMap("96 x/0") == nil && RTPMap("96 x/8000/0") == nil)
        #expect(FormatParameters("96 useinbandfec=1; stereo=0")?.text == "useinbandfec=1; stereo=0")
        #expect(FormatParameters.parameter("STEREO", in: "useinbandfec=1; stereo=0") == "0")
        #expect(FormatParameters.parameter("none", in: "useinbandfec=1") == nil)
        #expect(RTCPAttribute("53020")?.port == 53020)
        #expect(RTCPAttribute("53020 IN IP6 2001:db8::1")?.host == "2001:db8::1")
        #expect(RTCPFeedback("* nack  pli")?.value == "* nack pli")
        #expect(ExtensionMap("2/recvonly urn:x")?.value == "2/recvonly urn:x")
        #expect(SSRCAttribute("5 cname:a:b")?.value == "a:b")
        #expect(MediaStreamIdentification("s t")?.track == "t")
        #expect(MediaGroup("BUNDLE 0 1")?.mids == ["0", "1"])
    }

    @Test func inheritance() throws {
        let text = """
            v=0
            o=- 1 1 IN IP4 192.0.2.1
            s=-
            c=IN IP4 192.0.2.1
            t=0 0
            a=sendonly
            a=ice-lite
            a=ice-ufrag:sess
            a=ice-pwd:sessionpasswordsessionpw
            a=ice-options:trickle ice2
            a=fingerprint:sha-256 \(hex32)
            a=setup:passive
            m=audio 5000 RTP/AVP 0 18 77
            a=remote-candidates:1 192.0.2.3 45664 2 192.0.2.3 45665
            a=ptime:20
            m=video 5002 RTP/AVP 96
            c=IN IP6 2001:db8::1
            a=inactive
            a=ice-ufrag:medi
            a=fingerprint:sha-256 00
            a=setup:active

            """
        let description = try SessionDescription(parsing: text)
        let audio = try #require(description.section(0))
        #expect(audio.direction == .sendonly && audio.setup == .passive && audio.iceUfrag == "sess" && audio.fingerprints.count == 1)
        #expect(audio.iceOptions == ["trickle", "ice2"] && description.isICELite && audio.ptime == 20)
        #expect(audio.remoteCandidates.map(\.port) == [45664, 45665])
        #expect(audio.rtpMaps[0]?.name == "PCMU" && audio.rtpMaps[18]?.name == "G729" && audio.rtpMaps[77] == nil)
        #expect(audio.connection?.ip == .v4(0xC000_0201))
        let video = try #require(description.section(1))
        #expect(video.direction == .inactive && video.setup == .active && video.iceUfrag == "medi" && video.icePwd == "sessionpasswordsessionpw")
        #expect(video.fingerprints.first?.bytes == [0])
        #expect(video.connection?.host == "2001:db8::1")
        #expect(description.section(2) == nil && description.section(-1) == nil)
    }
}
