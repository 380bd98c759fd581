import Core
import SIP
import Testing

/// Requests of strangers outside of dialogs (RFC 3261 §8.2).
@Suite struct AdmissionTests {
    let network = TestNetwork()

    func ask(_ build: (Script) -> [UInt8]) -> (SIPResponse?, Phone) {
        let bob = network.phone("bob", "192.0.2.2")
        let peer = network.script("192.0.2.9")
        network.send(build(peer), from: peer.address, to: bob.address)
        network.run(until: 0.15)
        return (peer.responses.last, bob)
    }

    @Test func optionsTellsWhatWeCan() {
        let (response, _) = ask { $0.request("OPTIONS", "sip:bob@192.0.2.2") }
        #expect(response?.status == 200)
        #expect(response?.headers.allow.contains(.invite) == true)
        #expect(response?.headers[.accept] == "application/sdp")
        #expect(response?.headers.contains(.supported) == true)
        #expect(response?.headers.to?.tag != nil)
        #expect(response?.headers.topVia?.rport == 5060 && response?.headers.topVia?.received == IPAddress("192.0.2.9"))
    }

    @Test(arguments: [
        ("JUMP", "sip:bob@192.0.2.2", "", "", 501), ("REGISTER", "sip:192.0.2.2", "", "", 405), ("MESSAGE", "sip:bob@192.0.2.2", "", "", 405),
        ("INVITE", "tel:+123", "", "", 416), ("INVITE", "sip:bob@192.0.2.2", "Require: magic, 100rel", "", 420),
        ("INVITE", "sip:bob@192.0.2.2", "Content-Type: text/plain", "hello", 415),
        ("INVITE", "sip:bob@192.0.2.2", "Content-Encoding: gzip", "hello", 415), ("BYE", "sip:bob@192.0.2.2", "", "", 481),
        ("CANCEL", "sip:bob@192.0.2.2", "", "", 481), ("INVITE", "sip:bob@192.0.2.2", "CSeq: 1 INVITE", "", 400),
        ("INVITE", "sip:bob@192.0.2.2", "Max-Forwards: x", "", 400),
    ])
    func refusals(method: String, uri: String, extra: String, body: String, status: Int) {
        let (response, bob) = ask { $0.request(method, uri, extra: extra.isEmpty ? [] : [extra], body: body) }
        #expect(response?.status == status)
        #expect(bob.story == [])
        if status == 420 { #expect(response?.headers.unsupported == ["magic", "100rel"]) }
        if status == 405 { #expect(response?.headers.allow.contains(.bye) == true) }
        network.run(until: 80)
        #expect(bob.leftovers == noLeftovers)
    }

    @Test func optionalBodyIsIgnored() {
        let extra = ["Content-Type: text/plain", "Content-Disposition: render;handling=optional"]
        let (_, bob) = ask { $0.request("INVITE", "sip:bob@192.0.2.2", extra: extra, body: "hello") }
        #expect(bob.story == ["incoming -"])
    }

    /// The same request over two paths (§8.2.2.2).
    @Test func mergedRequestIsRefused() {
        let (_, bob) = ask { $0.request("INVITE", "sip:bob@192.0.2.2", body: "x") }
        let peer = network.script("192.0.2.10")
        network.send(peer.request("INVITE", "sip:bob@192.0.2.2", branch: "z9hG4bKother", body: "x"), from: peer.address, to: bob.address)
        network.run(until: 1)
        #expect(Set(peer.responses.map(\.status)) == [482])
        #expect(bob.story == ["incoming x"])
    }

    @Test func straysOnlyCount() {
        let (_, bob) = ask { _ in Array("nonsense\r\n\r\n".utf8) }
        let peer = network.script("192.0.2.9")
        network.send(Array("\r\n\r\n".utf8), from: peer.address, to: bob.address)
        network.send(peer.request("ACK", "sip:bob@192.0.2.2", toTag: "x"), from: peer.address, to: bob.address)
        let lines = [
            "SIP/2.0 200 OK", "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx", "From: <sip:a@b>;tag=1", "To: <sip:a@b>", "Call-ID: 1", "CSeq: 1 INVITE",
        ]
        let response = lines.joined(separator: "\r\n") + "\r\n\r\n"
        network.send(Array(response.utf8), from: peer.address, to: bob.address)
        network.run(until: 1)
        #expect(bob.agent.strays.malformed == 1)
        #expect(bob.agent.strays.acknowledgements == 1)
        #expect(bob.agent.strays.responses == 1)
        #expect(peer.received.isEmpty && bob.leftovers == noLeftovers)
    }

    @Test func transactionsAreLimited() {
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(maximumServerTransactions: 3))
        let peer = network.script("192.0.2.9")
        for i in 0..<5 {
            network.send(peer.request("OPTIONS", "sip:bob@192.0.2.2", branch: "z9hG4bK\(i)", callID: "c\(i)"), from: peer.address, to: bob.address)
        }
        network.run(until: 1)
        #expect(peer.responses.map(\.status) == [200, 200, 200, 503, 503])
        #expect(bob.agent.strays.refusedTransactions == 2 && bob.agent.counts.serverTransactions == 3)
    }

    /// Without `rport` the answer goes to sent-by's port, with it to the source (RFC 3581).
    @Test func answersFindTheirWay() {
        let bob = network.phone("bob", "192.0.2.2")
        let peer = network.script("192.0.2.9")
        let source = SocketAddress(peer.address.ip, 7777)
        var bytes = String(decoding: peer.request("OPTIONS", "sip:bob@192.0.2.2"), as: UTF8.self)
        network.send(Array(bytes.utf8), from: source, to: bob.address)
        network.run(until: 0.5)
        #expect(peer.responses.isEmpty)
        bytes = bytes.replacing(";rport", with: "").replacing("stranger", with: "second")
        network.send(Array(bytes.utf8), from: source, to: bob.address)
        network.run(until: 1)
        #expect(peer.responses.count == 1)
    }

    /// RFC 2543: no branch, no cookie; a whole call.
    @Test func oldPeerIsServed() {
        let bob = network.phone("bob", "192.0.2.2")
        let peer = network.script("192.0.2.9")
        bob.rings()
        for method in ["INVITE", "CANCEL"] {
            network.send(peer.request(method, "sip:bob@192.0.2.2", branch: nil), from: peer.address, to: bob.address)
            network.run(until: network.now.milliseconds(since: .zero) / 1000 + 0.1)
        }
        #expect(peer.responses.map(\.status) == [180, 200, 487])
        let tag = peer.responses.last?.headers.to?.tag
        network.send(peer.request("ACK", "sip:bob@192.0.2.2", branch: nil, toTag: tag), from: peer.address, to: bob.address)
        network.run(until: 20)
        #expect(peer.responses.count == 3)
        network.run(until: 80)
        #expect(bob.leftovers == noLeftovers)
    }

    // MARK: a socket that nobody asked for

    @Test(arguments: ["INVITE", "OPTIONS"]) func strangersAreRefusedWhereWeOnlySend(method: String) {
        let bob = network.phone("bob", "192.0.2.2")
        network.tell(bob, .sendsOnly(SocketAddress(.anyV4, bob.address.port)))
        let peer = network.script("192.0.2.9")
        network.send(peer.request(method, "sip:bob@192.0.2.2", body: method == "INVITE" ? "x" : ""), from: peer.address, to: bob.address)
        network.run(until: 0.15)
        #expect(peer.responses.map(\.status).last == 403 && bob.story == [])
        network.run(until: 80)
        #expect(bob.leftovers == noLeftovers)
    }

    /// What we began goes on there, and the server at which we registered may bring calls.
    @Test func whatWeBeganGoesOnWhereWeOnlySend() throws {
        let alice = network.phone("alice", "192.0.2.1")
        network.tell(alice, .sendsOnly(SocketAddress(.anyV4, alice.address.port)))
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers()
        _ = network.call(alice, bob.uri)
        network.run(until: 1)
        for (_, event) in bob.events { if case .incomingCall(let session, _) = event { network.tell(bob, .hangUp(session, reason: nil)) } }
        network.run(until: 2)
        #expect(alice.story.last == "ended remote 200 bye")

        let server = network.script("192.0.2.50")
        network.names["pbx.example"] = [server.address]
        network.tell(alice, .addAccount(SIPAccount(id: "a", uri: try #require(SIPURI("sip:alice@pbx.example")))))
        network.tell(alice, .register("a"))
        network.run(until: 3)
        network.send(server.request("INVITE", "sip:alice@192.0.2.1", body: "x"), from: server.address, to: alice.address)
        network.run(until: 4)
        #expect(alice.story.last == "incoming x")
    }
}
