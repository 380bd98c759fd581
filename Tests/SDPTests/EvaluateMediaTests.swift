import Core
import SDP
import Testing

@Suite struct EvaluateMediaTests {
    // MARK: Codecs

    @Test func ourOrderTheirNumbers() throws {
        let lines = ["rtpmap:8 PCMA/8000/1", "fmtp:111 stereo=1", "rtpmap:111 OPUS/48000/2"]
        let media = try evaluated(try sdp("RTP/AVP", lines, formats: "8 13 0 111 9 101"))
        #expect(media.codecs.map(\.receivePayloadType) == [111, 9, 0, 8])
        #expect(media.codecs.map(\.name) == ["opus", "G722", "PCMU", "PCMA"])
        #expect(media.codecs.map(\.sendPayloadType) == [111, 9, 0, 8])
        #expect(media.codecs[0].remoteFmtp == "stereo=1" && media.codecs[0].channels == 2 && media.codecs[1].clockRate == 8000)
        #expect(media.dtmf == [NegotiatedDTMF(clockRate: 8000, sendPayloadType: 101, receivePayloadType: 101)])
    }

    @Test func answerListsOnlyWhatIsOffered() throws {
        let answer = try answered(try sdp("RTP/AVP", ["rtpmap:97 opus/48000", "rtpmap:98 telephone-event/48000"], formats: "97 98 13 3"))
        #expect(answer.description.media[0].formats == ["97", "98"])
        #expect(answer.description.media[0].values("rtpmap") == ["97 opus/48000/2", "98 telephone-event/48000"])
        #expect(answer.description.media[0].values("fmtp") == ["97 useinbandfec=1", "98 0-16"])
    }

    @Test func eventsAt48000NeedOpus() throws {
        let media = try evaluated(try sdp("RTP/AVP", ["rtpmap:98 telephone-event/48000"], formats: "0 98 101"))
        #expect(media.dtmf.map(\.receivePayloadType) == [101])
    }

    @Test(arguments: ["3 13 101", "77", "x y", "200 999", ""]) func noCommonCodec(_ formats: String) throws {
        #expect(failure(try sdp("RTP/AVP", formats: formats)) == .noCommonCodec)
    }

    @Test func anRtpmapNotOnTheLineIsNoCodec() throws {
        #expect(failure(try sdp("RTP/AVP", ["rtpmap:97 opus/48000/2"], formats: "3")) == .noCommonCodec)
    }

    // MARK: Sections

    @Test func firstAcceptableAudioIsTakenOthersKeepTheirPlace() throws {
        let text = """
            v=0
            o=- 1 1 IN IP4 198.51.100.7
            s=-
            c=IN IP4 198.51.100.7
            t=0 0
            a=group:BUNDLE v a0 a1 a2
            m=video 5000 RTP/AVP 96
            a=mid:v
            m=audio 5002 RTP/SAVP 0
            a=mid:a0
            m=audio 0 RTP/AVP 0
            a=mid:off
            m=audio 5004 RTP/AVP 8
            a=mid:a1
            a=rtcp-mux
            m=audio 5006 RTP/AVP 0
            a=mid:a2
            m=text 0 X/Y z

            """
        let offer = try SessionDescription(parsing: text)
        let answer = try answered(offer)
        #expect(answer.media.index == 3)
        #expect(answer.description.media.map { $0.port != 0 } == [false, false, false, true, false, false])
        #expect(answer.description.media.map(\.profile) == offer.media.map(\.profile))
        #expect(answer.description.groups("BUNDLE").map(\.mids) == [["a1"]])
        #expect(answer.description.sections.map(\.mid) == ["v", "a0", "off", "a1", "a2", nil])
        #expect(answer.description.media[5].formats == ["z"])
    }

    @Test func noAudioAtAll() throws {
        #expect(failure(try sdp("RTP/AVP", port: 0)) == .noAcceptableMedia)
        #expect(failure(try SessionDescription(parsing: "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nt=0 0\nm=video 9 RTP/AVP 96\n")) == .noAcceptableMedia)
    }

    // MARK: Direction and hold

    static let directionRows: [(String, MediaDirection, MediaDirection, Bool)] = [
        ("sendrecv", MediaDirection.sendrecv, MediaDirection.sendrecv, false), ("sendonly", .sendrecv, .recvonly, true),
        ("recvonly", .sendrecv, .sendonly, false), ("inactive", .sendrecv, .inactive, true), ("sendrecv", .sendonly, .sendonly, false),
        ("sendonly", .sendonly, .inactive, true), ("recvonly", .sendonly, .sendonly, false), ("recvonly", .recvonly, .inactive, false),
        ("sendonly", .inactive, .inactive, true),
    ]

    @Test(arguments: directionRows) func directions(_ offered: String, _ ours: MediaDirection, _ expected: MediaDirection, _ isHold: Bool) throws {
        let answer = try answered(try sdp("RTP/AVP", [offered])) { $0.direction = ours }
        #expect(answer.media.localDirection == expected && answer.media.isRemoteHold == isHold)
        #expect(answer.description.section(0)?.direction == expected)
    }

    static let ice = ["ice-ufrag:abcd", "ice-pwd:abcdefghijklmnopqrstuvwx"]

    @Test(arguments: ["IN IP4 0.0.0.0", "IN IP6 ::"]) func holdByAddress(_ c: String) throws {
        let media = try evaluated(try sdp("RTP/AVP", c: c))
        #expect(media.isRemoteHold && media.localDirection == .recvonly && media.remoteAddress == nil && media.remoteRTCPAddress == nil)
        #expect(try evaluated(try sdp("RTP/AVP", EvaluateMediaTests.ice, c: c)).isRemoteHold)
    }

    @Test(arguments: [true, false]) func notKnownYetIsNoHold(_ iceEnabled: Bool) throws {
        let offer = try sdp("RTP/AVP", EvaluateMediaTests.ice + ["rtcp:9 IN IP4 0.0.0.0"], port: 9, c: "IN IP4 0.0.0.0")
        let media = try evaluated(offer, policy(ice: iceEnabled))
        #expect(!media.isRemoteHold && media.localDirection == .sendrecv && media.remoteAddress == nil && media.remoteRTCPAddress == nil)
        #expect((media.ice != nil) == iceEnabled && !media.iceMismatch)
    }

    // MARK: Addresses

    static let rtcpRows: [([String], String)] = [
        ([], "198.51.100.7:5001"), (["rtcp:7000"], "198.51.100.7:7000"), (["rtcp:7000 IN IP4 198.51.100.8"], "198.51.100.8:7000"),
        (["rtcp:7000 IN IP6 2001:db8::5"], "[2001:db8::5]:7000"), (["rtcp-mux", "rtcp:7000"], "198.51.100.7:5000"), (["rtcp:x"], "198.51.100.7:5001"),
    ]

    @Test(arguments: rtcpRows) func row7RTCPAddress(_ lines: [String], _ expected: String) throws {
        let media = try evaluated(try sdp("RTP/AVP", lines))
        #expect(media.remoteAddress?.description == "198.51.100.7:5000" && media.remoteRTCPAddress?.description == expected)
        #expect(media.rtcpMux == lines.contains("rtcp-mux"))
    }

    @Test func row7LastPortAndNames() throws {
        #expect(try evaluated(try sdp("RTP/AVP", port: 65535)).remoteRTCPAddress == nil)
        let named = try evaluated(try sdp("RTP/AVP", c: "IN IP4 media.example.org"))
        #expect(named.remoteAddress == nil && named.remoteHost == "media.example.org" && !named.isRemoteHold)
    }

    @Test func row7MuxOnlyWhenOffered() throws {
        let answer = try answered(try sdp("RTP/AVP"))
        #expect(!answer.media.rtcpMux && answer.description.section(0)?.rtcpMux == false)
        #expect(answer.description.section(0)?.rtcp?.port == 40001)
        let muxed = try answered(try sdp("RTP/AVP", ["rtcp-mux"]))
        #expect(muxed.description.section(0)?.rtcpMux == true && muxed.description.section(0)?.rtcp == nil)
        var without = policy()
        without.rtcpMux = false
        #expect(try evaluated(try sdp("RTP/AVP", ["rtcp-mux"]), without).rtcpMux == false)
    }

    // MARK: ICE

    @Test func iceOnlyWhenOfferedAndOn() throws {
        let section = { (answer: NegotiatedAnswer) in answer.description.section(0) }
        let lines = EvaluateMediaTests.ice + ["candidate:1 1 UDP 5 198.51.100.7 5000 typ host", "ice-options:trickle", "end-of-candidates"]
        let offer = try sdp("RTP/AVP", lines)
        let on = try answered(offer)
        #expect(on.media.ice?.ufrag == "abcd" && on.media.ice?.candidates.count == 1 && on.media.ice?.options == ["trickle"])
        #expect(on.media.ice?.endOfCandidates == true && on.media.ice?.isLite == false)
        #expect(section(on)?.iceUfrag == "abcdefgh" && section(on)?.candidates.count == 2)
        let off = try answered(offer, policy(ice: false))
        #expect(off.media.ice == nil && section(off)?.iceUfrag == nil && section(off)?.candidates.isEmpty == true)
        #expect(section(off)?.hasICEMismatch == false)
        let plain = try answered(try sdp("RTP/AVP"))
        #expect(plain.media.ice == nil && section(plain)?.iceUfrag == nil)
        #expect(try evaluated(try sdp("RTP/AVP", ["ice-ufrag:abcd"])).ice == nil)
    }

    static let mismatchRows: [([String], Int, Bool)] = [
        (["candidate:1 1 UDP 5 198.51.100.8 5000 typ host"], 5000, true), (["candidate:1 1 UDP 5 198.51.100.7 5001 typ host"], 5000, true),
        (["candidate:1 1 UDP 5 198.51.100.8 5000 typ host", "candidate:2 1 UDP 4 198.51.100.7 5000 typ srflx raddr 0.0.0.0 rport 0"], 5000, false),
        ([], 5000, false), (["candidate:1 1 UDP 5 a.local 5000 typ host"], 9, false),
        (["candidate:1 2 UDP 5 198.51.100.8 5001 typ host"], 5000, false),
        (["candidate:1 1 UDP 5 198.51.100.7 5000 typ host", "candidate:1 2 UDP 4 198.51.100.7 5009 typ host", "rtcp:5001"], 5000, true),
        (["candidate:1 1 UDP 5 198.51.100.7 5000 typ host", "candidate:1 2 UDP 4 198.51.100.7 5009 typ host", "rtcp:5001", "rtcp-mux"], 5000, false),
        (["candidate:1 1 UDP 5 198.51.100.7 5000 typ host", "candidate:1 2 UDP 4 198.51.100.7 5009 typ host"], 5000, false),
    ]

    @Test(arguments: mismatchRows) func mismatch(_ lines: [String], _ port: Int, _ expected: Bool) throws {
        let answer = try answered(try sdp("RTP/AVP", EvaluateMediaTests.ice + lines, port: port))
        #expect(answer.media.iceMismatch == expected && (answer.media.ice == nil) == expected)
        #expect(answer.description.section(0)?.hasICEMismatch == expected)
        #expect((answer.description.section(0)?.iceUfrag == nil) == expected)
    }

    // MARK: The rest

    @Test func extensionsFeedbackAndStream() throws {
        let lines = [
            "rtcp-rsize", "extmap:3 urn:a", "extmap:4 urn:b", "rtcp-fb:* transport-cc", "rtcp-fb:96 nack", "ptime:30", "maxptime:60",
            "ssrc:7 msid:x", "ssrc:7 cname:me",
        ]
        var knowing = policy()
        knowing.extensions = ["urn:b"]
        knowing.feedback = ["transport-cc"]
        let answer = try answered(try sdp("RTP/AVPF", lines), knowing)
        #expect(answer.media.extensionMaps == [ExtensionMap(id: 4, uri: "urn:b")])
        #expect(answer.media.feedback == ["transport-cc"] && answer.media.rtcpRsize)
        #expect(answer.media.ptime == 30 && answer.media.maxptime == 60 && answer.media.remoteSSRC == 7 && answer.media.remoteCname == "me")
        let section = try #require(answer.description.section(0))
        #expect(section.rtcpRsize && section.extensionMaps.count == 1 && section.feedback.map(\.value) == ["* transport-cc"])
        let plain = try evaluated(try sdp("RTP/AVP", lines), knowing)
        #expect(!plain.rtcpRsize && plain.feedback.isEmpty)
    }

    @Test func answersCountTheirVersion() throws {
        let evaluation = try Negotiation.evaluate(offer: try sdp("RTP/AVP"), policy: policy()).get()
        let first = try Negotiation.answer(evaluation, session: origin, local: localMedia(.none)).get().description
        let same = try Negotiation.answer(evaluation, session: origin, local: localMedia(.none), previous: first).get().description
        var held = localMedia(.none)
        held.direction = .recvonly
        let changed = try Negotiation.answer(evaluation, session: origin, local: held, previous: first).get().description
        #expect(same == first && first.origin.sessionVersion == "1" && changed.origin.sessionVersion == "2")
    }

    @Test func offerersTimesAreEchoed() throws {
        let offer = try SessionDescription(parsing: "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 1.2.3.4\nt=5 9\nr=1 2 3\nm=audio 9000 RTP/AVP 0\n")
        #expect(try answered(offer).description.timings == [Timing(start: "5", stop: "9")])
    }
}
