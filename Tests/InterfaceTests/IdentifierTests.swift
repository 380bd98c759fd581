import Interface
import Testing

struct IdentifierTests {
    @Test(
        arguments: [
            ("1", 1), ("42", 42), ("9223372036854775807", Int.max), ("0", nil), ("-1", nil), ("", nil), ("x", nil), ("1 ", nil), ("1.0", nil),
            ("9223372036854775808", nil),
        ] as [(String, Int?)])
    func callID(text: String, number: Int?) {
        #expect(CallID(text)?.number == number)
    }

    @Test func callIDsAreWrittenAndOrdered() {
        #expect(CallID(7).description == "7")
        #expect(CallID("7") == CallID(7))
        #expect(CallID(2) < CallID(10))
        #expect(AccountID("sip:a@b").description == "sip:a@b")
    }

    private static let id = CallID(3)
    private static let transport = TransportStatistics(component: "rtp", rtcpMux: true)

    static let events: [(Event, CallID?)] = [
        (.listening(transport: "udp", address: "0.0.0.0", port: 5060), nil),
        (.registration(account: AccountID("a"), state: .registered, status: 200, expiresSeconds: 60), nil),
        (.callIncoming(id, from: "a", displayName: nil, to: "b", security: .dtls, video: false), id),
        (.callState(id, .ringing, heldBy: nil, reason: nil), id), (.callIce(id, component: "rtp", iceState: "new", pairs: []), id),
        (.callDtls(id, transport), id), (.callStats(id, transports: [], streams: []), id),
        (.callDTMF(id, digit: "1", durationMs: 100, direction: .incoming), id), (.notice(.error, code: "c", message: "m", call: id), id),
        (.notice(.error, code: "c", message: "m", call: nil), nil),
        (.result(CallResult(call: id, outcome: .busy, remoteUri: "sip:b", endedBy: "remote")), id),
    ]

    @Test(arguments: events)
    func theCallOfAnEvent(event: Event, call: CallID?) {
        #expect(event.call == call)
    }
}
