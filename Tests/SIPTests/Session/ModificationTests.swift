import Core
import SIP
import Testing

/// Re-INVITE, UPDATE, INFO and what else comes inside a dialog.
@Suite struct ModificationTests {
    let network = TestNetwork()

    func callUp() -> (alice: Phone, bob: Phone, SessionID, SessionID) {
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers(ringing: false)
        alice.react = { event in
            if case .reoffered(let id, _) = event { return [.answerReoffer(id, body: Array("alice2".utf8), status: 200)] }
            return []
        }
        let id = network.call(alice, bob.uri)
        network.run(until: 1)
        return (alice, bob, id, bob.session ?? id)
    }

    @Test func reofferByEitherSide() {
        let (alice, bob, id, theirs) = callUp()
        network.tell(alice, .reoffer(id, body: Array("hold".utf8)))
        network.run(until: 2)
        #expect(Array(alice.story.suffix(1)) == ["reofferAnswered answer2"])
        #expect(Array(bob.story.suffix(1)) == ["reoffered hold"])
        network.tell(bob, .reoffer(theirs, body: Array("hold2".utf8)))
        network.run(until: 3)
        #expect(Array(bob.story.suffix(1)) == ["reofferAnswered alice2"])
        #expect(Array(alice.story.suffix(1)) == ["reoffered hold2"])
        network.tell(bob, .hangUp(theirs, reason: nil))
        network.run(until: 80)
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func reofferWithoutOfferIsAnsweredInTheAcknowledgement() {
        let (alice, bob, id, _) = callUp()
        alice.react = { event in
            if case .reofferAnswered = event { return [.acknowledge(id, body: Array("in ack".utf8))] }
            return []
        }
        network.tell(alice, .reoffer(id, body: nil))
        network.run(until: 3)
        #expect(Array(bob.story.suffix(2)) == ["reoffered -", "acknowledged in ack"])
        #expect(bob.sent.filter { $0.line == "SIP/2.0 200 OK" }.count == 2)
    }

    @Test func refusedReofferLeavesTheCall() {
        let (alice, bob, id, _) = callUp()
        bob.react = { event in
            if case .reoffered(let id, _) = event { return [.answerReoffer(id, body: nil, status: 488)] }
            return []
        }
        network.tell(alice, .reoffer(id, body: [65]))
        network.run(until: 3)
        #expect(alice.story.last == "reofferFailed 488")
        #expect(alice.agent.activeSessionCount == 1)
    }

    /// Both at once: 491 on both sides, and each comes again at its own time (§14.1).
    @Test(arguments: 1...5)
    func glare(seed: Int) {
        let network = TestNetwork(seed: UInt64(seed))
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers(ringing: false)
        alice.react = { event in
            if case .reoffered(let id, _) = event { return [.answerReoffer(id, body: Array("alice2".utf8), status: 200)] }
            return []
        }
        let id = network.call(alice, bob.uri)
        network.run(until: 1)
        guard let theirs = bob.session else { return }
        network.tell(alice, .reoffer(id, body: Array("a".utf8)))
        network.tell(bob, .reoffer(theirs, body: Array("b".utf8)))
        network.run(until: 1.1)
        #expect(alice.sent.contains { $0.line == "SIP/2.0 491 Request Pending" })
        network.run(until: 20)
        #expect(alice.story.contains("reofferAnswered answer2") && alice.story.contains("reoffered b"))
        #expect(bob.story.contains("reofferAnswered alice2") && bob.story.contains("reoffered a"))
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 90)
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    /// Requests of a peer inside the dialog, by hand.
    func scriptedCall() -> (Phone, Script, String) {
        let bob = network.phone("bob", "192.0.2.2")
        let peer = network.script("192.0.2.9")
        bob.answers(ringing: false)
        network.send(peer.request("INVITE", "sip:bob@192.0.2.2", body: "offer"), from: peer.address, to: bob.address)
        network.run(until: 0.1)
        let tag = peer.responses.last?.headers.to?.tag ?? ""
        network.send(peer.request("ACK", "sip:bob@192.0.2.2", branch: "z9hG4bKack", toTag: tag), from: peer.address, to: bob.address)
        network.run(until: 1)
        return (bob, peer, tag)
    }

    func ask(
        _ phone: Phone, _ peer: Script, _ tag: String, _ method: String, _ cSeq: Int, extra: [String] = [], body: String = ""
    ) -> SIPResponse? {
        let bytes = peer.request(
            method, "sip:bob@192.0.2.2", branch: "z9hG4bK\(method)\(cSeq)", cSeq: cSeq, toTag: tag, extra: extra, body: body)
        network.send(bytes, from: peer.address, to: phone.address)
        network.run(until: network.now.milliseconds(since: .zero) / 1000 + 0.1)
        return peer.responses.last { $0.headers.cSeq?.number == UInt32(cSeq) }
    }

    @Test func requestsInsideTheDialog() {
        let (bob, peer, tag) = scriptedCall()
        #expect(bob.story == ["incoming offer", "acknowledged -"])
        let relay = ["Content-Type: application/dtmf-relay"]
        #expect(ask(bob, peer, tag, "INFO", 2, extra: relay, body: "Signal=5\r\nDuration=250\r\n")?.status == 200)
        #expect(bob.story.last == "dtmf 5 250")
        #expect(ask(bob, peer, tag, "INFO", 3)?.status == 200)
        #expect(ask(bob, peer, tag, "INFO", 4, extra: ["Content-Type: text/plain"], body: "x")?.status == 415)
        #expect(ask(bob, peer, tag, "INFO", 5, extra: ["Info-Package: foo"])?.status == 469)
        #expect(ask(bob, peer, tag, "UPDATE", 6)?.status == 200)
        #expect(ask(bob, peer, tag, "UPDATE", 7, body: "new")?.body == Array("answer2".utf8))
        #expect(bob.story.last == "reoffered new")
        #expect(ask(bob, peer, tag, "OPTIONS", 8)?.status == 200)
        #expect(ask(bob, peer, tag, "NOTIFY", 9)?.status == 405)
        #expect(ask(bob, peer, tag, "UPDATE", 3)?.status == 500)
        #expect(ask(bob, peer, "other", "BYE", 10)?.status == 481)
        #expect(ask(bob, peer, tag, "BYE", 11, extra: ["Reason: Q.850;cause=16;text=\"bye, bye\""])?.status == 200)
        #expect(bob.story.last == "ended remote 200 bye")
        if case .ended(_, let end) = bob.events.last?.event { #expect(end.reason == "bye, bye") }
        #expect(ask(bob, peer, tag, "INFO", 12)?.status == 481)
        network.run(until: 80)
        #expect(bob.leftovers == noLeftovers)
    }

    /// A BYE before any answer: both are answered.
    @Test func byeOnAnEarlyDialog() {
        let bob = network.phone("bob", "192.0.2.2")
        let peer = network.script("192.0.2.9")
        bob.rings()
        network.send(peer.request("INVITE", "sip:bob@192.0.2.2", body: "offer"), from: peer.address, to: bob.address)
        network.run(until: 0.1)
        let tag = peer.responses.last?.headers.to?.tag ?? ""
        #expect(ask(bob, peer, tag, "BYE", 2)?.status == 200)
        #expect(peer.responses.contains { $0.status == 487 })
        #expect(bob.story.last == "ended remote 487 cancelled")
    }

    @Test(arguments: [
        ("Signal=5\r\nDuration=160\r\n", "5", 160), ("Signal= *\nDuration= 99999", "*", 8000), ("#", "#", 160), ("Signal=11", "#", 160),
        ("signal=d", "D", 160),
    ])
    func dtmfRelay(body: String, digit: String, duration: Int) {
        let (bob, peer, tag) = scriptedCall()
        _ = ask(bob, peer, tag, "INFO", 2, extra: ["Content-Type: application/dtmf-relay"], body: body)
        #expect(bob.story.last == "dtmf \(digit) \(duration)")
    }
}
