import Core
import Foundation
import Testing

@testable import SIP

/// What Asterisk, pjsip, baresip, Kamailio and the browsers' JavaScript stacks really sent.
struct PeerMessageTests {
    static let names = (try? Fixture.names("peers")) ?? []

    @Test func fixturesAreThere() { #expect(PeerMessageTests.names.count > 30) }

    @Test(arguments: names)
    func roundTrip(_ name: String) throws {
        let message = try SIPMessage.parse(try Fixture.bytes("peers/\(name)"))
        let again = try SIPMessage.parse(message.serialize())
        #expect(again.body == message.body && again.startLine == message.startLine)
        #expect(again.headers.fields.filter { $0.name != .contentLength } == message.headers.fields.filter { $0.name != .contentLength })
        let headers = message.headers
        #expect(headers.topVia?.hasUniqueBranch == true && headers.from?.tag != nil && headers.callID?.isEmpty == false)
        #expect(headers.vias.count == headers.values(.via).count)
        #expect(headers.contacts.count == headers.values(.contact).count && headers.recordRoutes.count == headers.values(.recordRoute).count)
        for via in headers.vias { #expect(Via(via.description) == via) }
        for address in [headers.from, headers.to].compactMap({ $0 }) + headers.contacts + headers.recordRoutes {
            #expect(NameAddress(address.description) == address)
        }
        if headers.mediaType == "application/sdp" { #expect(message.body.starts(with: Array("v=0\r\n".utf8))) }
    }

    @Test func kamailioRoutes() throws {
        let headers = try SIPMessage.parse(try Fixture.bytes("peers/kamailio-to-baresip-invite-from-browser-0.sip")).headers
        #expect(headers.recordRoutes.map(\.uri.isLooseRouter) == [true, true])
        #expect(headers.recordRoutes.last?.uri.transport == "ws" && headers.recordRoutes.last?.uri.parameters["ftag"] == "d6nefqh7")
        #expect(headers.vias.last?.rport == 58242 && headers.contacts.first?.uri.parameters["alias"] == "10.77.0.1~58242~5")
    }

    @Test func asteriskOffersTwoDigests() throws {
        let message = try SIPMessage.parse(try Fixture.bytes("peers/asterisk-101-plain-01.sip"))
        let challenges = DigestChallenge.challenges(in: message.headers)
        #expect(challenges.map(\.algorithm) == [.md5, .sha256] && DigestChallenge.strongest(challenges).map(\.algorithm) == [.sha256])
    }
}
