import Core
import SIP
import Testing

/// Broken and forged messages: nothing traps, nothing is left.
@Suite struct HostileTests {
    /// Messages of a real call, changed byte by byte and thrown at both phones while a call goes on.
    @Test func changedMessages() {
        let random = RandomSource(seed: 7)
        var survivors = 0
        for seed in UInt64(1)...20 {
            let network = TestNetwork(seed: seed)
            let alice = network.phone("alice", "192.0.2.1")
            let bob = network.phone("bob", "192.0.2.2")
            bob.answers()
            var wire: [[UInt8]] = []
            network.drops = { bytes in
                if wire.count < 64 { wire.append(bytes) }
                return false
            }
            let id = network.call(alice, bob.uri)
            network.run(until: 2)
            for i in 0..<200 {
                var bytes = wire[i % wire.count]
                for _ in 0..<(1 + Int(random.next() % 4)) {
                    let index = Int(random.next() % UInt64(bytes.count))
                    switch random.next() % 3 {
                    case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                    case 1: bytes.remove(at: index)
                    default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
                    }
                }
                let pair = i % 2 == 0 ? (alice.address, bob.address) : (bob.address, alice.address)
                network.send(bytes, from: pair.0, to: pair.1)
                if i % 20 == 0 { network.run(until: 2 + Double(i) * 0.01) }
            }
            network.run(until: 5)
            network.tell(alice, .hangUp(id, reason: nil))
            if let theirs = bob.session { network.tell(bob, .hangUp(theirs, reason: nil)) }
            network.tell(alice, .shutdown)
            network.tell(bob, .shutdown)
            network.run(until: 400)
            if alice.leftovers == noLeftovers, bob.leftovers == noLeftovers { survivors += 1 }
        }
        #expect(survivors == 20)
    }

    /// The same over a stream, cut into pieces anywhere.
    @Test func changedStreams() {
        let random = RandomSource(seed: 9)
        let network = TestNetwork()
        let bob = network.phone("bob", "192.0.2.2")
        let peer = network.script("192.0.2.9")
        bob.rings()
        for round in 0..<200 {
            let flow = SIPFlow(
                transport: .tcp, local: bob.address, remote: SocketAddress(peer.address.ip, UInt16(2000 + round)),
                connection: ConnectionID(raw: UInt64(2 * round + 2)))
            network.tell(bob, .accepted(flow))
            var bytes = peer.request("INVITE", "sip:bob@192.0.2.2", branch: "z9hG4bK\(round)", callID: "c\(round)", body: "x")
            bytes += peer.request("CANCEL", "sip:bob@192.0.2.2", branch: "z9hG4bK\(round)", callID: "c\(round)")
            if round % 3 > 0 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
            let cut = Int(random.next() % UInt64(bytes.count))
            bob.agent.receiveStream(Array(bytes[..<cut]), flow: flow, at: network.now)
            bob.agent.receiveStream(Array(bytes[cut...]), flow: flow, at: network.now)
            network.tell(bob, .closed(ConnectionID(raw: UInt64(2 * round + 2))))
        }
        network.tell(bob, .shutdown)
        network.run(until: 500)
        #expect(bob.agent.counts.sessions == 0 && bob.agent.counts.transactions == 0)
    }
}
