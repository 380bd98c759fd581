import Core
import Engine
import Interface
import SIP
import Simulator
import Testing

/// Garbage and changed copies of real packets, from strangers and in the peer's name, into every way in of a phone in a call.
@Suite struct FuzzTests {
    private final class Attacker {
        let random: RandomSource
        private(set) var seen: [Datagram] = []

        init(seed: UInt64) { random = RandomSource(seed: seed) }

        func note(_ datagram: Datagram) {
            if seen.count < 400 { seen.append(datagram) } else { seen[Int(random.next() % 400)] = datagram }
        }

        func below(_ limit: Int) -> Int { limit > 0 ? Int(random.next() % UInt64(limit)) : 0 }

        func garbage() -> [UInt8] {
            var bytes = random.bytes(below(200))
            let starts: [[UInt8]] = [
                [0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42], [22, 0xFE, 0xFD, 0, 0], [0x80, 0], [0x80, 200], Array("INVITE sip:".utf8), [],
            ]
            bytes.insert(contentsOf: starts[below(starts.count)], at: 0)
            return bytes
        }

        func mutated() -> Datagram? {
            guard !seen.isEmpty else { return nil }
            var out = seen[below(seen.count)]
            switch below(6) {
            case 0: out.payload = Array(out.payload.prefix(below(out.payload.count)))
            case 1: for _ in 0..<(1 + below(8)) where !out.payload.isEmpty { out.payload[below(out.payload.count)] ^= UInt8(1 << below(8)) }
            case 2:
                let at = below(out.payload.count)
                out.payload.insert(contentsOf: random.bytes(below(40)), at: at)
            case 3: out.payload += random.bytes(below(1400))
            case 4: if out.payload.count > 4 { out.payload.removeSubrange(1...(1 + below(out.payload.count - 3))) }
            default: break
            }
            return out
        }
    }

    @Test func aCallLives() {
        var problems: [String] = []
        for seed in UInt64(1)...UInt64(Seeds.count(20)) {
            let pair = Pair(seed: seed, both: { $0.maximumCalls = 3 })
            let attacker = Attacker(seed: seed &* 977)
            pair.simulation.filters.append { datagram in
                attacker.note(datagram)
                return [datagram]
            }
            guard pair.connect() else {
                problems.append("seed \(seed): not connected")
                continue
            }
            let stranger = ScriptedPeer("stranger", "203.0.113.66", in: pair.simulation)
            for _ in 0..<400 {
                attack(pair, attacker, stranger)
                pair.simulation.run(for: .milliseconds(5))
            }
            pair.simulation.run(for: .seconds(2))
            for (node, tone) in [(pair.alice, Pair.bobTone), (pair.bob, Pair.aliceTone)] {
                let share = node.heard().share(of: tone)
                if node.snapshot.calls.first(where: { $0.id == node.call })?.state != .media || share < 0.8 {
                    problems.append("seed \(seed): \(node.name) \(node.states) hears \(share), \(node.result?.outcome as Any)")
                }
            }
            problems += pair.faults
        }
        #expect(problems.isEmpty)
    }

    private func attack(_ pair: Pair, _ attacker: Attacker, _ stranger: ScriptedPeer) {
        let node = attacker.below(2) == 0 ? pair.alice : pair.bob
        let other = node === pair.alice ? pair.bob : pair.alice
        let targets = [node.signallingAddress] + node.mediaAddresses
        let target = targets[attacker.below(targets.count)]
        switch attacker.below(4) {
        case 0: stranger.send(attacker.garbage(), fromPort: UInt16(5000 + attacker.below(4)), to: target)
        case 1:
            // In the peer's name.
            let source = target.port == 5060 ? other.signallingAddress : other.mediaAddresses.first ?? other.signallingAddress
            pair.simulation.inject(Datagram(source: source, destination: target, payload: attacker.garbage()))
        case 2: if let changed = attacker.mutated() { stranger.send(changed.payload, fromPort: 5060, to: target) }
        default:
            // A changed BYE or re-INVITE in the peer's name from its address is the peer: signalling is not protected here.
            if let changed = attacker.mutated(), changed.kind != .sip { pair.simulation.inject(changed) }
        }
    }

    /// Bytes of a connection, cut and changed in every way.
    @Test func streams() {
        for seed in UInt64(1)...UInt64(Seeds.count(30)) {
            let pair = Pair(seed: seed, options: { $0.listensTCP = true })
            let attacker = Attacker(seed: seed)
            pair.simulation.connect(from: SocketAddress(.v4(0xCB00_7142), 999), to: pair.bob.signallingAddress) { end in
                guard let end else { return }
                end.send(Array("OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK\r\nContent-Length: 99999999999\r\n\r\n".utf8))
                for _ in 0..<50 { end.send(attacker.garbage()) }
            }
            pair.simulation.run(for: .seconds(1))
            #expect(pair.connect())
            #expect(pair.faults.isEmpty)
        }
    }

    /// Facts of the world that make no sense to a phone in a call.
    @Test func oddFacts() {
        let pair = Pair()
        #expect(pair.connect())
        for raw in UInt64(0)..<5 {
            pair.alice.tell(.mediaOpened(MediaSocketID(raw: raw), [MediaSocket(component: 1, address: SocketAddress(.loopbackV4, 9))]))
            pair.alice.tell(.signalling(.resolved(ResolutionID(raw: raw), [])))
            pair.alice.tell(.signalling(.resolutionFailed(ResolutionID(raw: raw), "no")))
            pair.alice.tell(.signalling(.connected(ConnectionID(raw: raw), local: SocketAddress(.anyV4, 0), remote: SocketAddress(.anyV4, 0))))
            pair.alice.tell(.signalling(.connectionFailed(ConnectionID(raw: raw), reason: .timeout)))
            pair.alice.tell(.signalling(.closed(ConnectionID(raw: raw))))
        }
        for number in -1...5 where number != 1 {
            for command in [
                Command.hangUp(CallID(number)), .answer(CallID(number)), .setHeld(CallID(number), true), .sendDTMF(CallID(number), digits: "1"),
            ] {
                pair.alice.command(command)
            }
        }
        for text in ["", " ", "sip:", "sip:@", "tel:123", "sip:a@[::", "http://x", "\u{0}"] { pair.alice.command(.dial(uri: text)) }
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.snapshot.calls.map(\.state) == [.media])
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
    }
}
