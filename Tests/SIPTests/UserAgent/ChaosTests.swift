import Core
import SIP
import Testing

/// Both persons do things at random moments over a bad link. Whatever happens, each session ends once and nothing is left.
@Suite struct ChaosTests {
    private static func act(_ phone: Phone, _ id: SessionID, _ network: TestNetwork, _ choice: UInt64, isCallee: Bool) {
        switch choice % 8 {
        case 0: network.tell(phone, .hangUp(id, reason: nil))
        case 1, 2: network.tell(phone, .reoffer(id, body: Array("again".utf8)))
        case 3: network.tell(phone, .reoffer(id, body: nil))
        case 4 where isCallee: network.tell(phone, .provisional(id, status: 183, body: Array("early".utf8)))
        case 5 where isCallee: network.tell(phone, .accept(id, body: Array("answer".utf8)))
        case 6: network.tell(phone, .acknowledge(id, body: Array("late".utf8)))
        case 7: network.tell(phone, .answerReoffer(id, body: Array("ok".utf8), status: choice % 16 == 7 ? 200 : 488))
        default: break
        }
    }

    @Test func randomActions() {
        var failures: [String] = []
        for seed in UInt64(1)...150 {
            let network = TestNetwork(seed: seed)
            let random = RandomSource(seed: seed &* 31)
            network.loss = Double(seed % 4) * 0.1
            network.duplication = 0.1
            network.jitter = 100
            let alice = network.phone("alice", "192.0.2.1")
            let bob = network.phone("bob", "192.0.2.2")
            let id = network.call(alice, bob.uri, body: seed % 3 == 0 ? nil : "offer")
            network.at(seconds: 1.5) { if let theirs = bob.session { network.tell(bob, .accept(theirs, body: Array("answer".utf8))) } }
            for _ in 0..<24 {
                let choice = random.next()
                let isCallee = random.next() % 2 == 0
                network.at(seconds: 0.1 + random.uniform() * 12) {
                    if !isCallee {
                        Self.act(alice, id, network, choice, isCallee: false)
                    } else if let theirs = bob.session {
                        Self.act(bob, theirs, network, choice, isCallee: true)
                    }
                }
            }
            network.run(until: 60)
            network.tell(alice, .shutdown)
            network.tell(bob, .shutdown)
            network.run(until: 300)
            let ends = [alice, bob].map { phone in phone.story.filter { $0.hasPrefix("ended") }.count }
            // An INVITE that never arrived made no session at the callee.
            let expected = bob.session == nil ? [1, 0] : [1, 1]
            if ends != expected || alice.leftovers != noLeftovers || bob.leftovers != noLeftovers {
                failures.append("seed \(seed): \(alice.story) \(bob.story) \(alice.leftovers) \(bob.leftovers)")
            }
        }
        #expect(failures == [])
    }

    @Test func bothHangUpAtOnce() {
        let network = TestNetwork()
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers()
        let id = network.call(alice, bob.uri)
        network.run(until: 2)
        network.tell(alice, .hangUp(id, reason: nil))
        if let theirs = bob.session { network.tell(bob, .hangUp(theirs, reason: nil)) }
        network.run(until: 2.5)
        #expect(alice.agent.isSettled && bob.agent.isSettled)
        #expect([alice.sent.last?.line, bob.sent.last?.line] == ["SIP/2.0 200 OK", "SIP/2.0 200 OK"])
        network.run(until: 80)
        #expect([alice.story.last, bob.story.last] == ["ended local 200 bye", "ended local 200 bye"])
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }
}
