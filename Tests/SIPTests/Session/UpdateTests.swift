import Core
import Testing

@testable import SIP

/// UPDATE from the peer (RFC 3311) in every state of a session.
@Suite struct UpdateTests {
    let network = TestNetwork()

    func update(_ peer: Script, _ tag: String?, _ cSeq: Int, body: String = "offer2", contact: String? = nil) -> [UInt8] {
        let bytes = peer.request("UPDATE", "sip:bob@192.0.2.2", branch: "z9hG4bKu\(cSeq)", cSeq: cSeq, toTag: tag, body: body)
        guard let contact else { return bytes }
        let text = String(decoding: bytes, as: UTF8.self).replacing("Contact: <sip:stranger@\(peer.address)>", with: "Contact: <\(contact)>")
        return Array(text.utf8)
    }

    func ring(offer: String = "x") -> (Phone, Script, String?) {
        let bob = network.phone("bob", "192.0.2.2")
        let peer = network.script("192.0.2.9")
        bob.rings()
        network.send(peer.request("INVITE", "sip:bob@192.0.2.2", body: offer), from: peer.address, to: bob.address)
        network.run(until: 0.5)
        return (bob, peer, peer.responses.last?.headers.to?.tag)
    }

    @Test func isListed() {
        let (_, peer, _) = ring()
        #expect(peer.responses.last?.status == 180)
        #expect(peer.responses.last?.headers.allow.contains(.update) == true)
    }

    /// The INVITE's offer has no answer yet: 500 with a time; without an offer it only moves the target.
    @Test func inAnEarlyDialog() throws {
        let (bob, peer, tag) = ring()
        network.send(update(peer, tag, 2), from: peer.address, to: bob.address)
        network.run(until: 1)
        #expect(peer.responses.last?.status == 500)
        #expect((peer.responses.last?.headers.retryAfter).map { $0 <= 10 } == true)
        network.send(update(peer, tag, 3, body: "", contact: "sip:moved@192.0.2.9:5099"), from: peer.address, to: bob.address)
        network.run(until: 2)
        #expect(peer.responses.last?.status == 200 && peer.responses.last?.headers.cSeq?.method == .update)
        #expect(bob.story == ["incoming x"])
        let session = try #require(bob.session)
        #expect(bob.agent.sessions[session]?.dialogs.values.first?.remoteTarget.description == "sip:moved@192.0.2.9:5099")
    }

    /// The caller's own offer waits: 491.
    @Test func toTheCallerWhileItsOfferWaits() throws {
        let alice = network.phone("alice", "192.0.2.1")
        let peer = network.script("192.0.2.9")
        peer.react = { message in
            guard case .request(let request) = message, request.method == .invite else { return [] }
            return [SIPResponse(to: request, status: 180, toTag: "t").serialize()]
        }
        _ = network.call(alice, SIPURI(user: "peer", host: .ip(peer.address.ip)))
        network.run(until: 0.5)
        let invite = try #require(peer.requests(.invite).first)
        var headers = SIPHeaders()
        headers.add(.via, "SIP/2.0/UDP \(peer.address);branch=z9hG4bKup;rport")
        headers.from = invite.headers.to
        headers.from?.tag = "t"
        headers.to = invite.headers.from
        headers.callID = invite.headers.callID
        headers.cSeq = CSeq(1, .update)
        headers.contentType = "application/sdp"
        let request = SIPRequest(method: .update, uri: alice.uri, headers: headers, body: [65])
        network.send(request.serialize(), from: peer.address, to: alice.address)
        network.run(until: 1)
        #expect(peer.responses.last?.status == 491 && alice.story == ["180 -"])
    }

    /// As pjsip does after ICE: a full offer, before the ACK and after.
    @Test(arguments: [false, true])
    func inAConfirmedDialog(afterAcknowledgement: Bool) throws {
        let (bob, peer, tag) = ring()
        let session = try #require(bob.session)
        bob.answers()
        network.tell(bob, .accept(session, body: [65]))
        network.run(until: 0.6)
        if afterAcknowledgement {
            network.send(peer.request("ACK", "sip:bob@192.0.2.2", branch: "z9hG4bKack", toTag: tag), from: peer.address, to: bob.address)
            network.run(until: 0.7)
        }
        network.send(update(peer, tag, 2), from: peer.address, to: bob.address)
        network.run(until: 0.9)
        let response = try #require(peer.responses.last { $0.headers.cSeq?.method == .update })
        #expect(response.status == 200 && response.body == Array("answer2".utf8))
        #expect(response.headers.contains(.contact))
        #expect(bob.story.last == "reoffered offer2")
    }

    /// Our offer in the 2xx has no answer before the ACK: theirs has to wait.
    @Test func whileOurOfferWaits() throws {
        let (bob, peer, tag) = ring(offer: "")
        let session = try #require(bob.session)
        network.tell(bob, .accept(session, body: [65]))
        network.send(update(peer, tag, 2), from: peer.address, to: bob.address)
        network.run(until: 0.9)
        #expect(peer.responses.last { $0.headers.cSeq?.method == .update }?.status == 491)
        #expect(bob.story == ["incoming -"])
    }
}
