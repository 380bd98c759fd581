import Control
import Foundation
import Interface
import Testing

struct JSONLinesTests {
    static let head = #""timestamp":"2026-11-23T08:02:11.123Z""#
    static let incoming = Event.callIncoming(CallID(1), from: "sip:a@b", displayName: "Zoë", to: "sip:c@d", security: .sdes, video: false)
    static let anonymous = Event.callIncoming(CallID(1), from: "sip:a@b", displayName: nil, to: "sip:c@d", security: .none, video: true)

    /// Every small event, word for word, in the contract's order of fields.
    static let lines: [(Event, String)] = [
        (
            .listening(transport: "udp", address: "::1", port: 5060),
            #"{"type":"listening",\#(head),"transport":"udp","address":"::1","port":5060}"#
        ),
        (.listening(transport: "wss", address: "a", port: nil), #"{"type":"listening",\#(head),"transport":"wss","address":"a","port":null}"#),
        (
            .registration(account: AccountID("sip:a@b"), state: .registered, status: 200, expiresSeconds: 300),
            #"{"type":"registration",\#(head),"account":"sip:a@b","state":"registered","status":200,"expiresSeconds":300}"#
        ),
        (
            .registration(account: AccountID("work"), state: .failed, status: nil, expiresSeconds: nil),
            #"{"type":"registration",\#(head),"account":"work","state":"failed","status":null,"expiresSeconds":null}"#
        ),
        (
            incoming,
            #"{"type":"call.incoming",\#(head),"call":"1","from":"sip:a@b","displayName":"Zoë","to":"sip:c@d","security":"sdes","video":false}"#
        ),
        (
            anonymous,
            #"{"type":"call.incoming",\#(head),"call":"1","from":"sip:a@b","displayName":null,"to":"sip:c@d","security":"none","video":true}"#
        ),
        (.callState(CallID(2), .ringing, heldBy: nil, reason: nil), #"{"type":"call.state",\#(head),"call":"2","state":"ringing"}"#),
        (.callState(CallID(2), .held, heldBy: .both, reason: nil), #"{"type":"call.state",\#(head),"call":"2","state":"held","by":"both"}"#),
        (
            .callState(CallID(2), .ended, heldBy: nil, reason: "Busy Here"),
            #"{"type":"call.state",\#(head),"call":"2","state":"ended","reason":"Busy Here"}"#
        ),
        (.callState(CallID(2), .ended, heldBy: nil, reason: nil), #"{"type":"call.state",\#(head),"call":"2","state":"ended","reason":null}"#),
        (.callState(CallID(2), .ended, heldBy: nil, reason: ""), #"{"type":"call.state",\#(head),"call":"2","state":"ended","reason":null}"#),
        (
            .callIce(CallID(1), component: "rtp", iceState: "checking", pairs: []),
            #"{"type":"call.ice",\#(head),"call":"1","component":"rtp","iceState":"checking","pairs":[]}"#
        ),
        (
            .callDTMF(CallID(1), digit: "#", durationMs: 160, direction: .incoming),
            ##"{"type":"call.dtmf",\##(head),"call":"1","digit":"#","durationMs":160,"direction":"in"}"##
        ),
        (
            .callDTMF(CallID(1), digit: "A", durationMs: 40, direction: .outgoing),
            #"{"type":"call.dtmf",\#(head),"call":"1","digit":"A","durationMs":40,"direction":"out"}"#
        ),
        (
            .callStats(CallID(1), transports: [], streams: []),
            #"{"type":"call.stats",\#(head),"call":"1","transports":[],"streams":[]}"#
        ),
        (
            .notice(.warning, code: "security-downgrade", message: "m", call: CallID(4)),
            #"{"type":"warning",\#(head),"call":"4","code":"security-downgrade","message":"m"}"#
        ),
        (.notice(.message, code: "c", message: "m", call: nil), #"{"type":"message",\#(head),"code":"c","message":"m"}"#),
        (.notice(.error, code: "c", message: "m", call: nil), #"{"type":"error",\#(head),"code":"c","message":"m"}"#),
    ]

    @Test(arguments: lines)
    func line(event: Event, expected: String) throws {
        let line = JSONLines.line(TimedEvent(time: Samples.time, event: event))
        #expect(line == expected)
        #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
    }

    private func parsed(_ event: Event) throws -> JSONText {
        try JSONText.parse(JSONLines.line(TimedEvent(time: Samples.time, event: event)))
    }

    @Test func icePairs() throws {
        let line = try parsed(.callIce(Samples.id, component: "rtcp", iceState: "connected", pairs: [Samples.pair]))
        let expected = try JSONText.parse(
            #"""
            [{"local":{"candidateType":"host","address":"192.0.2.1","port":40000,"protocol":"udp"},
              "remote":{"candidateType":"prflx","address":"192.0.2.7","port":40002,"protocol":"udp"},
              "state":"succeeded","nominated":true,"currentRoundTripTimeMs":0.4,
              "requestsSent":0,"responsesReceived":0,"requestsReceived":0,"responsesSent":0,"consentRequestsSent":0}]
            """#)
        #expect(line["pairs"] == expected)
    }

    @Test func dtls() throws {
        let expected = try JSONText.parse(
            #"""
            {"type":"call.dtls","timestamp":"2026-11-23T08:02:11.123Z","call":"1","component":"rtp","dtlsState":"connected","dtlsRole":"client",
             "tlsVersion":"FEFD","dtlsCipher":"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384","srtpCipher":"AEAD_AES_128_GCM",
             "remoteFingerprint":{"algorithm":"sha-256","value":"AB:CD","verified":true}}
            """#)
        #expect(try parsed(.callDtls(Samples.id, Samples.transport)) == expected)
    }

    @Test func dtlsBeforeTheHandshakeHasNulls() throws {
        let expected = try JSONText.parse(
            #"""
            {"type":"call.dtls","timestamp":"2026-11-23T08:02:11.123Z","call":"1","component":"rtcp","dtlsState":"none","dtlsRole":null,
             "tlsVersion":null,"dtlsCipher":null,"srtpCipher":null,"remoteFingerprint":null}
            """#)
        #expect(try parsed(.callDtls(Samples.id, TransportStatistics(component: "rtcp", rtcpMux: false))) == expected)
    }

    @Test func theTransportView() throws {
        var transport = Samples.transport
        transport.localCandidates = [
            CandidateDescription(
                candidateType: "srflx", address: "203.0.113.5", port: 51000, priority: 4_294_967_295, relatedAddress: "192.0.2.1", relatedPort: 40000)
        ]
        transport.remoteCandidates = [CandidateDescription(candidateType: "host", address: "2001:db8::7", port: 9)]
        transport.dtlsFlights = [DTLSFlightStatistics(timeMs: 15.5, isSent: false, messages: ["ClientHello"], bytes: 187, isRepeated: true)]
        transport.srtpProfilesOffered = ["AEAD_AES_128_GCM"]
        transport.packetsSent = 1
        transport.bytesSent = 2
        transport.packetsReceived = 3
        transport.bytesReceived = 4
        transport.dropped.authentication = 5
        transport.dropped.replay = 6
        transport.dropped.noKey = 7
        transport.dropped.unknownSource = 8
        transport.dropped.other = 9
        guard case .array(let all) = try parsed(.callStats(Samples.id, transports: [transport], streams: []))["transports"], let line = all.first
        else {
            Issue.record("no transport")
            return
        }
        let expected = try JSONText.parse(
            #"""
            {"localCandidates":[{"candidateType":"srflx","address":"203.0.113.5","port":51000,"protocol":"udp","priority":4294967295,
                                 "relatedAddress":"192.0.2.1","relatedPort":40000}],
             "remoteCandidates":[{"candidateType":"host","address":"2001:db8::7","port":9,"protocol":"udp","priority":null,"relatedAddress":null,
                                  "relatedPort":null}],
             "dtlsFlights":[{"timeMs":15.5,"direction":"received","messages":["ClientHello"],"bytes":187,"repeated":true}],
             "srtpProfilesOffered":["AEAD_AES_128_GCM"],"packetsSent":1,"bytesSent":2,"packetsReceived":3,"bytesReceived":4,
             "dropped":{"authentication":5,"replay":6,"noKey":7,"unknownSource":8,"other":9}}
            """#)
        for key in [
            "localCandidates", "remoteCandidates", "dtlsFlights", "srtpProfilesOffered", "packetsSent", "bytesSent", "packetsReceived",
            "bytesReceived", "dropped",
        ]
        where line[key] != expected[key] {
            Issue.record("\(key): \(String(describing: line[key]))")
        }
    }

    @Test func statisticsAreThoseOfTheResult() throws {
        let stats = try parsed(.callStats(Samples.id, transports: [Samples.transport], streams: [Samples.stream]))
        let result = try parsed(.result(Samples.result))
        #expect(stats["transports"] != nil && stats["transports"] == result["transports"])
        #expect(stats["streams"] != nil && stats["streams"] == result["streams"])
    }

    /// What a peer can put into a text: the line stays one line, and the reader gets the text back.
    @Test(arguments: [
        "\"", "\\", "a\nb", "a\r\nb", "\t", "\u{0}\u{1}\u{1F}", "\u{7F}\u{85}\u{9B}", "\u{2028}\u{2029}", "é李👍", "</script>", "\u{202E}", "\\u0041",
        "",
    ])
    func escaping(text: String) throws {
        let line = JSONLines.line(TimedEvent(time: Samples.time, event: .notice(.error, code: "c", message: text, call: nil)))
        let isControl = { (s: Unicode.Scalar) in s.value < 0x20 || (0x7F...0x9F).contains(s.value) || s.value == 0x2028 || s.value == 0x2029 }
        #expect(!line.unicodeScalars.contains(where: isControl))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect((object?["message"] as? String).map { Array($0.utf8) } == Array(text.utf8))
    }

    /// Figures have three decimals at most; what is not a number is null.
    @Test(
        arguments: [
            (0, "0"), (3, "3"), (0.4, "0.4"), (-20.1, "-20.1"), (0.0004, "0"), (0.0006, "0.001"), (12.34567, "12.346"), (-0.0001, "0"),
            (1e14, "100000000000000"),
            (1e300, "null"), (.nan, "null"), (.infinity, "null"), (-.infinity, "null"), (.leastNonzeroMagnitude, "0"),
        ] as [(Double, String)])
    func numbers(value: Double, text: String) {
        var result = Samples.result
        result.setup.ringingMs = value
        let line = JSONLines.line(TimedEvent(time: Samples.time, event: .result(result)))
        #expect(line.contains(#""setup":{"ringingMs":\#(text),"#))
    }
}
