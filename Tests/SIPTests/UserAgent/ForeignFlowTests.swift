import Core
import Testing

@testable import SIP

/// Requests inside a dialog that come by another way than the dialog.
@Suite struct ForeignFlowTests {
    let network = TestNetwork()

    /// A call over `transport` that the server answered, and the in-dialog request of the peer.
    func call(_ transport: SIPTransport) throws -> (Phone, Script, SessionID, SIPRequest) {
        let server = network.script("192.0.2.50")
        server.accepts = [transport]
        server.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            var response = SIPResponse(to: request, status: 200, toTag: "pbx")
            response.headers.add(.contact, "<sip:bob@192.0.2.50:5060;transport=\(transport == .wss ? .ws : transport)>")
            return [response.serialize()]
        }
        network.names["pbx.example"] = [server.address]
        let alice = network.phone("alice", "192.0.2.1")
        let id = network.call(alice, try #require(SIPURI("sip:bob@pbx.example:5060;transport=\(transport)")))
        network.run(until: 1)
        #expect(alice.story == ["answered 200 -"])
        let invite = try #require(server.requests(.invite).first)
        var headers = SIPHeaders()
        headers.add(.via, "SIP/2.0/\(transport.viaToken) 192.0.2.50;branch=z9hG4bKbye;rport")
        headers.add(.from, "<sip:bob@pbx.example>;tag=pbx")
        headers.from = invite.headers.to
        headers.from?.tag = "pbx"
        headers.to = invite.headers.from
        headers.callID = invite.headers.callID
        headers.cSeq = CSeq(7, .bye)
        headers.maxForwards = 70
        return (alice, server, id, SIPRequest(method: .bye, uri: alice.uri, headers: headers))
    }

    @Test(arguments: [SIPTransport.ws, .wss, .tls])
    func byeByAnotherWayIsRefused(transport: SIPTransport) throws {
        let (alice, server, _, bye) = try call(transport)
        // In clear, even from the server's own address; and by the same transport from elsewhere.
        let stranger = network.script("192.0.2.66")
        network.send(bye.serialize(), from: server.address, to: alice.address)
        let flow = SIPFlow(transport: transport, local: alice.address, remote: stranger.address, connection: ConnectionID(raw: 1000))
        network.tell(alice, .accepted(flow))
        var second = bye
        second.headers.topVia?.branch = "z9hG4bKsecond"
        if transport.isWebSocket {
            alice.agent.receive(second.serialize(), flow: flow, at: network.now)
        } else {
            alice.agent.receiveStream(second.serialize(), flow: flow, at: network.now)
        }
        network.run(until: 2)
        // Who comes by WebSocket to a listener of ours is a guest, and this one calls nobody here.
        #expect(alice.agent.strays.foreignFlow + alice.agent.strays.refusedGuests == 2)
        #expect(alice.sent.filter { $0.line == "SIP/2.0 403 Forbidden" }.count >= 1)
        #expect(alice.story == ["answered 200 -"])
        // By the dialog's own connection it counts.
        network.push(server, bye.serialize().replacing("z9hG4bKbye", with: "z9hG4bKthird"))
        network.run(until: 3)
        #expect(alice.story.last == "ended remote 200 bye")
    }

    /// Nothing can be said over UDP and TCP: a proxy may send from anywhere.
    @Test func tcpStaysAsItWas() throws {
        let (alice, server, _, bye) = try call(.tcp)
        network.send(bye.serialize(), from: server.address, to: alice.address)
        network.run(until: 2)
        #expect(alice.story.last == "ended remote 200 bye" && alice.agent.strays.foreignFlow == 0)
    }

    /// A forged ACK or CANCEL for a call that came by a WebSocket.
    @Test func cancelAndAcknowledgementAreCheckedToo() throws {
        let alice = network.phone("alice", "192.0.2.1")
        alice.rings()
        let flow = SIPFlow(
            transport: .wss, local: alice.address, remote: SocketAddress(.v4(0xC000_0250), 443), connection: ConnectionID(raw: 1000))
        network.tell(alice, .acceptedGuest(flow, uri: SIPURI(user: "alice", host: .ip(alice.address.ip))))
        let peer = network.script("192.0.2.9")
        let invite = String(decoding: peer.request("INVITE", "sip:alice@192.0.2.1", body: "x"), as: UTF8.self)
        alice.agent.receive(Array(invite.utf8), flow: flow, at: network.now)
        network.run(until: 0.5)
        network.send(peer.request("CANCEL", "sip:alice@192.0.2.1"), from: peer.address, to: alice.address)
        network.run(until: 1)
        #expect(peer.responses.map(\.status) == [403])
        let session = try #require(alice.session)
        network.tell(alice, .accept(session, body: [65]))
        let tag = alice.agent.sessions[session]?.localTag
        network.send(peer.request("ACK", "sip:alice@192.0.2.1", branch: "z9hG4bKack", toTag: tag), from: peer.address, to: alice.address)
        network.run(until: 2)
        #expect(alice.story == ["incoming x"] && alice.agent.strays.foreignFlow == 2)
    }
}

extension [UInt8] {
    fileprivate func replacing(_ old: String, with new: String) -> [UInt8] {
        Array(String(decoding: self, as: UTF8.self).replacing(old, with: new).utf8)
    }
}
