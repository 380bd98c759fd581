import Core
import Testing

@testable import SIP

/// RFC 4475 §3.1.1: what must be read in the valid messages.
struct TortureFieldTests {
    private func request(_ name: String) throws -> SIPRequest {
        guard case .request(let request) = try SIPMessage.parse(try Fixture.bytes("rfc4475/\(name).dat")) else {
            throw SIPParseError(.malformedStartLine)
        }
        return request
    }

    private func response(_ name: String) throws -> SIPResponse {
        guard case .response(let response) = try SIPMessage.parse(try Fixture.bytes("rfc4475/\(name).dat")) else {
            throw SIPParseError(.malformedStartLine)
        }
        return response
    }

    @Test func shortTortuousInvite() throws {
        let headers = try request("wsinv").headers
        #expect(try request("wsinv").uri.parameters.contains("unknownparam"))
        #expect(headers.to?.tag == "1918181833n")
        #expect(headers.from?.displayName == "J Rosenberg \\\"")
        #expect(headers.from?.tag == "98asjd8")
        #expect(headers.maxForwards == 68)
        #expect(headers.cSeq == CSeq(9, .invite))
        #expect(headers.vias.map(\.transport) == ["UDP", "TCP", "UDP"])
        #expect(headers.vias.map(\.branch) == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"])
        #expect(headers.vias.last?.host == .ip(.v4(0xC0A8_FF6F)))
        #expect(headers.first(.subject) == "")
        #expect(headers.first("newfangledheader") == "newfangled value continued newfangled value")
        #expect(headers.first("UnknownHeaderWithUnusualValue") == ";;,,;;,;")
        #expect(headers.routes.first?.uri.isLooseRouter == true)
        #expect(headers.routes.first?.uri.parameters["unknownwith"] == "value")
        let contact = try #require(headers.contacts.first)
        #expect(contact.displayName == "Quoted string \"\"")
        #expect(contact.parameters["newparam"] == "newvalue" && contact.parameters.contains("secondparam") && contact.q == 0.33)
        #expect(try request("wsinv").body.count == 150)
    }

    @Test func wideRangeOfCharacters() throws {
        let message = try request("intmeth")
        #expect(message.uri.rawUser == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        #expect(message.uri.rawPassword == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        #expect(message.headers.to?.displayName == "BEL:\u{07} NUL:\u{00} DEL:\u{7F}")
        #expect(message.headers.from?.displayName == "token1~` token2'+_ token3*%!.-")
        #expect(message.headers.from?.parameters["fromParam''~+*_!.-%"] == "работающий")
        #expect(message.headers.callID == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{")
        #expect(message.headers.first("extensionHeader-!.%*+_`'~")?.isEmpty == false)
        #expect(message.headers.maxForwards == 255)
    }

    @Test func escapes() throws {
        let message = try request("esc01")
        #expect(message.uri.user == "sips:user@example.com" && message.uri.host == .name("example.net") && message.uri.scheme == "sip")
        #expect(message.headers.to?.uri.user == "user")
        #expect(message.headers.from?.uri.user == "I have spaces")
        let contact = try #require(message.headers.contacts.first)
        #expect(contact.uri.user == "caller" && contact.uri.isLooseRouter)
        #expect(contact.uri.parameters["name"].map(SIPSyntax.unescaped) == "value%41")
        let contacts = try request("escnull").headers.contacts
        #expect(contacts.map(\.uri.user) == ["\u{00}", "\u{00}\u{00}"])
        let method = try request("esc02")
        #expect(method.method != .register && method.headers.contacts.count == 2 && method.headers.to?.displayName == "%Z%45")
    }

    @Test func displayNameBeforeBracket() throws {
        let from = try request("lwsdisp").headers.from
        #expect(from?.displayName == "caller" && from?.uri.user == "caller" && from?.tag == "323")
    }

    @Test func longValues() throws {
        let headers = try request("longreq").headers
        #expect(headers.vias.count == 34 && headers.vias.last?.received == IPAddress("192.0.2.5"))
        #expect(headers.to?.uri.port == 6000)
        #expect(headers.from?.uri.user == String(repeating: "amazinglylongcallername", count: 5))
    }

    @Test func bytesAfterTheMessageAreLeftOut() throws {
        let message = try request("dblreq")
        #expect(message.body.isEmpty && message.headers.cSeq == CSeq(8, .register))
        #expect(message.headers.callID == "dblreq.0ha0isndaksdj99sdfafnl3lk233412")
    }

    @Test func semicolonInUser() throws {
        let message = try request("semiuri")
        #expect(message.uri.user == "user;par=u@example.net" && message.uri.parameters.isEmpty)
        #expect(message.headers.values(.accept).count == 6)
    }

    @Test func transports() throws {
        #expect(try request("transports").headers.vias.map(\.transport) == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"])
    }

    @Test func binaryBody() throws {
        let message = try request("mpart01")
        #expect(message.body.count == 553 && message.headers.mediaType == "multipart/mixed" && message.headers.topVia?.hasRport == true)
    }

    @Test func reasonPhrases() throws {
        #expect(try response("unreason").reason.hasPrefix("= 2**3 * 5**2 но сто"))
        #expect(try response("noreason").reason == "")
    }

    @Test func schemesAndOldMessages() throws {
        #expect(try request("unkscm").uri.opaque == "totallyopaquecontent" && !request("unkscm").uri.isSIP)
        #expect(try request("novelsc").uri.scheme == "soap.beep")
        #expect(try request("unksm2").headers.to?.uri.description == "isbn:2983792873")
        #expect(try request("badbranch").headers.topVia?.hasUniqueBranch == false)
        #expect(try request("bext01").headers.require == ["nothingsupportsthis", "nothingsupportsthiseither"])
        #expect(try request("zeromf").headers.maxForwards == 0)
        let old = try request("inv2543")
        #expect(old.headers.from?.tag == nil && old.headers.to?.parameters["user"] == "phone" && old.headers.maxForwards == nil)
        #expect(old.headers.topVia?.branch == nil && old.body.isEmpty == false)
    }

    @Test func contactParameters() throws {
        let outside = try #require(try request("cparam01").headers.contacts.first)
        let inside = try #require(try request("cparam02").headers.contacts.first)
        #expect(outside.parameters.contains("unknownparam") && outside.uri.parameters.isEmpty)
        #expect(inside.uri.parameters.contains("unknownparam") && inside.parameters.isEmpty)
        let escaped = try #require(try request("regescrt").headers.contacts.first)
        #expect(escaped.uri.headers == [SIPURI.Header(name: "Route", value: "%3Csip:sip.example.com%3E")])
    }
}
