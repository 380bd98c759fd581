import Core
import SDP
import Testing

@Suite struct MutationTests {
    /// 50 seeds of 100 mutations each: whatever comes in, it is a value or an error.
    @Test(arguments: 0..<50) func nothingCrashes(_ seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        let fixtures = Fixture.all.map { Array($0.text.utf8) }
        var parsed = 0
        var taken = 0
        for _ in 0..<100 {
            var bytes = fixtures[Int.random(in: 0..<fixtures.count, using: &random)]
            for _ in 0..<Int.random(in: 1...12, using: &random) { MutationTests.mutate(&bytes, fixtures, &random) }
            guard let description = try? SessionDescription(parsing: bytes) else { continue }
            parsed += 1
            #expect(!description.description.isEmpty)
            for section in description.sections { MutationTests.read(section) }
            if case .success(let evaluation) = Negotiation.evaluate(offer: description, policy: policy()) {
                taken += 1
                var local = localMedia(evaluation.media.security)
                if let suite = evaluation.suite { local.cryptos = [.generate(tag: 1, suite: suite, random: random)] }
                let answer = try Negotiation.answer(evaluation, session: origin, local: local).get()
                let again = try SessionDescription(parsing: answer.description.bytes)
                #expect(again.media.count == description.media.count)
                _ = Negotiation.offer(session: origin, media: [local], previous: description)
            }
            _ = Negotiation.apply(answer: description, toOffer: try Fixture.named("softphone-minimal-offer.sdp"), policy: policy())
            _ = Negotiation.apply(answer: description, toOffer: try Fixture.named("softphone-bundle-only-offer-av.sdp"), policy: videoPolicy())
            if case .success(let evaluation) = Negotiation.evaluate(offer: description, policy: videoPolicy()), evaluation.suite == nil {
                let answer = try answeredWithVideo(description).description
                #expect(try SessionDescription(parsing: answer.bytes).media.count == description.media.count)
                // Only sections in use are in the group, and each has a name of its own.
                let mids = answer.groups("BUNDLE").flatMap(\.mids)
                #expect(mids.allSatisfy { mid in answer.sections.contains { $0.mid == mid && $0.media.port != 0 } })
                _ = Negotiation.offer(session: origin, media: pairOfMedia(evaluation.media.security, use: .shared), previous: answer)
            }
        }
        // Enough survives to reach the negotiation, and enough does not.
        #expect(parsed > 20 && parsed < 100 && taken > 5)
    }

    static func mutate(_ bytes: inout [UInt8], _ fixtures: [[UInt8]], _ random: inout RandomSource) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(UInt8.random(in: 32...126, using: &random), at: at)
        case 3: bytes.removeSubrange(at..<min(bytes.count, at + 20))
        case 4: bytes.insert(contentsOf: Array("9999999999999999999999".utf8), at: at)
        case 5:
            let other = fixtures[Int.random(in: 0..<fixtures.count, using: &random)].split(separator: 10)
            let end = bytes[at...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.count
            bytes.insert(contentsOf: other[Int.random(in: 0..<other.count, using: &random)] + [10], at: end)
        case 6:
            if let digit = bytes[at...].firstIndex(where: { $0 >= 48 && $0 <= 57 }) { bytes[digit] = UInt8.random(in: 48...57, using: &random) }
        default:
            let part = Array(bytes[at..<min(bytes.count, at + 40)])
            bytes.insert(contentsOf: part, at: at)
        }
    }

    /// Every accessor once.
    static func read(_ section: MediaSection) {
        _ = (section.rtpMaps, section.formatParameters, section.ptime, section.maxptime, section.feedback, section.extensionMaps)
        _ = (section.direction, section.mid, section.msids, section.ssrcs, section.connection, section.rtcp, section.fingerprints, section.setup)
        _ = (section.ssrcGroups, section.isEnabled, section.payloadTypes.map { section.rtxPayloadType(of: $0) }, section.session.offersVideo)
        _ = (section.cryptos, section.candidates, section.remoteCandidates, section.iceOptions, section.session.groups("BUNDLE"), section.tlsID)
    }
}
