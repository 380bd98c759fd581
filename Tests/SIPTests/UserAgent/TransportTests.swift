import Core
import SIP
import Testing

/// TCP: connections opened, used again, lost; and the choice of the transport by size.
@Suite struct TransportTests {
    let network = TestNetwork()

    func pair() -> (Phone, Phone) {
        let alice = network.phone("alice", "192.0.2.1")
        let bob = network.phone("bob", "192.0.2.2")
        bob.listensTCP = true
        network.tell(bob, .listening(.tcp, bob.address))
        bob.answers()
        return (alice, bob)
    }

    var tcpURI: SIPURI {
        var uri = SIPURI(user: "bob", host: .ip(.v4(0xC000_0202)), port: 5060)
        uri.transport = "tcp"
        return uri
    }

    @Test func callOverOneConnection() {
        let (alice, bob) = pair()
        let id = network.call(alice, tcpURI)
        network.run(until: 2)
        #expect(alice.story == ["180 -", "answered 200 answer"])
        #expect(bob.story == ["incoming offer", "acknowledged -"])
        if let theirs = bob.session { network.tell(bob, .reoffer(theirs, body: [65])) }
        alice.react = { _ in [.answerReoffer(id, body: [66], status: 200)] }
        network.run(until: 3)
        #expect(bob.story.last == "reofferAnswered B")
        if let theirs = bob.session { network.tell(bob, .hangUp(theirs, reason: nil)) }
        network.run(until: 80)
        #expect(alice.agent.counts.connections == 1 && bob.agent.counts.connections == 1)
        // What is idle for long is closed on both sides.
        network.run(until: 1200)
        #expect(alice.agent.counts.connections == 0 && bob.agent.counts.connections == 0)
        #expect([alice.leftovers, bob.leftovers] == [noLeftovers, noLeftovers])
    }

    @Test func refusedConnectionIsUnreachable() {
        let (alice, bob) = pair()
        bob.listensTCP = false
        _ = network.call(alice, tcpURI)
        network.run(until: 2)
        #expect(alice.story == ["ended remote - unreachable"])
        #expect(alice.leftovers == noLeftovers && alice.agent.counts.connections == 0)
    }

    @Test func cancelBeforeTheConnectionIsThere() {
        let (alice, bob) = pair()
        let id = network.call(alice, tcpURI)
        network.run(until: 0.005)
        network.tell(alice, .hangUp(id, reason: nil))
        network.run(until: 2)
        #expect(alice.story == ["ended local - cancelled"])
        #expect(bob.story == [] && alice.agent.counts.sessions == 0)
    }

    /// §18.1.1: over 1300 bytes TCP first, UDP when it is refused; a numeric address with a port is obeyed.
    @Test(arguments: [("bob.example", true, "TCP"), ("bob.example", false, "UDP"), ("192.0.2.2", true, "UDP")])
    func largeRequest(host: String, listens: Bool, expected: String) throws {
        let (alice, bob) = pair()
        bob.listensTCP = listens
        network.names["bob.example"] = [bob.address]
        let uri = SIPURI(user: "bob", host: try #require(SIPHost(host)), port: host.hasPrefix("1") ? 5060 : nil)
        _ = network.call(alice, uri, body: String(repeating: "a=x\r\n", count: 260))
        network.run(until: 2)
        #expect(alice.story.last == "answered 200 answer")
        let call = bob.events.compactMap { if case .incomingCall(_, let call) = $0.event { call } else { nil } }.first
        #expect(call?.flow.transport.viaToken == expected)
    }

    @Test func brokenStreamIsClosed() {
        let (_, bob) = pair()
        let flow = SIPFlow(transport: .tcp, local: bob.address, remote: SocketAddress(.v4(0xC000_0207), 999), connection: ConnectionID(raw: 1000))
        network.tell(bob, .accepted(flow))
        #expect(bob.agent.counts.connections == 1)
        bob.agent.receiveStream(Array("OPTIONS sip:x SIP/2.0\r\nContent-Length: x\r\n\r\n".utf8), flow: flow, at: network.now)
        #expect(bob.agent.counts.connections == 0 && bob.agent.strays.malformed == 1)
    }

    @Test func connectionsAreLimited() {
        let bob = network.phone("bob", "192.0.2.2", UserAgentConfiguration(maximumConnections: 2))
        for i in 0..<5 {
            let remote = SocketAddress(.v4(0xC000_0207), UInt16(1000 + i))
            let id = ConnectionID(raw: UInt64(2 + 2 * i))
            network.tell(bob, .accepted(SIPFlow(transport: .tcp, local: bob.address, remote: remote, connection: id)))
        }
        #expect(bob.agent.counts.connections == 2 && bob.agent.strays.refusedConnections == 3)
    }
}
