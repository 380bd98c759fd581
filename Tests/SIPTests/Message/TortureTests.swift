import Core
import Foundation
import Testing

@testable import SIP

/// RFC 4475: each file is either read, or refused as its section asks.
struct TortureTests {
    enum Expectation: Sendable {
        case request(SIPMethod)
        case response(Int)
        /// An error that can be answered with this status.
        case rejected(SIPParseError.Problem, Int)
        /// A bad response: dropped.
        case dropped(SIPParseError.Problem)
    }

    static let table: [(String, Expectation)] = [
        // 3.1.1: valid
        ("wsinv", .request(.invite)), ("intmeth", .request(SIPMethod("!interesting-Method0123456789_*+`.%indeed'~"))),
        ("esc01", .request(.invite)), ("escnull", .request(.register)), ("esc02", .request(SIPMethod("RE%47IST%45R"))),
        ("lwsdisp", .request(.options)), ("longreq", .request(.invite)), ("dblreq", .request(.register)),
        ("semiuri", .request(.options)), ("transports", .request(.options)), ("mpart01", .request(.message)),
        ("unreason", .response(200)), ("noreason", .response(100)),
        // 3.1.2: invalid
        ("badinv01", .rejected(.malformed(.via), 400)), ("clerr", .rejected(.truncated, 400)),
        ("ncl", .rejected(.malformed(.contentLength), 400)), ("scalar02", .rejected(.malformed(.cSeq), 400)),
        ("scalarlg", .dropped(.malformed(.cSeq))), ("quotbal", .rejected(.malformed(.to), 400)),
        ("ltgtruri", .rejected(.malformedRequestURI, 400)), ("lwsruri", .rejected(.malformedRequestURI, 400)),
        ("lwsstart", .rejected(.malformedRequestURI, 400)), ("trws", .rejected(.malformedStartLine, 400)),
        ("escruri", .rejected(.malformedRequestURI, 400)),
        // §3.1.2.12: not to be refused by an element that does not use the date.
        ("baddate", .request(.invite)),
        ("regbadct", .rejected(.malformed(.contact), 400)), ("badaspec", .rejected(.malformed(.to), 400)),
        ("baddn", .rejected(.malformed(.from), 400)), ("badvers", .rejected(.unsupportedVersion, 505)),
        ("mismatch01", .rejected(.cSeqMethodMismatch, 400)), ("mismatch02", .rejected(.cSeqMethodMismatch, 400)),
        ("bigcode", .dropped(.malformedStartLine)),
        // 3.2 and 3.3: well-formed; what is wrong is for the transaction or the user agent to see, except what cannot be read.
        ("badbranch", .request(.options)), ("insuf", .rejected(.missing(.from), 400)), ("unkscm", .request(.options)),
        ("novelsc", .request(.options)), ("unksm2", .request(.register)), ("bext01", .request(.options)),
        ("invut", .request(.invite)), ("regaut01", .request(.register)), ("multi01", .rejected(.repeated(.cSeq), 400)),
        ("mcl01", .rejected(.repeated(.contentLength), 400)), ("bcast", .response(200)), ("zeromf", .request(.options)),
        ("cparam01", .request(.register)), ("cparam02", .request(.register)), ("regescrt", .request(.register)),
        ("sdp01", .request(.invite)),
        // 3.4
        ("inv2543", .request(.invite)),
    ]

    @Test func tableCoversEveryFile() throws {
        #expect(try Fixture.names("rfc4475") == TortureTests.table.map { $0.0 + ".dat" }.sorted())
        #expect(TortureTests.table.count == 49)
    }

    @Test(arguments: table)
    func message(_ name: String, _ expected: Expectation) throws {
        var bytes = try Fixture.bytes("rfc4475/\(name).dat")
        // The RFC's archive has this one without its empty line, which would be the only fault found.
        if name == "baddn" { bytes += [13, 10] }
        do {
            let message = try SIPMessage.parse(bytes)
            let again = try SIPMessage.parse(message.serialize())
            let isAsExpected =
                switch (message, expected) {
                case (.request(let request), .request(let method)): request.method == method
                case (.response(let response), .response(let status)): response.status == status
                default: false
                }
            #expect(isAsExpected, "\(name) was read")
            #expect(again.startLine == message.startLine && again.body == message.body)
        } catch {
            let answer = error.rejection(toTag: "us")
            let isAsExpected =
                switch expected {
                case .rejected(let problem, let status): error.problem == problem && answer?.status == status
                case .dropped(let problem): error.problem == problem && answer == nil
                case .request, .response: false
                }
            #expect(isAsExpected, "\(name): \(error.problem), \(answer?.startLine ?? "no answer")")
            if let answer { #expect(answer.headers.topVia != nil, "\(name): where should the answer go?") }
        }
    }
}
