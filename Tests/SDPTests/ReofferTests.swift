import Core
import SDP
import Testing

/// Row 13: what a re-offer changes (RFC 8842 §5, RFC 8839 §4.4).
@Suite struct ReofferTests {
    static let other = "fingerprint:sha-256 " + Array(repeating: "CD", count: 32).joined(separator: ":")
    static let base = [EvaluateTests.fingerprint, "rtcp-mux"] + EvaluateMediaTests.ice

    func offer(_ lines: [String], replacing: [String] = ReofferTests.base) throws -> SessionDescription {
        try sdp("UDP/TLS/RTP/SAVPF", replacing + lines)
    }

    /// The re-offer's outcome beside the first one's.
    func changes(_ first: [String], _ second: SessionDescription) throws -> (NegotiationChanges, NegotiatedAnswer) {
        let before = try answered(try offer(first))
        var next = policy()
        next.current = before.media
        let after = try answered(second, next)
        return (after.media.changes(since: before.media), after)
    }

    @Test(arguments: [
        ("actpass", "actpass"), ("active", "actpass"), ("passive", "actpass"), ("passive", "passive"), ("active", "active"), ("actpass", "passive"),
    ])
    func row13TheSameFingerprintKeepsTheAssociation(_ first: String, _ second: String) throws {
        let (changes, answer) = try changes(["setup:" + first], try offer(["setup:" + second]))
        #expect(changes == [])
        // The role of before, said as the complement of what is offered.
        let role: DTLSRole = first == "active" ? .passive : .active
        #expect(answer.media.dtls?.role == role && answer.description.section(0)?.setup?.rawValue == role.rawValue)
    }

    /// pjsip after ICE: its own role is in force, so an explicit one is no change, and nothing restarts.
    @Test func row13UpdateWithTheRoleAsNegotiated() throws {
        let (changes, answer) = try changes(["setup:actpass"], try offer(["setup:passive"]))
        #expect(changes.isEmpty && answer.media.dtls?.role == .active && answer.description.section(0)?.setup == .active)
    }

    /// The same as seen by an offerer: its own offer was answered passive, and the peer's UPDATE says so again.
    @Test func row13UpdateAfterOurOffer() throws {
        let ours = Negotiation.offer(session: origin, media: [localMedia(.dtls)])
        var next = policy()
        next.current = try Negotiation.apply(answer: try offer(["setup:passive"]), toOffer: ours, policy: policy()).get().audio
        #expect(next.current?.dtls?.role == .active)
        let update = try evaluated(try offer(["setup:passive"]), next)
        #expect(update.changes(since: try #require(next.current)).isDisjoint(with: [.dtls, .ice, .security, .address, .rtcpMux]))
        next.current = try Negotiation.apply(answer: try offer(["setup:active"]), toOffer: ours, policy: policy()).get().audio
        let mirrored = try evaluated(try offer(["setup:active"]), next)
        #expect(mirrored.dtls?.role == .passive)
        #expect(mirrored.changes(since: try #require(next.current)).isDisjoint(with: [.dtls, .ice, .security, .address, .rtcpMux]))
    }

    @Test func row13ANewFingerprintIsANewAssociation() throws {
        let changed = try offer(["setup:actpass"], replacing: [ReofferTests.other] + ReofferTests.base.dropFirst())
        let (changes, answer) = try changes(["setup:active"], changed)
        #expect(changes == .dtls && answer.media.dtls?.role == .active)
    }

    @Test func row13AnotherRoleIsANewAssociation() throws {
        #expect(try changes(["setup:actpass"], try offer(["setup:active"])).0 == .dtls)
        #expect(try changes(["setup:active"], try offer(["setup:passive"])).0 == .dtls)
    }

    @Test func row13TLSID() throws {
        let id = { (letter: String) in "tls-id:" + String(repeating: letter, count: 20) }
        #expect(try changes(["setup:actpass", id("a")], try offer(["setup:actpass", id("a")])).0 == [])
        #expect(try changes(["setup:actpass", id("a")], try offer(["setup:actpass", id("b")])).0 == .dtls)
        // Missing on one side: it says nothing.
        #expect(try changes(["setup:actpass", id("a")], try offer(["setup:actpass"])).0 == [])
        #expect(try changes(["setup:actpass"], try offer(["setup:actpass", id("b")])).0 == [])
        let answer = try answered(try offer([id("a")])) { $0.tlsID = String(repeating: "z", count: 20) }
        #expect(answer.description.section(0)?.tlsID == String(repeating: "z", count: 20))
        #expect(try answered(try offer([])) { $0.tlsID = String(repeating: "z", count: 20) }.description.section(0)?.tlsID == nil)
    }

    @Test func row13SeveralFingerprintsInAnotherOrder() throws {
        let (changes, _) = try changes([ReofferTests.other], try offer([], replacing: [ReofferTests.other] + ReofferTests.base))
        #expect(changes == [])
    }

    @Test func row13NewICECredentials() throws {
        let restarted = ReofferTests.base.map { $0.hasPrefix("ice-") ? $0.replacing("abcd", with: "wxyz") : $0 }
        #expect(try changes(["setup:actpass"], try offer(["setup:actpass"], replacing: restarted)).0 == .ice)
        let onlyPassword = ReofferTests.base.map { $0.hasPrefix("ice-pwd") ? $0.replacing("abcd", with: "wxyz") : $0 }
        #expect(try changes(["setup:actpass"], try offer(["setup:actpass"], replacing: onlyPassword)).0 == .ice)
    }
}
