import Core
import Engine
import Interface
import SDP
import Simulator
import Testing

/// Row 2: every profile name with a fingerprint is DTLS-SRTP, and is answered as offered.
@Suite struct Row02Tests {
    /// The names in the m-lines of offer and answer.
    private func names(_ pair: Pair) -> () -> [String: String] {
        var seen: [String: String] = [:]
        pair.simulation.filters.append { datagram in
            if datagram.kind == .sip, let text = SIPText(datagram.payload), let media = text.line("m=audio "), text.cseqMethod == "INVITE" {
                seen[text.method == nil ? "answer" : "offer"] = media.split(separator: " ").dropFirst().first.map(String.init)
            }
            return [datagram]
        }
        return { seen }
    }

    @Test func row02_theDefault() {
        #expect(PhoneConfiguration().offeredProfile == "UDP/TLS/RTP/SAVPF")
        let pair = Pair()
        let seen = names(pair)
        #expect(pair.connect())
        #expect(seen() == ["offer": "UDP/TLS/RTP/SAVPF", "answer": "UDP/TLS/RTP/SAVPF"])
        pair.finish()
    }

    /// Sidetone offers it (the caller) and is offered it (the callee); once with each as DTLS client.
    @Test(arguments: MediaProfile.namesForDTLS, [true, false]) func row02_everyName(profile: String, offererIsClient: Bool) {
        let pair = Pair(alice: { $0.offeredProfile = profile })
        let seen = names(pair)
        if offererIsClient { pair.makeOffererClient() }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        #expect(seen() == ["offer": profile, "answer": profile])
        pair.expectVerified()
        #expect(pair.alice.transport?.srtpCipher != nil && pair.alice.transport?.srtpCipher == pair.bob.transport?.srtpCipher)
        pair.expectAudio()
        pair.finish()
        #expect(pair.alice.notices.isEmpty && pair.bob.notices.isEmpty)
    }

    /// Without ICE the same.
    @Test(arguments: MediaProfile.namesForDTLS) func row02_withoutICE(profile: String) {
        let pair = Pair(
            both: {
                $0.security = .dtls
                $0.ice = false
            }, alice: { $0.offeredProfile = profile })
        let seen = names(pair)
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        #expect(seen() == ["offer": profile, "answer": profile])
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
    }
}
