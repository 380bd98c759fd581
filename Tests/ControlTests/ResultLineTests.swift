import Control
import Interface
import Testing

struct ResultLineTests {
    /// The result line of the outside contract, as written there.
    static let example = #"""
        {"type":"result","call":"1","outcome":"answered","exitCode":0,"security":"dtls","securityOffered":"dtls",
         "sip":{"status":200,"reason":"OK","remoteUri":"sip:bob@192.0.2.7:5080","endedBy":"local"},
         "setup":{"ringingMs":3,"answeredMs":12,"iceConnectedMs":15,"dtlsConnectedMs":22,"firstMediaReceivedMs":25,"firstMediaSentMs":23},
         "transports":[{"component":"rtp","media":["audio"],"iceState":"completed","iceRole":"controlling",
           "selectedCandidatePair":{"local":{"candidateType":"host","address":"192.0.2.1","port":40000,"protocol":"udp"},
                                    "remote":{"candidateType":"prflx","address":"192.0.2.7","port":40002,"protocol":"udp"},
                                    "currentRoundTripTimeMs":0.4},
           "dtlsState":"connected","dtlsRole":"client","tlsVersion":"FEFD","dtlsCipher":"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
           "srtpCipher":"AEAD_AES_128_GCM","rtcpMux":true,
           "remoteFingerprint":{"algorithm":"sha-256","value":"AB:CD:…","verified":true}}],
         "streams":[{"kind":"audio","codec":"opus","clockRate":48000,"direction":"sendrecv",
           "inbound":{"ssrc":1,"packetsReceived":500,"packetsLost":0,"bytesReceived":40000,"jitterMs":0.2,"jitterBufferDelayMs":40,
                      "concealedSamples":0,"totalSamplesReceived":480000,"audioLevelDbov":-20.1,"unprotectErrors":0,"nackCount":0,"pliCount":0},
           "outbound":{"ssrc":2,"packetsSent":500,"bytesSent":40000,"roundTripTimeMs":0.5,"remotePacketsLost":0,"remoteJitterMs":0.1},
           "mos":null}]}
        """#

    private func parsed(_ result: CallResult) throws -> JSONText {
        try JSONText.parse(JSONLines.line(TimedEvent(time: Samples.time, event: .result(result))))
    }

    @Test func hasEveryMemberOfTheContractsExample() throws {
        let example = try JSONText.parse(ResultLineTests.example)
        let line = try parsed(Samples.result)
        #expect(line.departures(from: example) == [])
        #expect(line["timestamp"] == .string("2026-11-23T08:02:11.123Z"))
        for key in ["type", "call", "outcome", "exitCode", "security", "securityOffered", "sip", "setup"] where line[key] != example[key] {
            Issue.record("\(key) is not the example's")
        }
    }

    /// The comparison itself can fail.
    @Test func departuresAreSeen() throws {
        let example = try JSONText.parse(#"{"a":[{"b":1,"c":true}],"d":null}"#)
        let other = try JSONText.parse(#"{"a":[{"b":"1"}],"d":0,"e":5}"#)
        #expect(other.departures(from: example) == [".a[0].b is a string, not a number", ".a[0].c is missing", ".d is a number, not a null"])
        #expect(try JSONText.parse(#"{"a":[]}"#).departures(from: example) == [".a is empty", ".d is missing"])
    }

    @Test func figuresReachTheirOwnMembers() throws {
        guard case .array(let streams) = try parsed(Samples.result)["streams"], let stream = streams.first else {
            Issue.record("no streams")
            return
        }
        let expected = try JSONText.parse(
            #"""
            {"kind":"audio","codec":"opus","clockRate":48000,"direction":"sendrecv",
             "inbound":{"ssrc":4294967295,"packetsReceived":500,"packetsLost":-2,"bytesReceived":40000,"jitterMs":0.2,"jitterBufferDelayMs":40,
                        "concealedSamples":0,"totalSamplesReceived":480000,"audioLevelDbov":-20.1,"unprotectErrors":0,"nackCount":0,"pliCount":0},
             "outbound":{"ssrc":2,"packetsSent":501,"bytesSent":40001,"roundTripTimeMs":0.5,"remotePacketsLost":0,"remoteJitterMs":0.1,
                         "audioLevelDbov":null},"mos":null}
            """#)
        #expect(stream == expected)
    }

    /// What is not known is null: never absent, never a zero.
    @Test func aCallThatNeverConnected() throws {
        var result = CallResult(call: CallID(9), outcome: .busy, remoteUri: "sip:b@c", endedBy: "remote")
        result.securityOffered = .dtls
        result.status = 486
        let expected = try JSONText.parse(
            #"""
            {"type":"result","timestamp":"2026-11-23T08:02:11.123Z","call":"9","outcome":"busy","exitCode":13,"security":null,"securityOffered":"dtls",
             "sip":{"status":486,"reason":null,"remoteUri":"sip:b@c","endedBy":"remote"},
             "setup":{"ringingMs":null,"answeredMs":null,"iceConnectedMs":null,"dtlsConnectedMs":null,"firstMediaReceivedMs":null,"firstMediaSentMs":null},
             "transports":[],"streams":[]}
            """#)
        #expect(try parsed(result) == expected)
    }

    @Test func plainMediaHasNullsAndTheWordNone() throws {
        var result = Samples.result
        result.security = SecurityMode.none
        result.transports = [TransportStatistics(component: "rtp", rtcpMux: false), TransportStatistics(component: "rtcp", rtcpMux: false)]
        let line = try parsed(result)
        #expect(line["security"] == .string("none"))
        guard case .array(let transports) = line["transports"] else { return }
        #expect(transports.map { $0["component"] } == [.string("rtp"), .string("rtcp")])
        let first = transports.first
        #expect([first?["iceState"], first?["dtlsState"]] == [.string("none"), .string("none")])
        #expect(
            [first?["srtpCipher"], first?["selectedCandidatePair"], first?["iceRole"], first?["remoteFingerprint"]] == [.null, .null, .null, .null])
    }

    @Test func redirections() throws {
        var result = CallResult(call: CallID(9), outcome: .sipFailure, remoteUri: "sip:b@c", endedBy: "remote")
        result.redirectedTo = ["sip:x@y", "sip:z@y"]
        #expect(try parsed(result)["sip"]?["redirectedTo"] == .array([.string("sip:x@y"), .string("sip:z@y")]))
    }

    @Test(arguments: Outcome.allCases)
    func outcomes(outcome: Outcome) throws {
        let line = try parsed(CallResult(call: CallID(1), outcome: outcome, remoteUri: "", endedBy: "local"))
        #expect(line["outcome"] == .string(outcome.word))
        #expect(line["exitCode"] == .number(Double(outcome.exitCode)))
    }
}
