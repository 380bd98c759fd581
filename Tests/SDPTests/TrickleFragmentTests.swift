import Core
import SDP
import Testing

/// The body of RFC 8840 §9.
@Suite struct TrickleFragmentTests {
    static let sample = """
        a=group:BUNDLE 1 2
        a=ice-ufrag:8hhY
        a=ice-pwd:asd88fgpdd777uzjYhagZg
        a=ice-options:trickle
        m=audio 9 RTP/AVP 0
        a=mid:1
        a=rtcp-mux
        a=candidate:1 1 UDP 2130706432 2001:db8:a0b:12f0::1 5000 typ host
        a=candidate:1 1 TCP 2105524479 19d018a7-ef01-47c8-993c-912773613bde.local 9 typ host tcptype active
        a=end-of-candidates
        m=video 9 RTP/AVP 0
        a=mid:2
        a=ice-ufrag:other
        a=candidate:2 1 UDP 1694498815 192.0.2.3 5010 typ srflx raddr 10.0.1.1 rport 8998

        """.replacing("\n", with: "\r\n")

    func parse(_ text: String) throws -> TrickleFragment { try TrickleFragment(parsing: text.utf8) }

    @Test func everyField() throws {
        let fragment = try parse(TrickleFragmentTests.sample)
        #expect(fragment.bundle == ["1", "2"] && fragment.ufrag == "8hhY" && fragment.pwd == "asd88fgpdd777uzjYhagZg")
        #expect(fragment.options == ["trickle"] && !fragment.endOfCandidates && fragment.ignoredLines == 0 && fragment.sections.count == 2)
        let audio = try #require(fragment.section(mid: "1"))
        #expect(audio.media == "audio" && audio.rtcpMux && audio.candidates.count == 2 && fragment.isComplete(audio))
        #expect(audio.candidates[0].host == "2001:db8:a0b:12f0::1" && audio.candidates[1].tcpType == "active")
        let video = try #require(fragment.section(mid: "2"))
        #expect(fragment.ufrag(of: video) == "other" && fragment.ufrag(of: audio) == "8hhY" && fragment.pwd(of: video) == fragment.pwd)
        #expect(!fragment.isComplete(video) && fragment.section(mid: "3") == nil)
    }

    @Test func writesWhatItReads() throws {
        let fragment = try parse(TrickleFragmentTests.sample)
        #expect(fragment.description == TrickleFragmentTests.sample)
        #expect(try TrickleFragment(parsing: fragment.bytes) == fragment)
    }

    @Test func oursHasTheFormOfTheRFC() throws {
        var fragment = TrickleFragment(ufrag: "abcd", pwd: "abcdefghijklmnopqrstuv")
        fragment.sections = [.init(mid: "0", rtcpMux: true, candidates: [candidate(1, 40000)], endOfCandidates: true)]
        let expected = """
            a=ice-ufrag:abcd
            a=ice-pwd:abcdefghijklmnopqrstuv
            m=audio 9 RTP/AVP 0
            a=mid:0
            a=rtcp-mux
            a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host
            a=end-of-candidates

            """
        #expect(fragment.description == expected.replacing("\n", with: "\r\n"))
        #expect(try TrickleFragment(parsing: fragment.bytes) == fragment)
        fragment.ufrag = "ab\r\na=evil"
        // No value adds a line.
        #expect(try TrickleFragment(parsing: fragment.bytes).ufrag == "aba=evil")
    }

    /// Sections without mid are those of the m= lines in order; a mid that differs is another section.
    @Test func sectionsWithoutMid() throws {
        let fragment = try parse("m=audio 9 RTP/AVP 0\na=end-of-candidates\nm=video 9 RTP/AVP 0\na=mid:v\n")
        #expect(fragment.section(mid: nil)?.media == "audio" && fragment.section(mid: "0")?.media == "audio")
        #expect(fragment.section(mid: "x", index: 1) == nil && fragment.section(mid: nil, index: 1)?.mid == "v")
        #expect(fragment.section(mid: nil, index: 2) == nil && fragment.section(mid: nil, index: -1) == nil)
    }

    @Test func whatCannotBeUsedIsCounted() throws {
        let lines = [
            "v=0", "nonsense", "a=candidate:1 1 UDP 1 1.2.3.4 5 typ host", "a=group:LS 1", "a=ice-pwd:" + String(repeating: "x", count: 257),
            "m=audio", "a=candidate:1 1 UDP 1 1.2.3.4 99999 typ host", "a=x-new:1", "a=mid:", "=", "a",
        ]
        let fragment = try parse(lines.joined(separator: "\r\n"))
        #expect(fragment.ignoredLines == 10 && fragment.sections == [.init(media: "audio")] && fragment.pwd == nil)
        let early = try parse("a=end-of-candidates")
        #expect(early.endOfCandidates && early.sections.isEmpty)
        #expect(try parse("") == TrickleFragment())
    }

    @Test func caps() throws {
        let line = "a=candidate:1 1 UDP 1 1.2.3.4 5 typ host\n"
        let many = try parse("m=audio 9 RTP/AVP 0\n" + String(repeating: line, count: 200))
        #expect(
            many.sections[0].candidates.count == TrickleFragment.maximumCandidates && many.ignoredLines == 200 - TrickleFragment.maximumCandidates)
        #expect(throws: SDPError.tooManyMediaSections) { try parse(String(repeating: "m=a 9 x 0\n", count: 65)) }
        #expect(throws: SDPError.tooLong(TrickleFragment.maximumLength + 1)) {
            try TrickleFragment(parsing: [UInt8](repeating: 65, count: TrickleFragment.maximumLength + 1))
        }
    }

    @Test(arguments: 0..<20) func nothingCrashes(_ seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        let source = [Array(TrickleFragmentTests.sample.utf8), Array(Fixture.text("firefox-offer-av.sdp").utf8)]
        var read = 0
        for _ in 0..<200 {
            var bytes = source[Int.random(in: 0..<2, using: &random)]
            for _ in 0..<Int.random(in: 1...10, using: &random) { MutationTests.mutate(&bytes, source, &random) }
            guard let fragment = try? TrickleFragment(parsing: bytes) else { continue }
            let again = try TrickleFragment(parsing: fragment.bytes)
            #expect(again.sections.map(\.candidates) == fragment.sections.map(\.candidates) && again.ufrag == fragment.ufrag)
            read += fragment.sections.reduce(0) { $0 + $1.candidates.count }
        }
        #expect(read > 100)
    }
}
