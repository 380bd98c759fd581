import Core
import Secure
import Testing

/// RFC 5922 §7: which certificate proves which name.
@Suite struct TLSNameTests {
    private func outcome(_ certificate: String, _ host: String, _ rules: TLSPeerName.Rules) throws -> TLSPair {
        let pair = TLSPair(TLSPeerName(host, rules: rules), client: try TLSFixture.client(), server: try TLSFixture.server(certificate))
        pair.run()
        return pair
    }

    @Test(arguments: [
        ("dns", "pbx.example", TLSPeerName.Rules.sip), ("dns", "PBX.Example.", .sip), ("dns", "second.example", .sip), ("dns", "pbx.example", .web),
        ("common-name", "pbx.example", .sip), ("common-name", "pbx.example", .web), ("sip-domain", "pbx.example", .sip),
        ("sip-domain", "host7.example", .web), ("address", "127.0.0.1", .sip), ("address", "[2001:db8::7]", .web), ("chained", "pbx.example", .sip),
    ])
    func theRightName(_ certificate: String, _ host: String, _ rules: TLSPeerName.Rules) throws {
        let pair = try outcome(certificate, host, rules)
        #expect(pair.client.failure == nil && pair.server.failure == nil)
        #expect(pair.client.negotiated?.version == "TLSv1.3")
        #expect(pair.client.negotiated?.cipher.hasPrefix("TLS_") == true)
        #expect(pair.server.negotiated != nil)
    }

    @Test(arguments: [
        ("dns", "other.example", TLSPeerName.Rules.sip, "certificate is for pbx.example, second.example, not other.example"),
        // No part of a name, no wildcard, no URI of another scheme.
        ("dns", "example", .sip, "certificate is for pbx.example, second.example, not example"),
        ("wildcard", "pbx.example", .sip, "certificate is for *.example, not pbx.example"),
        ("wildcard", "pbx.example", .web, "certificate is for *.example, not pbx.example"),
        // An alternative name of whatever kind takes the common name's place.
        ("common-name-and-alternative", "pbx.example", .sip, "certificate is for other.example, not pbx.example"),
        ("common-name-and-alternative", "pbx.example", .web, "certificate is for other.example, not pbx.example"),
        ("common-name-and-email", "pbx.example", .sip, "certificate names nobody, not pbx.example"),
        // Where a SIP domain stands, host names do not count for SIP, and the domain does not for the web.
        ("sip-domain", "host7.example", .sip, "certificate is for pbx.example, not host7.example"),
        ("sip-domain", "pbx.example", .web, "certificate is for host7.example, not pbx.example"),
        // A user is no domain, and sips: is not sip:.
        ("sip-user", "pbx.example", .sip, "certificate names nobody, not pbx.example"),
        ("address", "127.0.0.2", .sip, "certificate is for 127.0.0.1, 2001:db8::7, not 127.0.0.2"),
        ("dns", "127.0.0.1", .sip, "certificate is for pbx.example, second.example, not 127.0.0.1"),
    ])
    func theWrongName(_ certificate: String, _ host: String, _ rules: TLSPeerName.Rules, _ sentence: String) throws {
        let pair = try outcome(certificate, host, rules)
        #expect(pair.client.failure?.description == sentence)
        #expect(pair.client.negotiated == nil)
        // The server is told by an alert.
        #expect(pair.server.failure == .alert(42))
    }
}
