import Core
import Engine
import Interface
import SIP
import Simulator
import Testing

/// Row 4: `a=crypto` beside `a=fingerprint`.
@Suite struct Row04Tests {
    private static let lines = [
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
        "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj",
    ]

    /// What the callee answered.
    private func answer(_ pair: Pair) -> () -> SIPText? {
        var seen: SIPText?
        pair.simulation.filters.append { [bob = pair.bob.address] datagram in
            if datagram.source.ip == bob, datagram.kind == .sip, let text = SIPText(datagram.payload), text.status == 200,
                text.line("m=audio ") != nil
            {
                seen = seen ?? text
            }
            return [datagram]
        }
        return { seen }
    }

    /// The peer offers both, or answers both: DTLS is used, and no crypto line is in our answer.
    @Test(arguments: Role.allCases, [true, false]) func row04_dtlsWins(role: Role, offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        let answer = answer(pair)
        pair.editPeer(of: role) { $0.lines += Row04Tests.lines }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        pair.expectVerified()
        pair.expectAudio()
        #expect(pair.own(role).transport?.srtpCipher == "AEAD_AES_256_GCM")
        if role == .callee { #expect(answer()?.body.contains("a=crypto") == false) }
        #expect(pair.own(role).snapshot.calls.first?.keysInClear == false)
        pair.finish()
        #expect(pair.own(role).result?.security == .dtls)
    }

    private static func account(_ configuration: inout PhoneConfiguration, _ id: String, quirk: String) {
        guard let uri = SIPURI("sip:bob@192.0.2.2") else {
            Issue.record("no URI")
            return
        }
        configuration.accounts = [SIPAccount(id: id, uri: uri)]
        configuration.unregisteredAccounts = [id]
        configuration.quirks[quirk] = AccountQuirks()
        configuration.quirks[quirk]?.cryptoInAnswer = true
    }

    /// The quirk adds a line with an offered tag and suite and a key of our own, which is never used.
    @Test(arguments: [true, false]) func row04_theQuirk(offererIsClient: Bool) {
        let pair = Pair(bob: { Row04Tests.account(&$0, "old", quirk: "old") })
        if offererIsClient { pair.makeOffererClient() }
        let answer = answer(pair)
        pair.editPeer(of: .callee) { $0.lines += Row04Tests.lines }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        let lines = answer()?.lines.filter { $0.hasPrefix("a=crypto") } ?? []
        #expect(lines.count == 1 && lines.first?.hasPrefix("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:") == true)
        #expect(!Row04Tests.lines.contains(lines.first ?? ""))
        #expect(answer()?.line("a=fingerprint:") != nil)
        pair.expectVerified()
        pair.expectAudio()
        #expect(pair.bob.transport?.srtpCipher == "AEAD_AES_256_GCM")
        pair.finish()
    }

    /// It is another account's, or nobody offered a crypto line: no line.
    @Test(arguments: [("new", "old", true), ("old", "old", false)]) func row04_theQuirkIsNarrow(id: String, quirk: String, offers: Bool) {
        let pair = Pair(bob: { Row04Tests.account(&$0, id, quirk: quirk) })
        let answer = answer(pair)
        if offers { pair.editPeer(of: .callee) { $0.lines += Row04Tests.lines } }
        #expect(pair.connect())
        #expect(answer()?.line("a=fingerprint:") != nil && answer()?.body.contains("a=crypto") == false)
        pair.finish()
    }
}
