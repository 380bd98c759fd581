import Core
import SDP
import Testing

/// What browsers and PBXs insist on, checked on the text of everything that we write, line by line and without our own reader.
@Suite struct WrittenDescriptionTests {
    static func faults(_ text: String, isAnswer: Bool) -> [String] {
        var out: [String] = []
        let expect = { (condition: Bool, fault: String) in if !condition { out.append(fault) } }
        expect(text.hasSuffix("\r\n") && !text.replacing("\r\n", with: "").contains("\n"), "line ends")
        let lines = text.split(separator: "\r\n").map { String($0) }
        let starts = lines.indices.filter { lines[$0].hasPrefix("m=") }
        let session = Array(lines[..<(starts.first ?? lines.count)])
        expect(session.first == "v=0" && session.contains { $0.hasPrefix("t=") }, "v= and t=")
        let order = session.map { $0.prefix(1) }.filter { $0 != "a" }
        expect(order == ["v", "o", "s", "c", "b", "t"].filter { order.contains($0) }, "order \(order)")
        for (start, end) in zip(starts, starts.dropFirst() + [lines.count]) {
            let section = Array(lines[start..<end])
            let words = section[0].split(separator: " ")
            let isBundleOnly = words[1] == "0" && section.contains("a=bundle-only")
            expect(!isBundleOnly || !isAnswer, "bundle-only in an answer")
            if words[1] == "0", !isBundleOnly { continue }
            let values = { (name: String) in section.filter { $0.hasPrefix("a=\(name):") }.map { String($0.dropFirst(name.count + 3)) } }
            expect((session + section).contains { $0.hasPrefix("c=IN IP") && !$0.contains("0.0.0.0") }, "a real c=")
            expect(values("rtpmap").allSatisfy { words.dropFirst(3).contains($0.prefix { $0 != " " }) }, "rtpmap of an unlisted format")
            expect(values("rtpmap").filter { $0.contains("opus") }.allSatisfy { $0.hasSuffix("opus/48000/2") }, "opus/48000/2")
            expect(values("ice-pwd").allSatisfy { $0.utf8.count >= 22 }, "ice-pwd")
            for fingerprint in values("fingerprint") {
                let digits = fingerprint.split(separator: " ").last ?? ""
                expect(digits == digits.uppercased() && fingerprint.hasPrefix("sha-"), "fingerprint")
                expect(values("crypto").isEmpty, "crypto beside fingerprint")
                expect(values("setup").count == 1 && (!isAnswer || ["active", "passive"].contains(values("setup")[0])), "setup")
            }
            // Firefox wants one for every section, bundled or not.
            let hasFingerprint = !values("fingerprint").isEmpty || session.contains { $0.hasPrefix("a=fingerprint:") }
            if words[2].hasPrefix("UDP/TLS") { expect(hasFingerprint, "fingerprint") }
            if isBundleOnly { expect(section.contains("a=rtcp-mux") && values("candidate").isEmpty && values("fingerprint").isEmpty, "bundle-only") }
            let ids = values("extmap").map { $0.prefix { $0 != " " && $0 != "/" } }
            expect(Set(ids).count == ids.count && ids.allSatisfy { (1...14).contains(Int($0) ?? 0) }, "extmap")
        }
        let mids = lines.filter { $0.hasPrefix("a=mid:") }.map { $0.dropFirst(6) }
        let grouped = lines.filter { $0.hasPrefix("a=group:BUNDLE ") }.flatMap { $0.split(separator: " ").dropFirst() }
        expect(grouped.allSatisfy { mids.contains($0) } && Set(mids).count == mids.count, "BUNDLE")
        return out
    }

    @Test func theReaderOfTheseTestsFindsFaults() throws {
        let good = Negotiation.offer(session: origin, media: [localMedia(.dtls)]).description
        #expect(WrittenDescriptionTests.faults(good, isAnswer: false).isEmpty)
        let broken: [(String, String)] = [
            (ourFingerprint.description, ourFingerprint.description.lowercased()), ("opus/48000/2", "opus/48000/1"), ("t=0 0\r\n", ""),
            ("ABCDEFGHIJKLMNOPQRSTUVWX", "short"), ("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0"), ("a=rtpmap:9 ", "a=rtpmap:19 "),
            ("a=mid:0", "a=mid:1"),
            ("a=setup:actpass", "a=x"), ("a=sendrecv", "a=extmap:15 urn:x"), ("a=sendrecv", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJD"),
            ("\r\n", "\n"),
        ]
        for (old, new) in broken { #expect(!WrittenDescriptionTests.faults(good.replacing(old, with: new), isAnswer: false).isEmpty, "\(old)") }
        #expect(WrittenDescriptionTests.faults(good, isAnswer: true) == ["setup"])
    }

    @Test(arguments: FixtureTests.offers) func answers(_ fixture: Fixture) throws {
        var ready = ExtensionTests().knowing
        ready.suites = CryptoSuite.allCases
        let offer = try fixture.parse()
        let answer = try answered(offer, ready) {
            $0.iceOptions = ["trickle", "ice2"]
            $0.msid = MediaStreamIdentification(stream: "-", track: "t")
        }
        #expect(WrittenDescriptionTests.faults(answer.description.description, isAnswer: true).isEmpty)
        // Our own re-offer after it, as on hold.
        var held = localMedia(answer.media.security)
        held.direction = .sendonly
        let again = Negotiation.offer(session: origin, media: [held], previous: answer.description)
        #expect(WrittenDescriptionTests.faults(again.description, isAnswer: false).isEmpty && again.media.count == offer.media.count)
    }

    @Test(arguments: MediaProfile.namesForDTLS) func offers(_ profile: String) {
        var local = OfferSizeTests().full()
        local.profileForDTLS = profile
        local.fingerprints = [ourFingerprint, Fingerprint(algorithm: "sha-384", bytes: Array(100..<148))]
        local.tlsID = "0123456789abcdef0123"
        local.bandwidths = [Bandwidth(type: "AS", value: 64)]
        #expect(WrittenDescriptionTests.faults(Negotiation.offer(session: origin, media: [local]).description, isAnswer: false).isEmpty)
    }

    /// What the peers' offers come to: header extensions by number, transport feedback, reduced size, extended reports, trickle.
    static let agreed: [(String, String)] = [
        ("chromium-offer-audio.sdp", "mid 4 cc 3 level 1 feedback rsize rtt trickle"),
        ("chromium-offer-av.sdp", "mid 4 cc 3 level 1 feedback rsize rtt trickle"),
        ("firefox-offer-audio.sdp", "mid 3 cc 7 level 1 feedback trickle"),
        ("firefox-offer-av-max-bundle.sdp", "mid 3 cc 7 level 1 feedback trickle"),
        ("aiortc-offer-audio.sdp", "mid 1 level 2"), ("asterisk-104-webrtc.txt", ""), ("asterisk-103-dtls-ice-nomux.txt", ""),
        ("softphone-minimal-offer.sdp", ""),
    ]

    @Test(arguments: agreed) func whatIsAgreedOn(_ file: String, _ expected: String) throws {
        let media = try answered(try Fixture.named(file), ExtensionTests().knowing).media
        let parts: [String?] = [
            media.extensions.mid.map { "mid \($0.id)" }, media.extensions.transportCC.map { "cc \($0)" },
            media.extensions.audioLevel.map { "level \($0)" },
            media.transportCCFeedback ? "feedback" : nil, media.rtcpRsize ? "rsize" : nil, media.xr.rcvrRTT ? "rtt" : nil,
            media.xr.voipMetrics ? "voip" : nil, media.remoteSupportsTrickle ? "trickle" : nil,
        ]
        #expect(parts.compactMap { $0 }.joined(separator: " ") == expected)
    }
}
