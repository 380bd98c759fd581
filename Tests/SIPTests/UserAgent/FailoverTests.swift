import Core
import Testing

@testable import SIP

/// The next target of a list (RFC 3263 §4.3), for all kinds of silence.
@Suite struct FailoverTests {
    let network = TestNetwork()

    func setUp(_ configuration: UserAgentConfiguration = UserAgentConfiguration()) -> (Phone, Phone) {
        let alice = network.phone("alice", "192.0.2.1", configuration)
        let bob = network.phone("bob", "192.0.2.2")
        bob.answers()
        network.names["example.org"] = [SocketAddress(.v4(0xC000_02FE), 5060), bob.address]
        return (alice, bob)
    }

    var target: SIPURI { SIPURI(user: "bob", host: .name("example.org")) }

    @Test func silentTargetIsLeftAfterFourSeconds() {
        let (alice, bob) = setUp()
        _ = network.call(alice, target)
        network.run(until: 3.9)
        #expect(bob.story.isEmpty)
        network.run(until: 5)
        #expect(alice.story == ["180 -", "answered 200 answer"])
        // The INVITE of the second target is a transaction of its own, with the same number.
        let invites = alice.sent.filter { $0.line.hasPrefix("INVITE") }.map { $0.at.milliseconds(since: .zero) }
        #expect(invites == [0, 500, 1500, 3500, 4000])
    }

    @Test func theTimeIsConfigurable() {
        let (alice, bob) = setUp(UserAgentConfiguration(timings: TransactionTimings(targetLimit: .seconds(1))))
        _ = network.call(alice, target)
        network.run(until: 1.2)
        #expect(bob.story.first == "incoming offer")
    }

    /// One that said "trying" is waited for.
    @Test func targetThatSpokeIsNotLeft() {
        let (alice, bob) = setUp()
        let first = network.script("192.0.2.254")
        first.react = { message in
            guard case .request(let request) = message, request.method == .invite else { return [] }
            return [SIPResponse(to: request, status: 100).serialize()]
        }
        _ = network.call(alice, target)
        network.run(until: 30)
        #expect(bob.story.isEmpty && alice.story.isEmpty)
    }

    @Test func icmpIsBelievedAtOnce() {
        let (alice, bob) = setUp()
        _ = network.call(alice, target)
        network.run(until: 0.1)
        network.tell(alice, .unreachable(.udp, SocketAddress(.v4(0xC000_02FE), 5060)))
        network.run(until: 0.3)
        #expect(bob.story.first == "incoming offer")
    }

    @Test func theLastTargetHasAllTheTime() {
        let (alice, _) = setUp()
        network.drops = { _ in true }
        _ = network.call(alice, target)
        network.run(until: 35.9)
        #expect(alice.story.isEmpty)
        network.run(until: 36.1)
        #expect(alice.story == ["ended remote - timeout"])
        network.run(until: 80)
        #expect(alice.leftovers == noLeftovers)
    }
}
