import Core
import SDP
import Testing

@Suite struct FixtureTests {
    /// What a second, independent reader found in each body.
    static let expectations: [[String]] = Fixture.text("expectations.tsv").split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
        line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
    }

    @Test func everyBodyIsFound() {
        #expect(Fixture.all.count == 146)
        #expect(FixtureTests.expectations.count == 146)
        #expect(RecordedExchange.all.count > 50)
    }

    @Test(arguments: expectations) func readsAsExpected(_ row: [String]) throws {
        let description = try Fixture.named(row[0], try #require(Int(row[1])))
        let section = try #require(description.sections.first { $0.media.kind == .audio })
        let maps = section.rtpMaps
        let formats = section.payloadTypes.map { payloadType in
            "\(payloadType)=" + (maps[payloadType].map { "\($0.name)/\($0.clockRate)" + ($0.channels == 1 ? "" : "/\($0.channels)") } ?? "?")
        }
        let found = [
            row[0], row[1], "\(description.media.count)", "\(section.media.port)", section.media.profile, "\(section.fingerprints.count)",
            section.setup?.rawValue ?? "-", section.rtcpMux ? "mux" : "nomux", "\(section.candidates.count)", "\(section.cryptos.count)",
            section.direction.rawValue, section.iceUfrag ?? "-", section.connection?.host ?? "-", formats.joined(separator: ","),
        ]
        #expect(found == row)
        #expect(section.fingerprints.allSatisfy { $0.hasRightLength })
        #expect(section.cryptos.allSatisfy { $0.usableKey != nil || $0.suite == nil })
    }

    @Test(arguments: Fixture.all) func roundTrip(_ fixture: Fixture) throws {
        let description = try fixture.parse()
        let again = try SessionDescription(parsing: description.description)
        #expect(again == description)
        // Real peers keep the RFC's order, so nothing but the line ends may differ.
        #expect(description.description.split(whereSeparator: \.isNewline) == fixture.text.split(whereSeparator: \.isNewline))
    }

    static let offers = Fixture.all.filter { $0.isRequest || $0.file.contains("offer") && $0.file.hasSuffix(".sdp") }

    @Test(arguments: offers) func answersOffer(_ fixture: Fixture) throws {
        let offer = try fixture.parse()
        var ready = policy()
        ready.suites = CryptoSuite.allCases
        let answer = try answered(offer, ready)
        let index = answer.media.index
        let section = try #require(answer.description.section(index))
        #expect(answer.description.media.map(\.media) == offer.media.map(\.media))
        #expect(answer.description.media.map(\.profile) == offer.media.map(\.profile))
        #expect(answer.description.sections.map(\.mid) == offer.sections.map(\.mid))
        #expect(answer.description.media.indices.allSatisfy { ($0 == index) == (answer.description.media[$0].port != 0) })
        #expect(answer.description.groups("BUNDLE").flatMap(\.mids) == (offer.groups("BUNDLE").isEmpty ? [] : [section.mid]).compactMap { $0 })
        let offered = try #require(offer.section(index))
        #expect(Set(section.payloadTypes).isSubset(of: Set(offered.payloadTypes)))
        let security: MediaSecurity = offered.hasFingerprint ? .dtls : offered.cryptos.isEmpty ? .none : .sdes
        #expect(answer.media.security == security)
        #expect(section.setup != .actpass && section.setup != .holdconn)
        #expect(answer.media.codecs.count + answer.media.dtmf.count == section.media.formats.count)
        // The offerer's side of the same exchange agrees.
        let theirs = try Negotiation.apply(answer: answer.description, toOffer: offer, policy: policy()).get().audio
        #expect(theirs.localDirection == answer.media.localDirection.reversed)
        #expect(theirs.codecs.map(\.name) == answer.media.codecs.map(\.name))
        #expect(theirs.dtls?.role != answer.media.dtls?.role || theirs.dtls == nil)
        #expect(theirs.sdes?.remote == answer.media.sdes?.local)
        #expect(theirs.rtcpMux == answer.media.rtcpMux)
    }

    @Test(arguments: RecordedExchange.all) func appliesAnswer(_ exchange: RecordedExchange) throws {
        let offer = try exchange.offer.parse()
        let answer = try exchange.answer.parse()
        let media = try Negotiation.apply(answer: answer, toOffer: offer, policy: policy()).get().audio
        let section = try #require(answer.section(media.index))
        let security: MediaSecurity = section.hasFingerprint ? .dtls : section.cryptos.isEmpty ? .none : .sdes
        let role: DTLSRole = section.setup == .active ? .passive : .active
        #expect(media.security == security)
        #expect(media.dtls?.role == (security == .dtls ? role : nil))
        #expect(!media.codecs.isEmpty)
        #expect(media.iceMismatch == section.hasICEMismatch)
        #expect((media.ice != nil) == (section.iceUfrag != nil && !section.hasICEMismatch))
        #expect(media.rtcpMux == section.rtcpMux)
        #expect(media.isRemoteHold == false)
        #expect(media.remoteAddress?.port == (section.media.port == 9 ? nil : section.media.port))
    }

    /// pjsip's UPDATE after ICE: setup as negotiated, o= version unchanged.
    @Test func row13UpdateAfterICEChangesNothing() throws {
        let file = "asterisk-103-dtls-ice-nomux.txt"
        let first = try answered(try Fixture.named(file, 1))
        var next = policy()
        next.current = first.media
        let second = try answered(try Fixture.named(file, 3), next)
        #expect(first.media.dtls?.role == .active && second.media.dtls == first.media.dtls)
        #expect(second.media.changes(since: first.media) == .codecs)
        #expect(second.description.section(0)?.setup == .active)
        #expect(first.media.remoteRTCPAddress?.port == 19544 && !first.media.rtcpMux)
    }

    @Test func holdAndResume() throws {
        let media = { (index: Int) in
            var ready = policy()
            ready.suites = CryptoSuite.allCases
            return try answered(try Fixture.named("asterisk-109-hold.txt", index), ready).media
        }
        let before = try media(3)
        let held = try media(5)
        let after = try media(9)
        #expect(held.isRemoteHold && held.localDirection == .recvonly && held.changes(since: before).contains(.direction))
        #expect(!after.isRemoteHold && after.localDirection == .sendrecv)
    }

    @Test func firefoxUnderMaxBundle() throws {
        let offer = try Fixture.named("firefox-offer-av-max-bundle.sdp")
        #expect(offer.section(1)?.isBundleOnly == true)
        let answer = try answered(offer)
        #expect(answer.description.media.map { $0.port == 0 } == [false, true] && answer.media.remoteAddress == nil)
        #expect(answer.media.ice?.candidates.count == 4 && answer.media.ice?.candidates.first?.host.hasSuffix(".local") == true)
        #expect(!answer.media.isRemoteHold && answer.media.dtls?.fingerprints.count == 1)
    }
}
