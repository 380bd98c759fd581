import Core
import SIP
import Testing

@Suite struct CallTests {
    @Test func callIsAnsweredAndHungUp() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers()
        let id = network.call(alice, bob.uri)
        network.run(until: 5)
        network.tell(alice, .hangUp(id, reason: "done"))
        network.run(until: 80)
        #expect(alice.story == ["180 -", "answered 200 answer", "ended local 200 bye"])
        #expect(bob.story == ["incoming offer", "acknowledged -", "ended remote 200 bye"])
        #expect(alice.leftovers == noLeftovers)
        #expect(bob.leftovers == noLeftovers)
        if case .ended(_, let end) = bob.events.last?.event { #expect(end.reason == "done") }
    }

    @Test func calleeHangsUp() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers()
        _ = network.call(alice, bob.uri)
        network.run(until: 3)
        if let id = bob.session { network.tell(bob, .hangUp(id, reason: nil)) }
        network.run(until: 80)
        #expect(alice.story.last == "ended remote 200 bye")
        #expect(bob.story.last == "ended local 200 bye")
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func offerInSuccessAndAnswerInAcknowledgement() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers("their offer")
        let id = network.call(alice, bob.uri, body: nil)
        alice.react = { event in
            if case .answered = event { return [.acknowledge(id, body: Array("our answer".utf8))] }
            return []
        }
        network.run(until: 3)
        #expect(alice.story == ["180 -", "answered 200 their offer"])
        #expect(bob.story == ["incoming -", "acknowledged our answer"])
    }

    @Test func earlyMediaIsReported() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.react = { event in
            if case .incomingCall(let id, _) = event { return [.provisional(id, status: 183, body: Array("early".utf8))] }
            return []
        }
        _ = network.call(alice, bob.uri)
        network.run(until: 65)
        // The provisional response is repeated each minute.
        #expect(alice.story == ["183 early", "183 early"])
    }

    @Test func cancelGets487() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.rings()
        let id = network.call(alice, bob.uri)
        network.run(until: 3)
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 80)
        #expect(alice.story == ["180 -", "ended local - cancelled"])
        #expect(bob.story == ["incoming offer", "ended remote 487 cancelled"])
        #expect(bob.sent.map(\.line).suffix(2) == ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"])
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func cancelWaitsForProvisional() {
        let network = TestNetwork()
        network.delay = 300
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.rings()
        let id = network.call(alice, bob.uri)
        network.run(until: 0.1)
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 0.55)
        #expect(!alice.sent.contains { $0.line.hasPrefix("CANCEL") })
        network.run(until: 80)
        #expect(alice.sent.contains { $0.line.hasPrefix("CANCEL") })
        #expect(bob.story == ["incoming offer", "ended remote 487 cancelled"])
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func cancelMeetsSuccess() {
        let network = TestNetwork()
        network.delay = 100
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.rings()
        let id = network.call(alice, bob.uri)
        network.run(until: 2)
        network.tell(alice, .hangUp(id, reason: nil))
        if let theirs = bob.session { network.tell(bob, .accept(theirs, body: Array("answer".utf8))) }
        network.run(until: 80)
        #expect(alice.story == ["180 -", "ended local - cancelled"])
        #expect(bob.story == ["incoming offer", "acknowledged -", "ended remote 200 bye"])
        #expect(alice.sent.contains { $0.line.hasPrefix("BYE") })
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test(arguments: [(486, "rejected"), (603, "rejected"), (404, "rejected"), (480, "rejected")])
    func rejection(status: Int, cause: String) {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.react = { event in
            if case .incomingCall(let id, _) = event { return [.reject(id, status: status, reason: nil)] }
            return []
        }
        _ = network.call(alice, bob.uri)
        network.run(until: 80)
        #expect(alice.story == ["ended remote \(status) \(cause)"])
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func refusedOfferIsMadeAgainWithinTheCall() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.react = { event in
            guard case .incomingCall(let id, let call) = event else { return [] }
            return call.offer == Array("second".utf8) ? [.accept(id, body: [65])] : [.reject(id, status: 488, reason: nil)]
        }
        alice.react = { event in
            if case .rejected(let id, _, _, _) = event { return [.retry(id, body: Array("second".utf8))] }
            return []
        }
        let id = network.call(alice, bob.uri)
        network.run(until: 5)
        #expect(alice.story == ["rejected 488", "answered 200 A"])
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 80)
        let calls = bob.events.compactMap { if case .incomingCall(_, let call) = $0.event { call } else { nil } }
        #expect(calls.count == 2 && calls[0].callID == calls[1].callID && calls[0].from.tag == calls[1].from.tag)
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func lostAcknowledgementEndsTheCall() {
        let network = TestNetwork()
        network.drops = { $0.starts(with: Array("ACK".utf8)) }
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers(ringing: false)
        _ = network.call(alice, bob.uri)
        network.run(until: 120)
        #expect(bob.story == ["incoming offer", "ended local 200 noAck"])
        #expect(alice.story == ["answered 200 answer", "ended remote 200 bye"])
        // 2xx at 0, 0.5, 1.5, 3.5, 7.5, then each 4 s: RFC 3261 §13.3.1.4. The caller acknowledges each one.
        let repeats = bob.sent.filter { $0.line == "SIP/2.0 200 OK" }.map { $0.at.milliseconds(since: bob.sent[0].at) }
        #expect(repeats == [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500])
        #expect(alice.sent.filter { $0.line.hasPrefix("ACK") }.count == 11)
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    /// The callee answers, but no 2xx arrives: its BYE ends the caller's waiting too.
    @Test func lostSuccessEndsTheCall() {
        let network = TestNetwork()
        network.drops = { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            return text.hasPrefix("SIP/2.0 200") && text.contains(" INVITE\r\n")
        }
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers()
        _ = network.call(alice, bob.uri)
        network.run(until: 120)
        #expect(alice.story == ["180 -", "ended remote - bye"])
        #expect(bob.story == ["incoming offer", "ended local 200 noAck"])
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func moreCallsThanAllowedAreBusy() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(maximumCalls: 1))
        bob.answers()
        _ = network.call(alice, bob.uri)
        network.run(until: 1)
        _ = network.call(alice, bob.uri)
        network.run(until: 2)
        #expect(alice.story.last == "ended remote 486 rejected")
        #expect(bob.agent.activeSessionCount == 1)
    }

    @Test func silenceIsATimeoutAndICMPIsNot() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let nobody = network.script("192.0.2.9")
        let target = SIPURI(user: "x", host: .ip(nobody.address.ip), port: 5060)
        _ = network.call(alice, target)
        network.run(until: 40)
        #expect(alice.story == ["ended remote - timeout"])
        #expect(alice.events.first?.at == .zero + .seconds(32))
        _ = network.call(alice, target)
        network.run(until: 40.1)
        network.tell(alice, .unreachable(.udp, nobody.address))
        #expect(alice.story.last == "ended remote - unreachable")
        _ = network.call(alice, SIPURI(user: "x", host: .name("nowhere.example")))
        network.run(until: 50)
        #expect(alice.story.last == "ended remote - unreachable")
        #expect(alice.leftovers == noLeftovers)
    }

    @Test func ringLimitAndShutdown() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(ringLimit: .seconds(20)))
        bob.rings()
        _ = network.call(alice, bob.uri)
        network.run(until: 25)
        #expect(alice.story.last == "ended remote 480 rejected")
        bob.answers()
        _ = network.call(alice, bob.uri)
        network.run(until: 30)
        network.tell(bob, .shutdown)
        #expect(!bob.agent.isSettled)
        network.run(until: 31)
        #expect(bob.agent.isSettled)
        #expect(alice.story.last == "ended remote 200 bye")
        _ = network.call(alice, bob.uri)
        network.run(until: 100)
        #expect(alice.story.last == "ended remote 480 rejected")
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }
}
