import Core
import SDP
import Testing

@Suite struct OfferTests {
    @Test func dtlsWithICE() throws {
        let offer = Negotiation.offer(session: origin, media: [localMedia(.dtls)])
        let expected = """
            v=0
            o=- 4242 1 IN IP4 192.0.2.1
            s=-
            c=IN IP4 192.0.2.1
            t=0 0
            a=group:BUNDLE 0
            m=audio 40000 UDP/TLS/RTP/SAVPF 96 9 0 8 102 101
            a=rtpmap:96 opus/48000/2
            a=fmtp:96 useinbandfec=1
            a=rtpmap:9 G722/8000
            a=rtpmap:0 PCMU/8000
            a=rtpmap:8 PCMA/8000
            a=rtpmap:102 telephone-event/48000
            a=rtpmap:101 telephone-event/8000
            a=ptime:20
            a=sendrecv
            a=mid:0
            a=rtcp:40001 IN IP4 192.0.2.1
            a=rtcp-mux
            a=rtcp-rsize
            a=ssrc:305419896 cname:AbCdEfGh
            a=setup:actpass
            a=fingerprint:\(ourFingerprint)
            a=ice-ufrag:abcdefgh
            a=ice-pwd:ABCDEFGHIJKLMNOPQRSTUVWX
            a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host
            a=candidate:1 2 udp 2130706430 192.0.2.1 40001 typ host
            a=end-of-candidates

            """
        #expect(offer.description == expected.replacing("\n", with: "\r\n"))
        #expect(offer.bytes.count < 1000)
        let again = try SessionDescription(parsing: offer.bytes)
        #expect(again == offer)
    }

    @Test func sdesAndPlain() throws {
        let sdes = Negotiation.offer(session: origin, media: [localMedia(.sdes, ice: false)])
        let section = try #require(sdes.section(0))
        #expect(section.media.profile == "RTP/SAVP" && section.cryptos.map(\.tag) == [1, 2, 3] && section.setup == nil)
        #expect(!section.rtcpRsize && sdes.groups("BUNDLE").isEmpty && section.iceUfrag == nil)
        let plain = try #require(Negotiation.offer(session: origin, media: [localMedia(.none, ice: false)]).section(0))
        #expect(plain.media.profile == "RTP/AVP" && plain.cryptos.isEmpty && !plain.hasFingerprint && !plain.rtcpMux)
    }

    @Test func row2ProfileAndRow4Quirk() throws {
        var local = localMedia(.dtls)
        local.profileForDTLS = "RTP/SAVP"
        local.feedback = ["transport-cc"]
        local.extensionMaps = [ExtensionMap(id: 3, uri: "urn:ietf:params:rtp-hdrext:sdes:mid")]
        local.cryptos = [.generate(tag: 1, suite: .aesCM80, random: RandomSource(seed: 1))]
        let section = try #require(Negotiation.offer(session: origin, media: [local]).section(0))
        #expect(section.media.profile == "RTP/SAVP" && section.feedback.isEmpty && !section.rtcpRsize && section.cryptos.isEmpty)
        #expect(section.extensionMaps.map(\.id) == [3])
        // The quirk is one of answers: an offer of both would invite a peer to take the weaker.
        local.cryptoInAnswer = true
        #expect(Negotiation.offer(session: origin, media: [local]).section(0)?.cryptos.isEmpty == true)
    }

    @Test func withoutOpusOneTelephoneEvent() throws {
        let section = try #require(Negotiation.offer(session: origin, media: [localMedia(.none, codecs: [.pcma])]).section(0))
        #expect(section.media.formats == ["8", "101"])
    }

    @Test func payloadTypesDoNotClash() throws {
        var codec = opus
        codec.payloadType = 101
        var other = opus
        other.name = "VORBIS"
        other.payloadType = 101
        let section = try #require(Negotiation.offer(session: origin, media: [localMedia(.none, codecs: [codec, other])]).section(0))
        #expect(section.payloadTypes == [101, 96, 102, 97])
        #expect(section.rtpMaps.count == 4)
    }

    @Test func sectionWithItsOwnAddress() throws {
        var video = LocalMedia(
            kind: .video, codecs: [CodecDescription(name: "VP8", clockRate: 90000, payloadType: 97)], port: 40002, address: .v6(1, 2),
            security: .none, mid: "1", cname: "c", ssrc: 1, ptime: nil)
        video.rtcpMux = false
        let offer = Negotiation.offer(session: origin, media: [localMedia(.none), video])
        #expect(offer.media[0].connections.isEmpty)
        #expect(offer.section(1)?.connection?.ip == .v6(1, 2))
        #expect(offer.media[1].formats == ["97"])
    }

    @Test func reofferKeepsPlacesAndCounts() throws {
        let first = Negotiation.offer(session: origin, media: [localMedia(.dtls)])
        #expect(Negotiation.offer(session: origin, media: [localMedia(.dtls)], previous: first) == first)
        var held = localMedia(.dtls)
        held.direction = .sendonly
        let second = Negotiation.offer(session: origin, media: [held], previous: first)
        #expect(second.origin.sessionVersion == "2" && second.section(0)?.direction == .sendonly)
        let third = Negotiation.offer(session: origin, media: [localMedia(.dtls)], previous: second)
        #expect(third.origin.sessionVersion == "3" && third.origin.sessionID == "4242")
    }

    @Test func reofferAfterAnsweringKeepsLinesMidsAndNumbers() throws {
        let theirs = try Fixture.named("firefox-offer-av-dc.sdp")
        let answer = try answered(theirs)
        let offer = Negotiation.offer(session: origin, media: [localMedia(.dtls)], previous: answer.description)
        #expect(offer.media.map(\.media) == ["audio", "video", "application"])
        #expect(offer.media.map { $0.port == 0 } == [false, true, true])
        #expect(offer.section(0)?.mid == theirs.section(0)?.mid)
        // Opus is 109 and telephone-event/8000 101 there; 48000 Hz events are new and take a free number.
        #expect(offer.section(0)?.payloadTypes == [109, 9, 0, 8, 102, 101])
        #expect(offer.origin.sessionVersion == "2")
    }

    @Test func disabledSectionAndAnewOne() throws {
        let first = Negotiation.offer(session: origin, media: [localMedia(.none)])
        var video = localMedia(.none, codecs: [CodecDescription(name: "VP8", clockRate: 90000, payloadType: 97)])
        video.kind = .video
        video.mid = "1"
        let second = Negotiation.offer(session: origin, media: [video], previous: first)
        #expect(second.media.map(\.port) == [0, 40000])
        #expect(second.media.map(\.media) == ["audio", "video"])
    }

    @Test func theSectionInUseKeepsItsPlace() throws {
        let text = "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 1.2.3.4\nt=0 0\nm=audio 5000 X/Y 0\na=mid:0\nm=audio 5002 RTP/AVP 0\na=mid:1\n"
        let answer = try answered(try SessionDescription(parsing: text))
        let offer = Negotiation.offer(session: origin, media: [localMedia(.none)], previous: answer.description)
        #expect(offer.media.map { $0.port == 0 } == [true, false])
        #expect(offer.sections.map(\.mid) == ["0", "1"])
    }

    @Test func aDisabledSectionIsUsedAgain() throws {
        let first = Negotiation.offer(session: origin, media: [localMedia(.none)])
        let second = Negotiation.offer(session: origin, media: [], previous: first)
        #expect(second.media.map(\.port) == [0])
        #expect(Negotiation.offer(session: origin, media: [localMedia(.none)], previous: second).media.map(\.port) == [40000])
    }
}
