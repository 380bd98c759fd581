import Core
import SDP
import Testing

/// Our offers with video, and what answers to them come to (RFC 9143 §7.2, §7.4, §7.5).
@Suite struct VideoAnsweredTests {
    let first = Negotiation.offer(session: origin, media: pairOfMedia())

    @Test func theOfferAsItIsWritten() throws {
        #expect(first.description == Fixture.text("softphone-bundle-only-offer-av.sdp"))
        #expect(WrittenDescriptionTests.faults(first.description, isAnswer: false).isEmpty)
        let video = try #require(first.section(1))
        #expect(video.isBundleOnly && video.isEnabled && first.offersVideo && video.rtxPayloadType(of: 97) == 98)
        // The numbers of header extensions are those of audio.
        #expect(video.extensionMaps == first.section(0)?.extensionMaps.filter { $0.uri != HeaderExtension.audioLevel.rawValue })
        let silent = Negotiation.offer(session: origin, media: pairOfMedia(.dtls, .recvonly))
        #expect(silent.section(1)?.ssrcs.isEmpty == true && silent.section(1)?.direction == .recvonly && silent.section(1)?.msids.isEmpty == true)
    }

    /// Firefox 153 ends a page that answers a section without a fingerprint, and refuses a bundled one that has none.
    @Test func everySectionHasAFingerprint() throws {
        for description in [first, Negotiation.offer(session: origin, media: pairOfMedia(.dtls, use: .shared), previous: first)] {
            #expect(description.sections.allSatisfy { $0.fingerprints == [ourFingerprint] })
            #expect(description.media.allSatisfy { !$0.has("fingerprint") } && description.has("fingerprint"))
        }
        let alone = Negotiation.offer(session: origin, media: Array(pairOfMedia().prefix(1)))
        #expect(!alone.has("fingerprint") && alone.media[0].has("fingerprint"))
    }

    @Test(arguments: MediaSecurity.allCases) func bothSidesAgree(_ security: MediaSecurity) throws {
        let offer = Negotiation.offer(session: origin, media: pairOfMedia(security))
        #expect(offer.media[1].profile == ["UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "RTP/AVPF"][[.dtls, .sdes, .none].firstIndex(of: security) ?? 0])
        let answer = try answeredWithVideo(try SessionDescription(parsing: offer.bytes))
        let ours = try applied(try SessionDescription(parsing: answer.description.bytes), to: offer)
        let (here, there) = (try #require(ours.video), try #require(answer.video))
        #expect(here.security == security && there.security == security && ours.issues.isEmpty)
        #expect(here.feedback == RTCPFeedback.forVideo && there.feedback == RTCPFeedback.forVideo && here.rtcpRsize && here.rtcpMux)
        #expect(here.codecs == there.codecs && here.rtx == there.rtx && here.rtx?.receivePayloadType == 98)
        #expect(here.sdes == ours.audio.sdes && there.sdes == answer.media.sdes && here.sdes?.remote == there.sdes?.local)
        #expect(here.dtls == ours.audio.dtls && here.ice == ours.audio.ice && here.remoteAddress == ours.audio.remoteAddress)
        #expect(here.extensions == NegotiatedExtensions(mid: .init(id: 2, value: "1"), transportCC: 3))
        #expect(here.transport == ours.audio.transport && here.transport.index == 0)
    }

    static let answers: [(String, Int, String)] = [
        ("chromium-answer-to-bundle-only-av.sdp", 0, "VP8 97>97 rtx 98>98 mid 2=1 cc 3 \(VideoOfferedTests.everything) by audio"),
        ("firefox-answer-to-bundle-only-av.sdp", 0, "VP8 97>97 rtx 98>98 mid 2=1 cc 3 \(VideoOfferedTests.everything) by audio"),
    ]

    @Test(arguments: answers) func browsers(_ file: String, _ index: Int, _ expected: String) throws {
        let answer = try Fixture.named(file, index)
        let session = try applied(answer, to: first)
        #expect(VideoOfferedTests.summary(session.video) == expected && session.issues.isEmpty)
        #expect(session.video?.dtls?.role == .passive && session.video?.localDirection == .sendrecv)
        let pair = try #require(answer.section(1)?.ssrcGroups.first).ssrcs
        #expect(session.video?.remoteSSRC == pair[0] && session.video?.remoteRTXSSRC == pair[1])
    }

    /// What others answered to others: video of a bundle, and that of a transport of its own.
    @Test func recordedAnswers() throws {
        var bundled = 0
        var apart = 0
        for exchange in RecordedExchange.all {
            let offer = try exchange.offer.parse()
            let answer = try exchange.answer.parse()
            let session = try applied(answer, to: offer)
            let video = answer.sections.first { $0.media.kind == .video && $0.media.port != 0 }
            if answer.groups("BUNDLE").first?.mids.count == 2, video != nil {
                bundled += 1
                #expect(
                    session.video?.codecs.first?.name == "VP8" && session.issues.isEmpty && session.video?.ice == session.audio.ice, "\(exchange)")
            } else if video != nil {
                apart += 1
                #expect(session.video == nil && session.issues == [.videoNotBundled], "\(exchange)")
            } else {
                #expect(session.video == nil && session.issues.isEmpty, "\(exchange)")
            }
        }
        #expect(bundled >= 8 && apart >= 3)
    }

    func answer(_ change: (String) -> String) throws -> SessionDescription {
        try SessionDescription(parsing: change(try answeredWithVideo(first).description.description))
    }

    /// A peer that does not know BUNDLE sees port 0, and refuses by itself.
    @Test func aPlainPeer() throws {
        let offer = Negotiation.offer(session: origin, media: pairOfMedia(.none))
        let text = """
            v=0\no=- 1 1 IN IP4 198.51.100.7\ns=-\nc=IN IP4 198.51.100.7\nt=0 0\nm=audio 7000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n
            """
        let refusal = try SessionDescription(parsing: text + "m=video 0 RTP/AVPF 97\n")
        let session = try applied(refusal, to: offer)
        #expect(session.video == nil && session.issues.isEmpty && session.audio.remoteAddress?.port == 7000 && !session.audio.rtcpMux)
        let apart = try applied(try SessionDescription(parsing: text + "m=video 7002 RTP/AVPF 97\na=rtpmap:97 VP8/90000\n"), to: offer)
        #expect(apart.video == nil && apart.issues == [.videoNotBundled] && apart.audio == session.audio)
        let unclear = try applied(try SessionDescription(parsing: text + "m=video 7002 RTP/SAVPF 97\n"), to: offer)
        #expect(unclear.audio == session.audio && unclear.video == nil)
    }

    @Test func answersThatAreNotRight() throws {
        let whole = try applied(try answer { $0 }, to: first)
        #expect(whole.video != nil)
        let changes: [(String, String, [NegotiationIssue])] = [
            ("a=group:BUNDLE 0 1\r\n", "", [.videoNotBundled]), ("BUNDLE 0 1", "BUNDLE 0", [.videoNotBundled]),
            ("BUNDLE 0 1", "BUNDLE x 1", [.videoNotBundled]), ("VP8/90000", "H264/90000", [.videoUnusable(.noCommonCodec)]),
            (
                "m=video 40000 UDP/TLS/RTP/SAVPF", "m=video 40000 RTP/AVPF",
                [.videoUnusable(.profileMismatch(offered: "UDP/TLS/RTP/SAVPF", answered: "RTP/AVPF"))]
            ),
            ("m=video", "m=text", [.videoUnusable(.mediaKindMismatch)]), ("m=video 40000", "m=video 0", []),
        ]
        for (old, new, issues) in changes {
            let session = try applied(try answer { $0.replacing(old, with: new) }, to: first)
            #expect(session.video == nil && session.issues == issues && session.audio == whole.audio, "\(new)")
        }
        // Named without a=mid, and in the other order: the lines of the tagged section are taken where they are.
        #expect(try applied(try answer { $0.replacing("a=mid:0\r\n", with: "").replacing("a=mid:1\r\n", with: "") }, to: first).video == whole.video)
        let ghosts = try applied(try answer { $0.replacing("BUNDLE 0 1", with: "BUNDLE ghost 0 0 1 2") }, to: first)
        #expect(ghosts == whole)
        // A fingerprint of the bundled section itself is nobody's.
        let other = "a=fingerprint:sha-256 \(hex32.uppercased())\r\na=ice-ufrag:other\r\n"
        let session = try applied(try answer { $0.replacing("a=msid:AbCdEfGh video\r\n", with: other) }, to: first)
        #expect(session.video?.dtls == whole.video?.dtls && session.video?.ice == whole.video?.ice && session.video?.mid == "1")
    }

    // MARK: In mid-call

    @Test func videoComesAndGoes() throws {
        let audio = Array(pairOfMedia().prefix(1))
        let alone = Negotiation.offer(session: origin, media: audio)
        let added = Negotiation.offer(session: origin, media: pairOfMedia(), previous: alone)
        #expect(added.media.map(\.port) == [40000, 0] && added.section(1)?.isBundleOnly == true && added.origin.sessionVersion == "2")
        #expect(added.groups("BUNDLE").map(\.mids) == [["0", "1"]])
        let shared = Negotiation.offer(session: origin, media: pairOfMedia(.dtls, .sendonly, use: .shared), previous: added)
        #expect(shared.media.map(\.port) == [40000, 40000] && shared.section(1)?.media.has("bundle-only") == false)
        #expect(shared.section(1)?.direction == .sendonly && shared.section(1)?.candidates.isEmpty == true)
        let held = try applied(try answeredWithVideo(shared).description, to: shared)
        #expect(held.video?.localDirection == .sendonly && held.audio.localDirection == .sendrecv)
        let removed = Negotiation.offer(session: origin, media: audio, previous: shared)
        #expect(removed.media.map(\.port) == [40000, 0] && !removed.offersVideo && removed.groups("BUNDLE").map(\.mids) == [["0"]])
        #expect(try applied(try answeredWithVideo(removed).description, to: removed).video == nil)
        let again = Negotiation.offer(session: origin, media: pairOfMedia(), previous: removed)
        #expect(again.media.count == 2 && again.section(1)?.isBundleOnly == true && again.section(1)?.mid == "1")
        #expect(try applied(try answeredWithVideo(again).description, to: again).video != nil)
        for description in [added, shared, removed, again] {
            #expect(WrittenDescriptionTests.faults(description.description, isAnswer: false).isEmpty)
        }
    }

    /// Our re-offer after a browser's offer: its numbers, its order, its tagged section.
    @Test(arguments: ["chromium-offer-av.sdp", "firefox-offer-av.sdp", "firefox-va-max-bundle.sdp", "chromium-va-max-bundle.sdp"])
    func reofferAfterAnswering(_ file: String) throws {
        let theirs = try Fixture.named(file)
        let answer = try answeredWithVideo(theirs)
        let offer = Negotiation.offer(session: origin, media: pairOfMedia(.dtls, .sendrecv, use: .shared), previous: answer.description)
        #expect(offer.media.map(\.media) == theirs.media.map(\.media) && offer.sections.map(\.mid) == theirs.sections.map(\.mid))
        #expect(offer.groups("BUNDLE") == answer.description.groups("BUNDLE") && offer.media.map(\.port) == [40000, 40000])
        #expect(offer.sections.filter { !$0.candidates.isEmpty }.map(\.index) == [answer.media.transport.index])
        let video = try #require(answer.video)
        let section = try #require(offer.section(video.index))
        #expect(section.payloadTypes == [video.codecs[0].receivePayloadType, video.rtx?.receivePayloadType].compactMap { $0 })
        #expect(Set(section.extensionMaps) == Set(answer.description.section(video.index)?.extensionMaps ?? []))
        // The peer answers, and nothing has changed.
        let back = try answeredWithVideo(offer)
        let session = try applied(back.description, to: offer)
        #expect(
            session.video?.codecs.map(\.sendPayloadType) == video.codecs.map(\.sendPayloadType) && session.video?.rtx == video.rtx
                && session.audio.transport.index == answer.media.transport.index)
    }

    /// Audio first, from a peer without mids; then we add video.
    @Test func videoAddedWhereThePeerHadNoMids() throws {
        let plain = try answered(try sdp("RTP/AVPF", ["rtcp-mux"])) { $0.rtcpMux = true }
        #expect(plain.description.section(0)?.mid == nil)
        let offer = Negotiation.offer(session: origin, media: pairOfMedia(.none), previous: plain.description)
        #expect(offer.sections.map(\.mid) == ["0", "1"] && offer.groups("BUNDLE").map(\.mids) == [["0", "1"]])
        // Numbers that audio has are not used again.
        let numbers = offer.sections.map { Set($0.payloadTypes) }
        #expect(numbers[0].isDisjoint(with: numbers[1]) && numbers[1].count == 2)
    }

    /// The other way round: numbers and names that video wants are taken.
    @Test func numbersAndNamesThatAreTaken() throws {
        let text = try sdp(
            "UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint, "rtcp-mux", "mid:1", "extmap:2 \(HeaderExtension.audioLevel.rawValue)"], formats: "97 98"
        )
        .description.replacing("a=rtpmap:96 opus/48000/2", with: "a=rtpmap:97 opus/48000/2\r\na=rtpmap:98 telephone-event/48000")
        let answer = try answeredWithVideo(try SessionDescription(parsing: text))
        let offer = Negotiation.offer(session: origin, media: pairOfMedia(), previous: answer.description)
        #expect(offer.section(0)?.payloadTypes.prefix(1) == [97] && offer.section(1)?.mid == "0" && offer.section(0)?.mid == "1")
        let (audio, video) = (try #require(offer.section(0)), try #require(offer.section(1)))
        #expect(Set(audio.payloadTypes).isDisjoint(with: video.payloadTypes) && video.rtxPayloadType(of: video.payloadTypes[0]) != nil)
        #expect(audio.extensionMaps.contains { $0.id == 2 && $0.uri == HeaderExtension.audioLevel.rawValue })
        let numbers = Dictionary(grouping: audio.extensionMaps + video.extensionMaps, by: \.id).values
        #expect(numbers.allSatisfy { Set($0.map(\.uri)).count == 1 } && audio.extensionMaps.count == 3)
    }

    @Test func withoutATransportToShareThereIsNoVideo() {
        var media = pairOfMedia()
        media[0].rtcpMux = false
        let offer = Negotiation.offer(session: origin, media: media)
        #expect(offer.media.count == 1 && offer.groups("BUNDLE").isEmpty)
        #expect(Negotiation.offer(session: origin, media: [media[1]], previous: first).media.map(\.port) == [0, 0])
    }

    /// The transport of our own re-offer may be in the video section: an answer without a group must not read audio as unprotected.
    @Test(arguments: [MediaSecurity.dtls, .sdes]) func noStepDownThroughTheSectionWithoutKeys(_ security: MediaSecurity) throws {
        let key = "crypto:3 AES_CM_128_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"
        let theirs = try answeredWithVideo(
            try bundledOffer(group: "v a", order: ["video", "audio"], video: [key], profile: security == .dtls ? "UDP/TLS/RTP/SAVPF" : "RTP/SAVPF"))
        let offer = Negotiation.offer(session: origin, media: pairOfMedia(security, use: .shared), previous: theirs.description)
        #expect(offer.section(1)?.cryptos.isEmpty == true && offer.section(0)?.cryptos.isEmpty == (security == .dtls))
        let plain = try SessionDescription(
            parsing: "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 1.2.3.4\nt=0 0\nm=video 0 RTP/AVP 96\nm=audio 9000 RTP/AVP 0\n")
        guard case .failure(.securityDropped(security, _, .profile)) = Negotiation.apply(answer: plain, toOffer: offer, policy: videoPolicy()) else {
            Issue.record("a plain answer was taken")
            return
        }
    }

    /// The group's order, not that of the sections, says which one has the transport, and it stays so.
    @Test func theTaggedSectionStays() throws {
        let answer = try answeredWithVideo(try bundledOffer(group: "v a"))
        let offer = Negotiation.offer(session: origin, media: pairOfMedia(.dtls, use: .shared), previous: answer.description)
        #expect(offer.groups("BUNDLE").map(\.mids) == [["v", "a"]] && offer.sections.map(\.candidates.count) == [0, 1])
        // Video that the peer has taken out, or never took, cannot describe it.
        let next = Negotiation.offer(session: origin, media: pairOfMedia(), previous: answer.description)
        #expect(next.groups("BUNDLE").map(\.mids) == [["a", "v"]] && next.sections.map(\.candidates.count) == [1, 0])
    }

    @Test func underALimitFeedbackStays() throws {
        let whole = first.bytes.count
        var last = whole
        for limit in stride(from: whole, to: 900, by: -10) {
            let offer = Negotiation.offer(session: origin, media: pairOfMedia(), maximumBytes: limit)
            #expect(offer.bytes.count <= last)
            last = offer.bytes.count
            let video = try #require(offer.section(1))
            let types = Set(video.feedback.map(\.type))
            #expect(types.isSuperset(of: [RTCPFeedback.nack, RTCPFeedback.nackPLI, RTCPFeedback.googREMB]) && video.rtxPayloadType(of: 97) == 98)
            #expect(video.isBundleOnly && video.fingerprints.count == 1 && video.rtcpMux && video.ssrcGroups.count == 1)
        }
        #expect(last < 1000)
        // What an INVITE over UDP carries: the names of the sections in the packets, and everything that repairs.
        let usual = Negotiation.offer(session: origin, media: pairOfMedia(), maximumBytes: 1200)
        #expect(usual.bytes.count <= 1200 && usual.section(1)?.extensionMaps.contains { $0.uri == HeaderExtension.mid.rawValue } == true)
    }
}
