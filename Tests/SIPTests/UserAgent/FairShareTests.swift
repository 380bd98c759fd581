import Core
import SIP
import Testing

/// One stranger cannot use up what others need.
@Suite struct FairShareTests {
    let network = TestNetwork()

    func flow(_ ip: String, _ i: Int, _ bob: Phone) -> SIPFlow {
        SIPFlow(
            transport: .tcp, local: bob.address, remote: SocketAddress(IPAddress(ip) ?? .loopbackV4, UInt16(1000 + i)),
            connection: ConnectionID(raw: UInt64(2 + 2 * i)))
    }

    @Test func transactionsOfOneSourceAreLimited() {
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(maximumServerTransactions: 64))
        let flood = network.script("192.0.2.9")
        let other = network.script("192.0.2.10")
        for i in 0..<100 {
            network.send(flood.request("OPTIONS", "sip:bob@192.0.2.2", branch: "z9hG4bK\(i)", callID: "c\(i)"), from: flood.address, to: bob.address)
        }
        network.run(until: 1)
        #expect(flood.responses.filter { $0.status == 200 }.count == 32 && flood.responses.filter { $0.status == 503 }.count == 68)
        network.send(other.request("OPTIONS", "sip:bob@192.0.2.2", branch: "z9hG4bKo", callID: "o"), from: other.address, to: bob.address)
        network.run(until: 2)
        #expect(other.responses.map(\.status) == [200])
        // Its share comes back with time.
        network.run(until: 80)
        network.send(flood.request("OPTIONS", "sip:bob@192.0.2.2", branch: "z9hG4bKlate", callID: "late"), from: flood.address, to: bob.address)
        network.run(until: 81)
        #expect(flood.responses.last?.status == 200)
    }

    /// A call is served although the table is full.
    @Test func callsAreServedInAFlood() {
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(maximumServerTransactions: 20))
        let alice = network.phone("alice", "192.0.2.1")
        bob.answers()
        let id = network.call(alice, bob.uri)
        network.run(until: 40)
        for i in 0..<40 {
            let script = network.script("192.0.2.\(100 + i)")
            network.send(
                script.request("OPTIONS", "sip:bob@192.0.2.2", branch: "z9hG4bK\(i)", callID: "c\(i)"), from: script.address, to: bob.address)
        }
        network.run(until: 41)
        #expect(bob.agent.counts.serverTransactions == 20)
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 42)
        #expect(bob.story.last == "ended remote 200 bye")
    }

    @Test func connectionsOfOneSourceReplaceEachOther() {
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(maximumConnections: 64))
        for i in 0..<10 { network.tell(bob, .accepted(flow("192.0.2.9", i, bob))) }
        #expect(bob.agent.counts.connections == 4 && bob.agent.strays.refusedConnections == 6)
        network.tell(bob, .accepted(flow("192.0.2.10", 50, bob)))
        #expect(bob.agent.counts.connections == 5)
    }

    /// A full table takes a newcomer in the place of who has most.
    @Test func fullTableMakesRoom() {
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(maximumConnections: 4))
        for i in 0..<4 { network.tell(bob, .accepted(flow("192.0.2.9", i, bob))) }
        network.tell(bob, .accepted(flow("192.0.2.10", 50, bob)))
        #expect(bob.agent.counts.connections == 4 && bob.agent.strays.refusedConnections == 1)
        let message = network.script("192.0.2.10").request("INVITE", "sip:bob@192.0.2.2", body: "x")
        bob.agent.receiveStream(message, flow: flow("192.0.2.10", 50, bob), at: network.now)
        #expect(bob.agent.counts.sessions == 1)
    }

    /// Who connects and says nothing whole is not waited for as long as who spoke.
    @Test func silentConnectionsEndSoon() {
        let bob = network.phone("bob", "192.0.2.2")
        network.tell(bob, .accepted(flow("192.0.2.9", 0, bob)))
        network.tell(bob, .accepted(flow("192.0.2.9", 1, bob)))
        let message = network.script("192.0.2.9").request("OPTIONS", "sip:bob@192.0.2.2")
        bob.agent.receiveStream(message, flow: flow("192.0.2.9", 0, bob), at: network.now)
        bob.agent.receiveStream(Array(message.dropLast()), flow: flow("192.0.2.9", 1, bob), at: network.now)
        network.run(until: 40)
        #expect(bob.agent.counts.connections == 1)
    }
}
