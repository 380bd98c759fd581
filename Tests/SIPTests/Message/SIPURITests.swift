import Core
import Testing

@testable import SIP

struct SIPURITests {
    @Test(arguments: [
        "sip:alice@atlanta.com", "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone", "sips:1212@gateway.com", "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com", "sip:[2001:db8::10]:5070;lr", "sip:bob@[2001:db8::9:1]", "tel:+1-201-555-0123;phone-context=x",
        "sip:*21%23@pbx.example", "sip:a_b.example:5061", "im:fred@example.com",
    ])
    func roundTrip(_ text: String) throws {
        let uri = try #require(SIPURI(text))
        #expect(uri.description == text)
        #expect(SIPURI(uri.description) == uri)
    }

    @Test(arguments: [
        "", "sip", "sip:", ":x", "sip:@host", "sip:user@", "sip:a@b@c", "sip:user@ho st", "<sip:a@b>",
        "sip:a@b:99999", "sip:a@b:", "sip:a@b:5x", "sip:%zz@b",
        "sip:a@[::1", "sip:a@[::g]", "sip:a@b;", "sip:a@b;;x", "sip:a@b;x=", "sip:a@b?",
        "sip:a@b?x", "sip:a@b?=y", "sip: a@b", "sip:a@b\r\nX: y", "sip::pw@host", "tel:",
    ])
    func malformed(_ text: String) { #expect(SIPURI(text) == nil, "\(text)") }

    @Test func parts() throws {
        let uri = try #require(SIPURI("SIPS:%61lice:pa%3Aw@EXAMPLE.com:5061;Transport=TCP;lr;maddr=239.255.255.1?a=b&c=%41"))
        #expect(uri.scheme == "sips" && uri.isSecure && uri.user == "alice" && uri.rawUser == "%61lice" && uri.password == "pa:w")
        #expect(uri.host == .name("example.com") && uri.port == 5061 && uri.transport == "tcp" && uri.isLooseRouter)
        #expect(uri.maddr == .ip(.v4(0xEFFF_FF01)) && uri.headers.count == 2)
        #expect(uri.asAddressOfRecord.description == "sips:%61lice@example.com:5061")
    }

    @Test func userIsEscaped() {
        var uri = SIPURI(user: "j@ck #1\r\n", host: .ip(.loopbackV6), port: 5060)
        #expect(uri.description == "sip:j%40ck%20%231%0D%0A@[::1]:5060")
        #expect(SIPURI(uri.description)?.user == "j@ck #1\r\n")
        uri.user = nil
        #expect(uri.description == "sip:[::1]:5060")
    }

    // RFC 3261 §19.1.4.
    @Test(arguments: [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"
        ),
        ("sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
    ])
    func equivalent(_ a: String, _ b: String) throws {
        let (a, b) = (try #require(SIPURI(a)), try #require(SIPURI(b)))
        #expect(a.isEquivalent(to: b) && b.isEquivalent(to: a))
    }

    @Test(arguments: [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"), ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"), ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"), ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"), ("sip:a@b", "sips:a@b"), ("sip:a%3Bb@c", "sip:a;b@c"),
    ])
    func different(_ a: String, _ b: String) throws {
        let (a, b) = (try #require(SIPURI(a)), try #require(SIPURI(b)))
        #expect(!a.isEquivalent(to: b) && !b.isEquivalent(to: a))
    }
}
