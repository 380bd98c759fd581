import Core
import SDP
import Testing

/// Header extensions (RFC 8285), feedback (RFC 4585), extended reports (RFC 3611 §5) and the rest of what browsers write.
@Suite struct ExtensionTests {
    static let audioLevel = HeaderExtension.audioLevel.rawValue
    static let mid = HeaderExtension.mid.rawValue
    static let transportCC = HeaderExtension.transportCC.rawValue

    var knowing: AnswerPolicy {
        var policy = policy()
        policy.extensions = HeaderExtension.known
        policy.feedback = [RTCPFeedback.transportCC]
        policy.extendedReports = .supported
        return policy
    }

    @Test func chromiumsAudioOffer() throws {
        let offer = try Fixture.named("chromium-offer-audio.sdp")
        let answer = try answered(offer, knowing)
        #expect(answer.media.extensions == NegotiatedExtensions(mid: .init(id: 4, value: "0"), transportCC: 3, audioLevel: 1))
        #expect(answer.media.receivedExtensions == answer.media.extensions)
        #expect(answer.media.transportCCFeedback && answer.media.rtcpRsize && answer.media.remoteSupportsTrickle)
        #expect(answer.media.xr.rcvrRTT && !answer.media.xr.voipMetrics)
        #expect(answer.media.profile == "UDP/TLS/RTP/SAVPF" && answer.media.remoteMsid?.stream.hasPrefix("90e4f575") == true)
        let section = try #require(answer.description.section(0))
        // Its own numbers, its own form of rtcp-fb, and nothing that it did not offer (abs-send-time is not known to us).
        #expect(
            section.extensionMaps.map(\.value) == ["1 \(ExtensionTests.audioLevel)", "3 \(ExtensionTests.transportCC)", "4 \(ExtensionTests.mid)"])
        #expect(section.feedback.map(\.value) == ["111 transport-cc"])
        #expect(section.media.values("rtcp-xr") == ["rcvr-rtt=all"] && section.rtcpRsize)
        #expect(answer.description.groups("BUNDLE").map(\.mids) == [["0"]])
    }

    @Test func firefoxsAudioOffer() throws {
        let answer = try answered(try Fixture.named("firefox-offer-audio.sdp"), knowing)
        #expect(answer.media.extensions == NegotiatedExtensions(mid: .init(id: 3, value: "0"), transportCC: 7, audioLevel: 1))
        let section = try #require(answer.description.section(0))
        // One line for each codec that is answered; it asks for no extended reports, so none are promised.
        #expect(section.feedback.map(\.value) == ["109 transport-cc", "9 transport-cc", "0 transport-cc", "8 transport-cc"])
        #expect(section.media.values("rtcp-xr").isEmpty && answer.media.xr.isEmpty)
    }

    @Test(arguments: FixtureTests.offers) func onlyWhatIsOfferedIsAnswered(_ fixture: Fixture) throws {
        let offer = try fixture.parse()
        var ready = knowing
        ready.suites = CryptoSuite.allCases
        let answer = try answered(offer, ready) {
            $0.iceOptions = ["trickle", "ice2"]
            $0.tlsID = "0123456789abcdef0123"
            $0.extensionMaps = HeaderExtension.offered
            $0.feedback = [RTCPFeedback.transportCC]
            $0.extendedReports = .supported
        }
        let ours = try #require(answer.description.section(answer.media.index))
        let theirs = try #require(offer.section(answer.media.index))
        #expect(ours.extensionMaps.allSatisfy { map in theirs.extensionMaps.contains { $0.id == map.id && $0.uri == map.uri } })
        #expect(Set(ours.feedback).isSubset(of: Set(theirs.feedback)))
        #expect(ours.extendedReports.intersection(theirs.extendedReports) == ours.extendedReports)
        #expect(ours.rtcpRsize ? theirs.rtcpRsize : true)
        #expect(ours.iceOptions == (answer.media.ice == nil ? [] : theirs.iceOptions.contains("trickle") ? ["trickle", "ice2"] : ["ice2"]))
        #expect(ours.tlsID == nil || theirs.tlsID != nil)
        #expect(answer.media.remoteSupportsTrickle == (theirs.iceOptions.contains("trickle") && answer.media.ice != nil))
    }

    /// Packets that are numbered and never answered for make a browser lower its rate: the numbers are agreed on with the feedback only.
    @Test func numbersWithoutFeedbackAreNotAnswered() throws {
        let extensions = ["extmap:3 \(ExtensionTests.transportCC)", "extmap:2 \(ExtensionTests.mid)", "mid:a"]
        for (lines, count) in [(["rtcp-fb:* transport-cc"], 2), (["rtcp-fb:* nack"], 1), ([], 1)] {
            let answer = try answered(try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint] + extensions + lines), knowing)
            #expect(answer.description.section(0)?.extensionMaps.count == count && answer.media.extensionMaps.count == count, "\(lines)")
            #expect(answer.media.transportCCFeedback == (count == 2) && (answer.media.extensions.transportCC != nil) == (count == 2))
        }
    }

    @Test func directionsAreSeenFromEachSide() throws {
        let lines = [
            "extmap:1/sendonly \(ExtensionTests.audioLevel)", "extmap:2/recvonly \(ExtensionTests.mid)",
            "extmap:3/inactive \(ExtensionTests.transportCC)", "mid:a",
        ]
        let answer = try answered(try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint] + lines), knowing)
        #expect(answer.media.extensions == NegotiatedExtensions(mid: .init(id: 2, value: "a")))
        #expect(answer.media.receivedExtensions == NegotiatedExtensions(audioLevel: 1))
        #expect(
            answer.description.section(0)?.extensionMaps.map(\.value) == [
                "1/recvonly \(ExtensionTests.audioLevel)", "2/sendonly \(ExtensionTests.mid)",
            ])
    }

    /// Numbers for the two-byte form only, 0, 15, doubled numbers and doubled URIs: the first that can be used counts.
    @Test func numbersThatCannotBeUsed() throws {
        let (a, m, t) = (ExtensionTests.audioLevel, ExtensionTests.mid, ExtensionTests.transportCC)
        let maps = { (lines: [String]) in
            try evaluated(try sdp("RTP/AVPF", lines.map { "extmap:" + $0 } + ["rtcp-fb:* transport-cc"]), self.knowing).extensionMaps.map(\.value)
        }
        #expect(try maps(["0 \(a)", "15 \(m)", "4096 \(t)", "300 \(a)", "65536 \(a)", "-1 \(a)"]) == [])
        #expect(try maps(["5 \(a)", "5 \(m)", "6 \(a)", "14 \(t)"]) == ["5 \(a)", "14 \(t)"])
        #expect(try maps(["15 \(a)", "1 \(a)"]) == ["1 \(a)"])
    }

    @Test func ourOfferAndWhatIsAnswered() throws {
        var local = localMedia(.dtls)
        local.extensionMaps = HeaderExtension.offered
        local.feedback = [RTCPFeedback.transportCC]
        local.extendedReports = .supported
        local.iceOptions = ["trickle", "ice2"]
        local.msid = MediaStreamIdentification(stream: "s", track: "t")
        local.bandwidths = [Bandwidth(type: "AS", value: 64), Bandwidth(type: "RS", value: 0)]
        let ours = Negotiation.offer(session: origin, media: [local])
        let section = try #require(ours.section(0))
        #expect(section.extensionMaps == HeaderExtension.offered && section.feedback.map(\.value) == ["* transport-cc"])
        #expect(section.media.values("rtcp-xr") == ["rcvr-rtt=all voip-metrics"] && section.iceOptions == ["trickle", "ice2"])
        #expect(section.msids == [MediaStreamIdentification(stream: "s", track: "t")] && section.bandwidth("as") == 64)
        let apply = { (lines: [String]) in
            let answer = try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint, "setup:active", "rtcp-mux"] + EvaluateMediaTests.ice + lines)
            return try Negotiation.apply(answer: answer, toOffer: ours, policy: policy()).get().audio
        }
        let full = try apply([
            "extmap:2 \(ExtensionTests.mid)", "extmap:3 \(ExtensionTests.transportCC)", "rtcp-fb:96 transport-cc", "rtcp-xr:voip-metrics",
            "rtcp-rsize",
            "ice-options:Trickle",
        ])
        #expect(full.extensions == NegotiatedExtensions(mid: .init(id: 2, value: "0"), transportCC: 3) && full.transportCCFeedback && full.rtcpRsize)
        #expect(full.xr == ExtendedReportAttribute(voipMetrics: true) && full.remoteSupportsTrickle)
        // Another number than ours, feedback for a format that is not in use, something that was not offered: not agreed on.
        let odd = try apply([
            "extmap:9 \(ExtensionTests.mid)", "extmap:3 \(ExtensionTests.transportCC)", "extmap:5 urn:x", "rtcp-fb:77 transport-cc", "rtcp-fb:* nack",
        ])
        #expect(odd.extensions == NegotiatedExtensions() && !odd.transportCCFeedback && odd.feedback.isEmpty && !odd.remoteSupportsTrickle)
        #expect(odd.xr.isEmpty && odd.extensionMaps.isEmpty)
    }

    static let reports: [(String, ExtendedReportAttribute)] = [
        ("rcvr-rtt=sender voip-metrics", ExtendedReportAttribute(roundTrip: .sender, voipMetrics: true)),
        ("pkt-loss-rle=100 rcvr-rtt=all:4 stat-summary=loss,jitt", ExtendedReportAttribute(roundTrip: .all)),
        ("VOIP-METRICS  x-new=1:2", ExtendedReportAttribute(voipMetrics: true)), ("rcvr-rtt", ExtendedReportAttribute()),
        ("rcvr-rtt=nobody", ExtendedReportAttribute()), ("", ExtendedReportAttribute()), ("=:= ==", ExtendedReportAttribute()),
    ]

    @Test(arguments: reports) func extendedReportAttribute(_ text: String, _ expected: ExtendedReportAttribute) {
        #expect(ExtendedReportAttribute(text) == expected)
        #expect(ExtendedReportAttribute(expected.value) == expected)
    }

    @Test func theNarrowerRoundTripMode() {
        let (all, sender) = (ExtendedReportAttribute(roundTrip: .all), ExtendedReportAttribute(roundTrip: .sender, voipMetrics: true))
        #expect(all.intersection(sender) == ExtendedReportAttribute(roundTrip: .sender))
        #expect(all.intersection(all) == all && all.intersection(ExtendedReportAttribute()).isEmpty)
    }

    @Test func bandwidthOfThePeer() throws {
        let text = "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 1.2.3.4\nb=AS:100\nb=RR:5\nt=0 0\nm=audio 9000 RTP/AVP 0\nb=AS:64\nb=RS:0\n"
        let bandwidth = try evaluated(try SessionDescription(parsing: text)).remoteBandwidth
        #expect(bandwidth == RemoteBandwidth(media: 64_000, rtcpSenders: 0, rtcpReceivers: 5))
        let tias = text.replacing("b=RS:0", with: "b=TIAS:50001")
        #expect(try evaluated(try SessionDescription(parsing: tias)).remoteBandwidth.media == 50_001)
        let absurd = text.replacing("b=AS:64", with: "b=AS:18446744073709551615")
        #expect(try evaluated(try SessionDescription(parsing: absurd)).remoteBandwidth.media == nil)
    }

    // MARK: rtcp-mux-only (RFC 8858)

    @Test func row7MuxOnly() throws {
        let lines = [EvaluateTests.fingerprint, "rtcp-mux", "rtcp-mux-only"]
        let answer = try answered(try sdp("UDP/TLS/RTP/SAVPF", lines))
        // An answer never says "only" (§4.3).
        #expect(answer.media.rtcpMux && answer.description.section(0)?.rtcpMuxOnly == false && answer.description.media[0].has("rtcp-mux"))
        var without = policy()
        without.rtcpMux = false
        #expect(failure(try sdp("UDP/TLS/RTP/SAVPF", lines), without) == .rtcpMuxRequired)
        var local = localMedia(.dtls)
        local.rtcpMuxOnly = true
        let ours = Negotiation.offer(session: origin, media: [local])
        #expect(ours.media[0].has("rtcp-mux") && ours.media[0].has("rtcp-mux-only"))
        let unshared = try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint, "setup:active"])
        #expect(Negotiation.apply(answer: unshared, toOffer: ours, policy: policy()) == .failure(.rtcpMuxRequired))
        let shared = try sdp("UDP/TLS/RTP/SAVPF", [EvaluateTests.fingerprint, "setup:active", "rtcp-mux"])
        #expect(try Negotiation.apply(answer: shared, toOffer: ours, policy: policy()).get().audio.rtcpMux)
    }
}
