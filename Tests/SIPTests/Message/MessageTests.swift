import Core
import Testing

@testable import SIP

struct MessageTests {
    private func request(_ changed: (inout [String]) -> Void = { _ in }, body: String = "") -> [UInt8] {
        var lines = [
            "OPTIONS sip:bob@b SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/TCP c", "From: <sip:a@a>;tag=1", "To: <sip:b@b>",
            "Call-ID: x", "CSeq: 1 OPTIONS",
        ]
        changed(&lines)
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }

    private func problem(_ bytes: [UInt8]) -> SIPParseError? {
        do {
            _ = try SIPMessage.parse(bytes)
            return nil
        } catch { return error }
    }

    @Test func bodyLengths() throws {
        #expect(try SIPMessage.parse(request(body: "12345")).body.count == 5)
        #expect(try SIPMessage.parse(request({ $0.append("l: 3") }, body: "12345")).body == Array("123".utf8))
        #expect(problem(request({ $0.append("l: 6") }, body: "12345"))?.problem == .truncated)
        #expect(problem(request({ $0.append("l: 99999999999999999999") }))?.problem == .malformed(.contentLength))
        #expect(problem(request({ $0 += ["l: 0", "Content-Length: 0"] }))?.problem == .repeated(.contentLength))
    }

    @Test func lineEndsBeforeTheStartLine() throws {
        #expect(try SIPMessage.parse([13, 10, 13, 10] + request()).startLine == "OPTIONS sip:bob@b SIP/2.0")
        #expect(problem([13, 10, 13, 10])?.problem == .empty)
        #expect(problem([])?.problem == .empty)
    }

    @Test func mandatoryFields() {
        #expect(problem(request { $0.remove(at: 4) })?.problem == .missing(.callID))
        #expect(problem(request { $0.remove(at: 4) })?.reason == "Missing Call-ID Header Field")
        #expect(problem(request { $0.remove(at: 1) })?.problem == .missing(.via))
        #expect(problem(request { $0.remove(at: 1) })?.recoveredRequest == nil)
        #expect(problem(request { $0[5] = "CSeq: 2147483648 OPTIONS" })?.problem == .malformed(.cSeq))
        #expect(problem(request { $0[5] = "CSeq: 1 INVITE" })?.problem == .cSeqMethodMismatch)
        #expect(problem(request { $0.append("From: <sip:x@y>") })?.problem == .repeated(.from))
        #expect(problem(request { $0.append("Max-Forwards: x") })?.problem == .malformed(.maxForwards))
        #expect(problem(request { $0.append("no colon") })?.problem == .malformedHeaderLine)
        #expect(problem(request { $0.append("X: a\nVia: evil") })?.problem == .malformedHeaderLine)
        #expect(problem(request { $0.append("X: a\rb") })?.problem == .malformedHeaderLine)
        #expect(problem(request { $0 += (0..<600).map { "X-\($0): y" } })?.problem == .tooManyFields)
        #expect(problem(Array(request().dropLast(2)))?.problem == .truncated)
    }

    @Test func noAnswerToAnACK() {
        let error = problem(request { $0[0] = "ACK sip:b@b SIP/2.0" })
        #expect(error?.problem == .cSeqMethodMismatch && error?.rejection(toTag: "t") == nil)
    }

    @Test func rejectionCopiesWhatIdentifiesTheRequest() throws {
        let answer = try #require(problem(request { $0.append("Contact: sip:a@b?x=y") })?.rejection(toTag: "t7"))
        #expect(answer.startLine == "SIP/2.0 400 Malformed Contact Header Field")
        #expect(answer.headers.values(.via).count == 2 && answer.headers.to?.tag == "t7" && answer.headers.cSeq == CSeq(1, .options))
        _ = try SIPMessage.parse(answer.serialize())
    }

    @Test func responseToARequest() throws {
        guard case .request(let request) = try SIPMessage.parse(request { $0.append("Timestamp: 5") }) else { return }
        let trying = SIPResponse(to: request, status: 100, toTag: "t")
        #expect(trying.headers.to?.tag == nil && trying.headers.first(.timestamp) == "5" && trying.reason == "Trying")
        let busy = SIPResponse(to: request, status: 486, toTag: "t")
        #expect(busy.headers.to?.tag == "t" && busy.startLine == "SIP/2.0 486 Busy Here" && !busy.headers.contains(.timestamp))
        #expect(busy.headers.all(.via) == request.headers.all(.via))
        #expect(SIPResponse.defaultReason(499) == "Bad Request" && SIPResponse.defaultReason(699) == "Global Failure")
    }

    @Test func nothingSmugglesALine() throws {
        var headers = SIPHeaders()
        headers.add(.subject, "x\r\nEvil: 1\n\rEvil: 2")
        headers.add(HeaderName("X\r\nEvil: 3"), "y")
        headers.add(.contentLength, "77")
        let request = SIPRequest(
            method: SIPMethod("INFO\r\nEvil: 4"), uri: SIPURI(user: "a\r\nEvil: 5", host: .name("h\r\nEvil:6")), headers: headers, body: [1, 2])
        let text = String(decoding: request.serialize(), as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.count == 6 && !lines.contains { $0.hasPrefix("Evil") })
        #expect(text.contains("Content-Length: 2\r\n\r\n") && !text.contains("77"))
        let response = SIPResponse(status: 200, reason: "OK\r\nEvil: 7")
        #expect(String(decoding: response.serialize(), as: UTF8.self) == "SIP/2.0 200 OK  Evil: 7\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func startLines() {
        for line in [
            "", "OPTIONS", "OPTIONS sip:b@b", "OPTIONS sip:b@b SIP/2", "OPTIONS  SIP/2.0", " OPTIONS sip:b@b SIP/2.0", "OPT(IONS sip:b@b SIP/2.0",
        ] {
            #expect(problem(request { $0[0] = line }) != nil, "\(line)")
        }
        for line in ["SIP/2.0", "SIP/2.0 20", "SIP/2.0 2000 OK", "SIP/2.0 700 No", "SIP/2.0 099 No", "SIP/3.0 200 OK", "SIP/2.0  200 OK"] {
            #expect(problem(request { $0[0] = line })?.recoveredRequest == nil && problem(request { $0[0] = line }) != nil, "\(line)")
        }
        #expect(problem(request { $0[0] = "SIP/2.0 200" }) == nil)
        #expect(problem(request { $0[0] = "options sip:b@b sip/2.0" })?.problem == .cSeqMethodMismatch)
    }
}
