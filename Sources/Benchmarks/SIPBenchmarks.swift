import Core
import SIP

/// SIP messages parsed and serialised per second.
enum SIPBenchmarks {
    /// Eleven header fields and a body.
    static let invite = message(
        [
            "INVITE sip:bob@192.0.2.7:5080;transport=udp SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74bf9kjh3Nq8;rport",
            "Max-Forwards: 70",
            "From: \"Alice\" <sip:alice@example.org>;tag=9fxced76sl",
            "To: <sip:bob@example.org>",
            "Call-ID: 3848276298220188511@192.0.2.1",
            "CSeq: 2 INVITE",
            "Contact: <sip:alice@192.0.2.1:5060>",
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK",
            "Supported: replaces, outbound",
            "Content-Type: application/sdp",
        ], body: body)

    static let ok = message(
        [
            "SIP/2.0 200 OK",
            "Via: SIP/2.0/UDP proxy.example.org:5060;branch=z9hG4bK2d4790.1;received=192.0.2.111",
            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74bf9kjh3Nq8;rport=5060;received=192.0.2.1",
            "Record-Route: <sip:proxy.example.org;lr>",
            "From: \"Alice\" <sip:alice@example.org>;tag=9fxced76sl",
            "To: <sip:bob@example.org>;tag=8321234356",
            "Call-ID: 3848276298220188511@192.0.2.1",
            "CSeq: 2 INVITE",
            "Contact: <sip:bob@192.0.2.7:5080>",
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK",
            "Content-Type: application/sdp",
        ], body: body)

    private static let body = [
        "v=0", "o=- 1234567890 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 40000 RTP/AVP 96 0 8 101",
        "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/48000", "a=ptime:20", "a=sendrecv",
    ].map { $0 + "\r\n" }.joined()

    private static func message(_ lines: [String], body: String) -> [UInt8] {
        Array((lines + ["Content-Length: \(body.utf8.count)", "", body]).joined(separator: "\r\n").utf8)
    }

    static func run() throws {
        Report.head("SIP")
        for (name, bytes) in [("INVITE", invite), ("200 OK", ok)] {
            let parsed = try SIPMessage.parse(bytes)
            let count = 2000
            let parsing = try Measure.alone(items: count) { for _ in 0..<count { keep(try SIPMessage.parse(bytes)) } }
            Report.line("\(name) parsed (11 fields, \(bytes.count) bytes)", parsing, rate: "msg")
            let validating = try Measure.alone(items: count) {
                for _ in 0..<count {
                    let message = try SIPMessage.parse(bytes)
                    try message.validate()
                    keep(message)
                }
            }
            Report.line("\(name) parsed and validated", validating, rate: "msg")
            let writing = try Measure.alone(items: count) { for _ in 0..<count { keep(parsed.serialize()) } }
            Report.line("\(name) serialised", writing, rate: "msg")
        }
    }
}
