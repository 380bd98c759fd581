import Core
import SDP
import Testing

@Suite struct ParserTests {
    static let head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"

    @Test func allLinesInOrder() throws {
        let text = """
            v=0
            o=jdoe 3724394400 3724394405 IN IP6 2001:db8::1
            s=Call
            i=About
            u=https://example.com/
            e=a@example.com
            e=b@example.com
            p=+1 617 555-6011
            c=IN IP4 233.252.0.1/127
            b=AS:100
            b=X-YZ:128
            t=3724394400 3724398000
            r=604800 3600 0 90000
            t=0 0
            z=3730928400 -1h
            k=prompt
            a=recvonly
            m=audio 49170/2 RTP/AVP 0
            i=voice
            c=IN IP6 2001:db8::2
            c=IN IP6 2001:db8::3
            b=TIAS:64000
            k=clear:x
            a=ptime:20
            m=application 9 UDP/DTLS/SCTP webrtc-datachannel

            """
        let description = try SessionDescription(parsing: text)
        #expect(description.connection == Connection(addressType: "IP4", host: "233.252.0.1"))
        #expect(description.emails.count == 2)
        #expect(description.timings.map(\.repeats.count) == [1, 0])
        #expect(description.media[0].portCount == 2)
        #expect(description.media[0].connections.count == 2)
        #expect(description.section(0)?.direction == .recvonly)
        #expect(description.media[1].formats == ["webrtc-datachannel"])
        let expected = text.replacing("/127", with: "").replacing("\n", with: "\r\n")
        #expect(description.description == expected)
    }

    @Test func anyOrderIsReadAndTheRightOneWritten() throws {
        let description = try SessionDescription(parsing: "a=x\nt=0 0\nb=AS:5\nc=IN IP4 192.0.2.1\ns=-\nx=what\no=- 1 1 IN IP4 192.0.2.1\nv=0\n")
        #expect(description.description == "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nb=AS:5\r\nt=0 0\r\na=x\r\n")
    }

    @Test func missingNameAndTimeAreFilledIn() throws {
        let description = try SessionDescription(parsing: "v=0\no=- 1 1 IN IP4 192.0.2.1\n\n")
        #expect(description.name == "-")
        #expect(description.timings == [.unbounded])
    }

    static let broken: [(String, SDPError)] = [
        ("", .missing("v")), ("v=0\n", .missing("o")), ("v=1\n", .unsupportedVersion), ("v=0\nhello\n", .malformedLine(2)),
        ("v=0\no=x\n", .malformedField("o", line: 2)), ("v=0\na=\u{0}\n", .forbiddenByte(line: 2)), ("v=0\na=x\ry\n", .forbiddenByte(line: 2)),
        ("\(head)m=audio\n", .malformedField("m", line: 5)), ("\(head)m=audio 70000 RTP/AVP 0\n", .malformedField("m", line: 5)),
        ("\(head)m=audio -1 RTP/AVP 0\n", .malformedField("m", line: 5)), ("\(head)c=IN IP4\n", .malformedField("c", line: 5)),
        ("\(head)m=audio 9 RTP/AVP\(String(repeating: " 1", count: 300))\n", .tooManyFormats(line: 5)),
        ("\(head)\(String(repeating: "m=audio 9 RTP/AVP 0\n", count: 65))", .tooManyMediaSections),
        ("\(head)\(String(repeating: "a=x\n", count: 1001))", .tooManyAttributes), (String(repeating: "x", count: 65537), .tooLong(65537)),
    ]

    @Test(arguments: broken) func refused(_ text: String, _ error: SDPError) {
        #expect(throws: error) { () throws in _ = try SessionDescription(parsing: text) }
    }

    @Test func capsAreInclusive() throws {
        let text = ParserTests.head + String(repeating: "m=audio 9 RTP/AVP 0\n", count: 64) + String(repeating: "a=x\n", count: 1000)
        let description = try SessionDescription(parsing: text)
        #expect(description.media.count == 64)
    }

    @Test func valuesCannotAddLines() throws {
        var description = try SessionDescription(parsing: ParserTests.head)
        description.attributes.append(Attribute("x", "a\r\nm=video 1 RTP/AVP 0\nb\u{0}"))
        let again = try SessionDescription(parsing: description.description)
        #expect(again.media.isEmpty)
        #expect(again.value("x") == "am=video 1 RTP/AVP 0b")
    }

    @Test func wideNumbersInOrigin() throws {
        let text = "v=0\no=- 99999999999999999999999 99999999999999999999999 IN IP4 h.example\ns=\n"
        let description = try SessionDescription(parsing: text)
        #expect(description.origin.sessionID == "99999999999999999999999")
    }
}
