import Core
import SDP
import Testing

/// Video in offers of peers (RFC 9143 §7.3): what it comes to, and what we answer.
@Suite struct VideoOfferedTests {
    static let everything = "nack/nack pli/ccm fir/goog-remb/transport-cc"

    /// One line for what matters to the media.
    static func summary(_ video: NegotiatedMedia?) -> String {
        guard let video else { return "none" }
        let codecs = video.codecs.map { "\($0.name) \($0.sendPayloadType)>\($0.receivePayloadType)" }.joined(separator: ",")
        let rtx = video.rtx.map { " rtx \($0.sendPayloadType)>\($0.receivePayloadType)" } ?? ""
        let extensions = video.extensions
        let numbers = [extensions.mid.map { " mid \($0.id)=\($0.value)" }, extensions.transportCC.map { " cc \($0)" }].compactMap { $0 }.joined()
        return "\(codecs)\(rtx)\(numbers) \(video.feedback.joined(separator: "/")) by \(video.transport.kind)"
    }

    static let offers: [(String, String)] = [
        ("chromium-offer-av.sdp", "VP8 96>96 rtx 97>97 mid 4=1 cc 3 \(everything) by audio"),
        ("chromium-offer-av-dc.sdp", "VP8 96>96 rtx 97>97 mid 4=1 cc 3 \(everything) by audio"),
        ("chromium-offer-av-max-bundle.sdp", "VP8 96>96 rtx 97>97 mid 4=1 cc 3 \(everything) by audio"),
        ("chromium-offer-av-max-compat.sdp", "VP8 96>96 rtx 97>97 mid 4=1 cc 3 \(everything) by audio"),
        ("chromium-va-max-bundle.sdp", "VP8 96>96 rtx 97>97 mid 9=0 cc 4 \(everything) by video"),
        ("firefox-offer-av.sdp", "VP8 120>120 rtx 124>124 mid 3=1 cc 7 \(everything) by audio"),
        ("firefox-offer-av-max-bundle.sdp", "VP8 120>120 rtx 124>124 mid 3=1 cc 7 \(everything) by audio"),
        ("firefox-va-max-bundle.sdp", "VP8 120>120 rtx 124>124 mid 3=0 cc 7 \(everything) by video"),
        ("aiortc-offer-av.sdp", "VP8 97>97 rtx 98>98 mid 1=1 nack/nack pli/goog-remb by audio"),
        ("asterisk-104-offer-av.txt", "VP8 100>100 cc 1 nack/ccm fir/goog-remb/transport-cc by audio"),
        ("asterisk-101-video.txt", "none"), ("softphone-minimal-offer.sdp", "none"), ("chromium-offer-audio.sdp", "none"),
        ("softphone-bundle-only-offer-av.sdp", "VP8 97>97 rtx 98>98 mid 2=1 cc 3 \(everything) by audio"),
    ]

    @Test(arguments: offers) func whatAnOfferComesTo(_ file: String, _ expected: String) throws {
        let offer = try Fixture.named(file)
        let answer = try answeredWithVideo(offer)
        #expect(VideoOfferedTests.summary(answer.video) == expected)
        let text = answer.description.description
        #expect(WrittenDescriptionTests.faults(text, isAnswer: true).isEmpty)
        let hasVideo = expected != "none"
        let inUse = answer.description.sections.filter { $0.media.port != 0 }
        #expect(inUse.count == (hasVideo ? 2 : 1) && Set(inUse.map(\.media.port)) == [40000])
        // One group of both, the section that describes the transport first; it alone has candidates.
        let tagged = answer.media.transport
        if hasVideo {
            let group = try #require(answer.description.groups("BUNDLE").first).mids
            #expect(group.count == 2 && group.first == tagged.mid && Set(group) == Set(inUse.compactMap(\.mid)))
            #expect(inUse.filter { !$0.candidates.isEmpty }.map(\.index) == [tagged.index])
            #expect(offer.offersVideo && answer.description.sections.map(\.mid) == offer.sections.map(\.mid))
        }
        // The other side reads the same.
        let theirs = try applied(answer.description, to: offer)
        #expect(theirs.audio.codecs.map(\.name) == answer.media.codecs.map(\.name) && theirs.issues.isEmpty)
        #expect(theirs.video?.codecs.map(\.sendPayloadType) == answer.video?.codecs.map(\.receivePayloadType))
        #expect(
            theirs.video?.rtx == answer.video?.rtx && theirs.video?.mid == answer.video?.mid && theirs.video?.dtls == theirs.audio.dtls || !hasVideo)
        #expect(theirs.video?.remoteSSRC == (hasVideo ? videoSSRC : nil))
        #expect(theirs.video?.remoteRTXSSRC == (answer.video?.rtx == nil ? nil : rtxSSRC))
    }

    @Test func sourcesOfTheOfferer() throws {
        let chromium = try answeredWithVideo(try Fixture.named("chromium-offer-av.sdp")).video
        #expect(chromium?.remoteSSRC == 2_459_633_517 && chromium?.remoteRTXSSRC == 955_486_500)
        let firefox = try answeredWithVideo(try Fixture.named("firefox-offer-av-max-bundle.sdp")).video
        #expect(firefox?.remoteSSRC == 1_680_902_964 && firefox?.remoteRTXSSRC == 383_864_825)
    }

    /// The lines of the video section of our answer, in full.
    @Test func theAnswerAsItIsWritten() throws {
        let answer = try answeredWithVideo(
            try bundledOffer(video: ["rtcp-fb:96 nack pli", "rtcp-fb:96 nack", "extmap:5 \(HeaderExtension.mid.rawValue)"]))
        let text = answer.description.description
        let start = try #require(text.firstRange(of: "m=video"))
        let expected = """
            m=video 40000 UDP/TLS/RTP/SAVPF 96 97
            a=rtpmap:96 VP8/90000
            a=rtpmap:97 rtx/90000
            a=fmtp:97 apt=96
            a=sendrecv
            a=mid:v
            a=rtcp-mux
            a=rtcp-rsize
            a=rtcp-fb:96 nack
            a=rtcp-fb:96 nack pli
            a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:mid
            a=msid:AbCdEfGh video
            a=ssrc-group:FID 11111 22222
            a=ssrc:11111 cname:AbCdEfGh
            a=ssrc:22222 cname:AbCdEfGh
            a=setup:active
            a=ice-ufrag:abcdefgh
            a=ice-pwd:ABCDEFGHIJKLMNOPQRSTUVWX

            """
        #expect(String(text[start.lowerBound...]) == expected.replacing("\n", with: "\r\n"))
        #expect(text.contains("\r\na=fingerprint:\(ourFingerprint)\r\na=group:BUNDLE a v\r\nm=audio"))
    }

    /// RFC 9143 §7.1.3: the transport is the tagged section's, whatever the other one says.
    @Test func theTaggedSectionCounts() throws {
        let answer = try answeredWithVideo(try bundledOffer())
        let video = try #require(answer.video)
        #expect(video.dtls == answer.media.dtls && video.dtls?.role == .active && video.dtls?.fingerprints.first?.bytes.first == 0xAB)
        #expect(video.ice?.ufrag == "audio" && video.remoteAddress?.port == 5000)
        // The same two with the group the other way round.
        let turned = try answeredWithVideo(try bundledOffer(group: "v a"))
        #expect(turned.media.dtls?.fingerprints.first?.bytes.first == 0xCD && turned.media.ice?.ufrag == "video")
        #expect(turned.media.remoteAddress?.port == 6000 && turned.media.transport.mid == "v" && turned.media.index == 0)
        #expect(turned.description.groups("BUNDLE").map(\.mids) == [["v", "a"]])
        #expect(turned.description.section(1)?.candidates.isEmpty == false && turned.description.section(0)?.candidates.isEmpty == true)
        // Nobody wants the video: then audio describes its own transport.
        let alone = try answeredWithVideo(try bundledOffer(group: "v a"), policy())
        #expect(alone.media.dtls?.fingerprints.first?.bytes.first == 0xAB && alone.media.transport.mid == "a" && alone.video == nil)
        #expect(alone.description.groups("BUNDLE").map(\.mids) == [["a"]] && alone.description.media.map(\.port) == [40000, 0])
    }

    @Test func aBundleOnlySectionIsOffered() throws {
        let offer = try bundledOffer(ports: ["video": 0], transport: ["audio"], video: ["bundle-only"])
        let answer = try answeredWithVideo(offer)
        #expect(answer.video?.codecs.first?.name == "VP8" && answer.description.media.map(\.port) == [40000, 40000])
        #expect(answer.description.section(1)?.media.has("bundle-only") == false)
        // First in the group, it has no transport to give all the same (§7.3.1).
        let later = try answeredWithVideo(try bundledOffer(group: "v a", ports: ["video": 0], transport: ["audio"], video: ["bundle-only"]))
        #expect(later.video?.transport.mid == "a" && later.description.groups("BUNDLE").map(\.mids) == [["a", "v"]])
        // Without the word it is disabled; without the group it has no transport.
        #expect(try answeredWithVideo(try bundledOffer(ports: ["video": 0], transport: ["audio"])).video == nil)
        let loose = try Negotiation.evaluate(
            offer: try bundledOffer(group: nil, ports: ["video": 0], transport: ["audio"], video: ["bundle-only"]), policy: videoPolicy()
        ).get()
        #expect(loose.video == nil && loose.issues == [.videoNotBundled])
        // Audio of the group alone, with video that we do not want: nothing is left.
        let reversed = try bundledOffer(group: "v a", order: ["video", "audio"], ports: ["audio": 0], transport: ["video"], audio: ["bundle-only"])
        #expect(failure(reversed) == .noAcceptableMedia)
        #expect(try answeredWithVideo(reversed).media.dtls?.fingerprints.first?.bytes.first == 0xCD)
        // Wanted, but not to be sent or seen now: the section stays, since it has the transport.
        let idle = try answeredWithVideo(reversed, videoPolicy(), nil)
        #expect(idle.video?.localDirection == .inactive && idle.description.media.map(\.port) == [40000, 40000])
    }

    @Test func videoThatIsNotWantedOrNotBundledIsRefused() throws {
        let refused = try answeredWithVideo(try bundledOffer(), policy())
        #expect(refused.video == nil && refused.description.media.map(\.port) == [40000, 0])
        #expect(refused.description.groups("BUNDLE").map(\.mids) == [["a"]] && refused.description.section(1)?.mid == "v")
        for group in [nil, "a", "v", "x y", "a x", ""] as [String?] {
            let evaluation = try Negotiation.evaluate(offer: try bundledOffer(group: group), policy: videoPolicy()).get()
            #expect(evaluation.video == nil && evaluation.issues == [.videoNotBundled] && evaluation.offersVideo, "\(group ?? "none")")
            #expect(try answeredWithVideo(try bundledOffer(group: group)).description.media.map(\.port) == [40000, 0])
        }
        // A group of everything needs one port for RTP and RTCP (§9.3.1).
        let text = try bundledOffer().description.replacing("a=rtcp-mux\r\n", with: "")
        let unshared = try answeredWithVideo(try SessionDescription(parsing: text))
        #expect(unshared.video == nil && !unshared.media.rtcpMux && unshared.description.groups("BUNDLE").isEmpty)
    }

    @Test(arguments: MediaDirection.allCases, MediaDirection.allCases) func directions(_ theirs: MediaDirection, _ ours: MediaDirection) throws {
        let answer = try answeredWithVideo(try bundledOffer(video: [theirs.rawValue]), videoPolicy(), ours)
        let expected = ours.intersection(theirs.reversed)
        let section = try #require(answer.description.section(1))
        #expect(answer.video?.localDirection == expected && section.direction == expected && answer.media.localDirection == .sendrecv)
        // Sources are named where they send.
        #expect(section.ssrcs.isEmpty == !expected.sends && section.msids.isEmpty == !expected.sends && section.media.port != 0)
    }

    /// A camera and a screen: the first that can be used is taken.
    @Test func oneOfSeveral() throws {
        let text = try bundledOffer(group: "a h v w").description
        let h264 = "m=video 7000 UDP/TLS/RTP/SAVPF 102\r\na=mid:h\r\na=rtpmap:102 H264/90000\r\na=rtcp-mux\r\n"
        let second = "m=video 8000 UDP/TLS/RTP/SAVPF 96\r\na=mid:w\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux\r\n"
        let offer = try SessionDescription(parsing: text.replacing("m=video", with: h264 + "m=video") + second)
        let answer = try answeredWithVideo(offer)
        #expect(answer.description.media.map { $0.port == 0 } == [false, true, false, true] && answer.video?.mid == "v")
        #expect(answer.description.groups("BUNDLE").map(\.mids) == [["a", "v"]])
        let none = try Negotiation.evaluate(
            offer: try SessionDescription(parsing: text.replacing("VP8", with: "VP9") + h264), policy: videoPolicy()
        ).get()
        #expect(none.video == nil && none.issues == [.videoUnusable(.noCommonCodec)])
    }

    /// Plain and SDES: the keys are those of the tagged section.
    @Test func bundlesWithoutDTLS() throws {
        let plain = try answeredWithVideo(try bundledOffer(profile: "RTP/AVPF"), videoPolicy())
        #expect(plain.video?.security == MediaSecurity.none && plain.description.media.map(\.port) == [40000, 40000])
        let key = "crypto:3 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"
        let sdes = try answeredWithVideo(try bundledOffer(audio: [key], profile: "RTP/SAVPF"))
        #expect(sdes.video?.sdes == sdes.media.sdes && sdes.media.sdes?.local?.tag == 3)
        #expect(sdes.description.section(0)?.cryptos.count == 1 && sdes.description.section(1)?.cryptos.isEmpty == true)
        // The other section is the tagged one, without keys: then audio goes on by itself.
        let alone = try Negotiation.evaluate(offer: try bundledOffer(group: "v a", audio: [key], profile: "RTP/SAVPF"), policy: videoPolicy()).get()
        #expect(alone.video == nil && alone.media.sdes != nil && alone.issues.count == 1)
        // Without protection beside audio with it.
        let mixed = try bundledOffer().description.replacing("m=video 6000 UDP/TLS/RTP/SAVPF", with: "m=video 6000 RTP/AVPF")
        let evaluation = try Negotiation.evaluate(offer: try SessionDescription(parsing: mixed), policy: videoPolicy()).get()
        #expect(evaluation.video == nil && evaluation.issues == [.videoUnusable(.securityUnacceptable(profile: "RTP/AVPF"))])
    }

    @Test func weirdOffers() throws {
        let video = { (offer: SessionDescription) in try answeredWithVideo(offer).video }
        // Retransmissions of nothing, of themselves, of another clock, by a number that is none.
        for apt in ["apt=99", "apt=97", "apt=", "apt=300", "rtx-time=5"] {
            let text = try bundledOffer().description.replacing("apt=96", with: apt)
            #expect(try video(try SessionDescription(parsing: text))?.rtx == nil, "\(apt)")
        }
        #expect(try video(try SessionDescription(parsing: bundledOffer().description.replacing("rtx/90000", with: "rtx/8000")))?.rtx == nil)
        // Two sections of one name: the first has it.
        let doubled = try SessionDescription(parsing: bundledOffer().description.replacing("a=mid:v", with: "a=mid:a"))
        #expect(try answeredWithVideo(doubled).video == nil)
        // A name that comes again and one that nobody has.
        let answer = try answeredWithVideo(try bundledOffer(group: "a a ghost v a v"))
        #expect(answer.video != nil && answer.description.groups("BUNDLE").map(\.mids) == [["a", "v"]])
        // One number for two codecs, and one number for two header extensions.
        let taken = try Negotiation.evaluate(
            offer: try SessionDescription(parsing: bundledOffer().description.replacing("111", with: "96")), policy: videoPolicy()
        ).get()
        #expect(taken.video == nil && taken.issues == [.videoPayloadTypeTaken(96)])
        let clash = try bundledOffer(
            audio: ["extmap:3 \(HeaderExtension.mid.rawValue)"], video: ["extmap:3 \(HeaderExtension.transportCC.rawValue)"])
        #expect(try video(clash)?.extensionMaps.isEmpty == true && answeredWithVideo(clash).media.extensions.mid?.id == 3)
        // Sources that are no numbers, or only one.
        for group in ["FID 1", "FID x y", "FID", "SIM 1 2", "FID 1 99999999999"] {
            let media = try video(try bundledOffer(video: ["ssrc-group:" + group, "ssrc:5 cname:x"]))
            #expect(media?.remoteSSRC == 5 && media?.remoteRTXSSRC == nil, "\(group)")
        }
    }
}
