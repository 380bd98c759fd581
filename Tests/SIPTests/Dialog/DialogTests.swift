import Core
import Testing

@testable import SIP

@Suite struct DialogTests {
    func invite(recordRoutes: [String] = []) -> SIPRequest {
        var request = TransactionTests.request(.invite)
        request.headers.remove(.route)
        request.headers.add(.contact, "<sip:a@192.0.2.1:5062>")
        for route in recordRoutes { request.headers.add(.recordRoute, route) }
        return request
    }

    func success(_ recordRoutes: [String], contact: String = "<sip:b@192.0.2.2:5064>") -> SIPResponse {
        var response = SIPResponse(to: invite(), status: 200, toTag: "their")
        response.headers.add(.contact, contact)
        for route in recordRoutes { response.headers.add(.recordRoute, route) }
        return response
    }

    @Test func looseRoutes() throws {
        var dialog = try #require(Dialog(request: invite(), response: success(["<sip:p2;lr>", "<sip:p1;lr>"])))
        let bye = dialog.makeRequest(.bye)
        #expect(bye.uri.description == "sip:b@192.0.2.2:5064")
        #expect(bye.headers.routes.map(\.uri.description) == ["sip:p1;lr", "sip:p2;lr"])
        #expect(dialog.nextHop.description == "sip:p1;lr")
        #expect(bye.headers.cSeq == CSeq(8, .bye))
        #expect(bye.headers.from?.tag == "1" && bye.headers.to?.tag == "their")
        #expect(dialog.makeAcknowledgement(of: invite()).headers.cSeq == CSeq(7, .ack))
    }

    /// §12.2.1.1: a first route without `lr` becomes the Request-URI, the target goes to the end of the routes.
    @Test func strictRoutes() throws {
        var dialog = try #require(Dialog(request: invite(), response: success(["<sip:p2;lr>", "<sip:p1>"])))
        let bye = dialog.makeRequest(.bye)
        #expect(bye.uri.description == "sip:p1")
        #expect(bye.headers.routes.map(\.uri.description) == ["sip:p2;lr", "sip:b@192.0.2.2:5064"])
        #expect(dialog.nextHop.description == "sip:p1")
    }

    @Test func calleesRoutesKeepTheirOrder() throws {
        var dialog = try #require(Dialog(incoming: invite(recordRoutes: ["<sip:p2;lr>, <sip:p1;lr>"]), localTag: "our"))
        let bye = dialog.makeRequest(.bye)
        #expect(bye.uri.description == "sip:a@192.0.2.1:5062")
        #expect(bye.headers.routes.map(\.uri.description) == ["sip:p2;lr", "sip:p1;lr"])
        #expect(bye.headers.from?.tag == "our" && bye.headers.to?.tag == "1")
        #expect(bye.headers.cSeq?.number == 1)
    }

    @Test func sequenceAndTarget() throws {
        var dialog = try #require(Dialog(incoming: invite(), localTag: "our"))
        var request = invite()
        var accepted: [Bool] = []
        for number in [UInt32(6), 900, 899, 900] {
            request.headers.cSeq = CSeq(number, .invite)
            accepted.append(dialog.accept(request))
        }
        #expect(accepted == [false, true, false, true])
        request.headers.set(.contact, "<sip:new@192.0.2.7>")
        dialog.refreshTarget(from: request.headers)
        #expect(dialog.remoteTarget.description == "sip:new@192.0.2.7")
    }

    @Test func earlyAndConfirmed() throws {
        var early = SIPResponse(to: invite(), status: 180, toTag: "their")
        #expect(Dialog(request: invite(), response: SIPResponse(to: invite(), status: 180)) == nil)
        early.headers.add(.recordRoute, "<sip:old;lr>")
        var dialog = try #require(Dialog(request: invite(), response: early))
        #expect(dialog.state == .early)
        dialog.confirm(with: success(["<sip:new;lr>"]))
        #expect(dialog.state == .confirmed)
        #expect(dialog.routeSet.map(\.uri.description) == ["sip:new;lr"])
    }
}
