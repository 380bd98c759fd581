import Core
import SDP
import Testing

/// An INVITE over UDP stays under some 1300 bytes; its headers are about 600 (RFC 3261 §18.1.1).
@Suite struct OfferSizeTests {
    static let budget = 700

    /// What the phone offers: three codecs, one host candidate, everything extra.
    func full(_ security: MediaSecurity = .dtls) -> LocalMedia {
        var local = localMedia(security, codecs: [.opus, .pcmu, .pcma])
        local.rtcpPort = nil
        local.candidates = [candidate(1, 40000)]
        local.endOfCandidates = false
        local.extensionMaps = HeaderExtension.offered
        local.feedback = [RTCPFeedback.transportCC]
        local.extendedReports = .supported
        local.iceOptions = ["trickle", "ice2"]
        local.msid = MediaStreamIdentification(stream: "-", track: "0123456789abcdef")
        return local
    }

    @Test func extrasGoInTheirOrder() throws {
        let whole = Negotiation.offer(session: origin, media: [full()])
        #expect(whole.bytes.count > OfferSizeTests.budget)
        var lengths: [Int] = []
        for limit in stride(from: whole.bytes.count, to: 600, by: -1) {
            lengths.append(Negotiation.offer(session: origin, media: [full()], maximumBytes: limit).bytes.count)
            if limit >= OfferSizeTests.budget, lengths.last.map({ $0 > limit }) == true { Issue.record("longer than \(limit)") }
        }
        #expect(lengths.first == whole.bytes.count && lengths == lengths.sorted(by: >) && Set(lengths).count == 7)
        let least = try #require(Negotiation.offer(session: origin, media: [full()], maximumBytes: 0).section(0))
        #expect(least.extensionMaps.isEmpty && least.feedback.isEmpty && least.extendedReports.isEmpty && least.msids.isEmpty && least.ptime == nil)
        // What media need is there still.
        #expect(
            least.fingerprints.count == 1 && least.candidates.count == 1 && least.iceOptions == ["trickle", "ice2"] && least.rtcpMux
                && least.mid == "0")
    }

    @Test func oneCandidateFitsADatagramAndKeepsWhatItCan() throws {
        let offer = Negotiation.offer(session: origin, media: [full()], maximumBytes: OfferSizeTests.budget)
        #expect(offer.bytes.count <= OfferSizeTests.budget)
        // Beside a TCP or TLS hop, or with shorter headers, there is room for more.
        let roomier = Negotiation.offer(session: origin, media: [full()], maximumBytes: OfferSizeTests.budget + 20)
        #expect(roomier.section(0)?.extendedReports == .supported && roomier.section(0)?.extensionMaps.isEmpty == true)
        // Without a limit nothing is missing.
        #expect(Negotiation.offer(session: origin, media: [full()], maximumBytes: 65_000) == Negotiation.offer(session: origin, media: [full()]))
    }
}
