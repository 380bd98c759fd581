import Control
import Interface
import Testing

struct HumanLinesTests {
    static var plainResult: CallResult {
        var out = CallResult(call: CallID(5), outcome: .busy, remoteUri: "sip:b@c", endedBy: "remote")
        out.status = 486
        return out
    }

    static let lines: [(Event, String?)] = [
        (.listening(transport: "udp", address: "0.0.0.0", port: 5060), "listening on udp 0.0.0.0 port 5060"),
        (.listening(transport: "ws", address: "0.0.0.0", port: nil), "listening on ws 0.0.0.0"),
        (.registration(account: AccountID("a"), state: .registered, status: 200, expiresSeconds: 60), "a: registered (200), expires in 60 s"),
        (.registration(account: AccountID("a"), state: .registering, status: nil, expiresSeconds: nil), "a: registering"),
        (JSONLinesTests.incoming, "call 1: incoming from \"Zoë\" sip:a@b (sdes)"), (JSONLinesTests.anonymous, "call 1: incoming from sip:a@b (none)"),
        (.callState(CallID(2), .held, heldBy: .remote, reason: nil), "call 2: held by remote"),
        (.callState(CallID(2), .ended, heldBy: nil, reason: "Busy Here"), "call 2: ended: Busy Here"),
        (.callIce(CallID(1), component: "rtp", iceState: "completed", pairs: []), "call 1: ICE completed (rtp)"),
        (
            .callDtls(Samples.id, Samples.transport),
            "call 1: DTLS connected (rtp), TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, SRTP AEAD_AES_128_GCM, fingerprint verified"
        ),
        (.callDtls(CallID(1), TransportStatistics(component: "rtcp", rtcpMux: false)), "call 1: DTLS none (rtcp)"),
        (.callStats(CallID(1), transports: [], streams: []), nil),
        (.callDTMF(CallID(1), digit: "5", durationMs: 100, direction: .outgoing), "call 1: digit 5 out, 100 ms"),
        (.notice(.warning, code: "c", message: "m", call: CallID(1)), "warning: call 1: m"),
        (.notice(.error, code: "c", message: "m", call: nil), "error: m"),
        (.result(Samples.result), "call 1: answered, 200 OK, dtls, opus 501 sent, 500 received, -2 lost"),
        (.result(plainResult), "call 5: busy, 486"),
    ]

    @Test(arguments: lines)
    func line(event: Event, expected: String?) {
        #expect(HumanLines.line(event) == expected)
    }

    @Test func aLinkIsShownToPeopleAndNotToTheLog() {
        let link = Event.link(url: "https://a:8443/0123456789abcdefghijkl", expiresSeconds: 900)
        #expect(HumanLines.line(link) == "link for one call, good for 15 minutes: https://a:8443/0123456789abcdefghijkl")
        #expect(HumanLines.logged(link) == "a link for one call was made, good for 15 minutes")
        #expect(HumanLines.logged(.notice(.error, code: "c", message: "m", call: nil)) == "error: m")
    }

    @Test func anUnverifiedFingerprintIsCalledSo() {
        var transport = Samples.transport
        transport.remoteFingerprint?.verified = false
        #expect(HumanLines.line(.callDtls(Samples.id, transport))?.hasSuffix("fingerprint not verified") == true)
        transport.remoteFingerprint = nil
        #expect(HumanLines.line(.callDtls(Samples.id, transport))?.hasSuffix("fingerprint not verified") == true)
    }
}
