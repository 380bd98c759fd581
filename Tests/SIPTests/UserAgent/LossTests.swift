import Core
import SIP
import Testing

@Suite struct LossTests {
    /// Loss, duplicates and reordering: every call connects and ends, and nothing is left.
    @Test func hundredSeedsAtTwentyPercent() {
        var failures: [String] = []
        for seed in UInt64(1)...100 {
            let network = TestNetwork(seed: seed)
            network.loss = 0.2
            network.duplication = 0.1
            network.jitter = 80
            let alice = network.phone("alice", "192.0.2.1")
            let bob = network.phone("bob", "192.0.2.2")
            bob.answers()
            let id = network.call(alice, bob.uri)
            network.run(until: 40)
            let isUp = alice.story.contains("answered 200 answer") && bob.story.contains("acknowledged -")
            if seed % 2 == 0 {
                network.tell(alice, .hangUp(id, reason: nil))
            } else if let theirs = bob.session {
                network.tell(bob, .hangUp(theirs, reason: nil))
            }
            network.run(until: 160)
            let ended = alice.story.last?.hasPrefix("ended") == true && bob.story.last?.hasPrefix("ended") == true
            if !isUp || !ended || alice.leftovers != noLeftovers || bob.leftovers != noLeftovers {
                failures.append("seed \(seed): \(alice.story) \(bob.story) \(alice.leftovers) \(bob.leftovers)")
            }
        }
        #expect(failures == [])
    }

    /// CANCEL at a random moment around the answer: both sides end, nothing is left.
    @Test func hundredCancelsAroundTheAnswer() {
        var failures: [String] = []
        for seed in UInt64(1)...100 {
            let network = TestNetwork(seed: seed)
            network.loss = 0.1
            network.jitter = 60
            let alice = network.phone("alice", "192.0.2.1")
            let bob = network.phone("bob", "192.0.2.2")
            bob.rings()
            let id = network.call(alice, bob.uri)
            network.at(seconds: 2) {
                if let theirs = bob.session { network.tell(bob, .accept(theirs, body: Array("answer".utf8))) }
            }
            network.at(seconds: 1.9 + Double(seed) * 0.004) { network.tell(alice, .hangUp(id, reason: nil)) }
            network.run(until: 200)
            let ends = [alice, bob].filter { $0.story.filter { $0.hasPrefix("ended") }.count == 1 }.count
            if ends != 2 || alice.leftovers != noLeftovers || bob.leftovers != noLeftovers {
                failures.append("seed \(seed): \(alice.story) \(bob.story) \(alice.leftovers) \(bob.leftovers)")
            }
        }
        #expect(failures == [])
    }
}
