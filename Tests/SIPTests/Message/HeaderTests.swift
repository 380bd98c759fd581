import Core
import Testing

@testable import SIP

struct HeaderTests {
    @Test func namesAreOneInEverySpelling() {
        #expect(HeaderName("v") == .via && HeaderName("VIA") == .via && HeaderName("Call-id") == .callID && HeaderName("i") == .callID)
        #expect(HeaderName("X-Thing") == HeaderName("x-thing") && HeaderName("X-Thing").hashValue == HeaderName("x-thing").hashValue)
        #expect(HeaderName("r") == .referTo && HeaderName("x") == .sessionExpires && HeaderName("o") == .event && HeaderName("u") == .allowEvents)
        #expect(HeaderName("k") == .supported && HeaderName("s") == .subject && HeaderName("b") == .referredBy && HeaderName("z") != .via)
        #expect(HeaderName("l").text == "Content-Length")
    }

    @Test func everyKnownNameIsFound() {
        let lost = KnownHeader.allCases.filter { HeaderName($0.rawValue.uppercased()).known != $0 }
        #expect(lost.isEmpty)
    }

    @Test func listsAreSplitOutsideOfQuotesBracketsAndComments() {
        var headers = SIPHeaders()
        headers.add(.contact, "\"A, \\\"B\" <sip:a@b?x=1,2>;q=1, sip:c@d")
        headers.add(.contact, "<sip:e@f>")
        #expect(headers.values(.contact) == ["\"A, \\\"B\" <sip:a@b?x=1,2>;q=1", "sip:c@d", "<sip:e@f>"])
        #expect(headers.all(.contact).count == 2 && headers.contacts.count == 3)
        headers.set(.userAgent, "x (a, (b), c) , y")
        #expect(headers.values(.userAgent) == ["x (a, (b), c)", "y"])
        headers.set(.supported, " , 100rel,, Timer ,")
        #expect(headers.supported == ["100rel", "timer"])
        #expect(SIPHeaders.split("\"unterminated, x") == ["\"unterminated, x"])
        #expect(SIPHeaders.split("\"a\\") == ["\"a\\"])
    }

    @Test func orderIsKept() {
        var headers = SIPHeaders([(.from, "f"), (.via, "1, 2"), (.via, "3"), (.to, "t")])
        headers.prepend(.via, "0")
        #expect(headers.values(.via) == ["0", "1", "2", "3"])
        headers.removeFirstValue(.via)
        headers.removeFirstValue(.via)
        #expect(headers.values(.via) == ["2", "3"])
        headers.set(.via, "9")
        #expect(headers.fields.map(\.name) == [.from, .via, .to])
        headers[.via] = nil
        #expect(!headers.contains(.via) && headers.count == 2)
    }

    @Test func typedSetters() {
        var headers = SIPHeaders()
        headers.vias = [Via(transport: "udp", host: .name("a"), port: 5060, branch: "z9hG4bK1"), Via(transport: "TCP", host: .name("b"))]
        headers.topVia?.noteSource(SocketAddress(.v4(0xC000_0201), 7000))
        #expect(headers.first(.via) == "SIP/2.0/UDP a:5060;branch=z9hG4bK1;rport=7000;received=192.0.2.1")
        headers.to = NameAddress(uri: SIPURI(host: .name("x")))
        headers.to?.tag = "1"
        #expect(headers.first(.to) == "<sip:x>;tag=1")
        headers.cSeq = CSeq(1, .bye)
        headers.expires = 60
        headers.allow = [.invite, .ack]
        headers.require = []
        #expect(headers.first(.cSeq) == "1 BYE" && headers.expires == 60 && headers.first(.allow) == "INVITE, ACK" && !headers.contains(.require))
        headers.set(.retryAfter, "18000;duration=3600 (busy)")
        #expect(headers.retryAfter == 18000)
        headers.set(.contentType, "Application/SDP ; charset=utf-8")
        #expect(headers.mediaType == "application/sdp")
        headers.set(.contact, "*")
        #expect(headers.isContactStar && headers.contacts.isEmpty)
        headers.set(.expires, "99999999999999999999")
        #expect(headers.expires == .max)
        headers.set(.expires, "-1")
        #expect(headers.expires == nil)
    }

    @Test func viaValues() throws {
        let via = try #require(Via("SIP / 2.0 / udp [2001:db8::9:1]:5060 ; rport ; branch=z9hG4bKas3-111;received=2001:db8::9:255;ttl=16"))
        #expect(via.transport == "UDP" && via.sentBy == "[2001:db8::9:1]:5060" && via.hasRport && via.rport == nil)
        #expect(via.received == IPAddress("2001:db8::9:255") && via.hasUniqueBranch)
        #expect(Via(via.description) == via)
        for bad in ["", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 UDP a", "SIP/3.0/UDP a", "SIP/2.0/UDP a:x", "SIP/2.0/UDP a;", "SIP/2.0/UDP a b"] {
            #expect(Via(bad) == nil, "\(bad)")
        }
    }

    @Test(arguments: [
        "\"x <sip:a@b>", "\"x\" sip:a@b", "<sip:a@b", "<>", "", "sip:a@b;", "sip:a@b;=x", "<sip:a@b> x", "a, b <sip:c@d>", "<sip:a@b>;x=\"y",
    ])
    func malformedNameAddress(_ text: String) { #expect(NameAddress(text) == nil) }

    @Test func nameAddresses() throws {
        let bare = try #require(NameAddress("sip:a@b;tag=x;lr"))
        #expect(bare.tag == "x" && bare.uri.parameters.isEmpty && bare.description == "<sip:a@b>;tag=x;lr")
        let quoted = NameAddress(displayName: "Q \"\\ \r\nVia: x", uri: SIPURI(host: .name("h")))
        #expect(!quoted.description.utf8.contains(10) && NameAddress(quoted.description)?.displayName == "Q \"\\   Via: x")
        let instance = try #require(NameAddress("<sip:a@b>;+sip.instance=\"<urn:uuid:1,2>\";expires=30"))
        #expect(instance.parameters["+sip.instance"] == "<urn:uuid:1,2>" && instance.expires == 30)
        #expect(NameAddress(instance.description) == instance)
        #expect(NameAddress("Тест <sip:a@b>")?.displayName == "Тест")
    }
}
