import Audio
import Core
import Engine
import Interface
import Simulator
import Testing

/// A proxy forks a call to two real phones, and both answer: each runs ICE and DTLS against the caller, one wins.
@Suite struct ForkedPhonesTests {
    private final class World {
        let simulation: Simulation
        let proxy: ScriptedPeer
        let alice: Node
        let bob: Node
        let carol: Node

        init(seed: UInt64, profile: LinkProfile, lag: Duration, policy: SecurityPolicy) {
            simulation = Simulation(seed: seed, profile: profile)
            proxy = ScriptedPeer("proxy", "192.0.2.20", in: simulation)
            var options = Node.Options()
            options.dtlsClock = setVirtualClock
            var configuration = PhoneConfiguration.lean
            configuration.security = policy
            options.source = .tone(Pair.aliceTone)
            alice = Node(
                "alice", addresses: ["192.0.2.1"], in: simulation, configuration: configuration, identity: Identities.alice, options: options)
            configuration.autoAnswer = true
            options.source = .tone(Pair.bobTone)
            bob = Node("bob", addresses: ["192.0.2.2"], in: simulation, configuration: configuration, identity: Identities.bob, options: options)
            configuration.answerAfter = lag
            options.source = .tone(1700)
            carol = Node(
                "carol", addresses: ["192.0.2.3"], in: simulation, configuration: configuration, identity: Identities.mallory, options: options)
            for node in [alice, bob, carol] { node.start() }
            fork()
        }

        /// A proxy without state, that sends each request on twice and each response back.
        private func fork() {
            let targets = [bob, carol]
            proxy.react = { [alice] peer, text, _ in
                if text.status != nil {
                    var back = text
                    back["Via"] = nil
                    peer.send(back, to: alice.signallingAddress)
                } else if text.method == "INVITE" {
                    for target in targets {
                        var forwarded = text
                        forwarded.headers.insert(("Via", "SIP/2.0/UDP \(peer.address);branch=\(text.branch ?? "")-\(target.name)"), at: 0)
                        forwarded.start = "INVITE \(target.uri) SIP/2.0"
                        peer.send(forwarded, to: target.signallingAddress)
                    }
                }
            }
        }
    }

    @Test(arguments: [SecurityPolicy.dtls, .sdes], [0, 15, 60, 200]) func oneWinsAndTheOtherEnds(policy: SecurityPolicy, lag: Int) {
        for seed in UInt64(1)...UInt64(Seeds.count(6)) {
            let profile = LinkProfile(delay: .milliseconds(10), jitter: .milliseconds(seed % 2 == 0 ? 0 : 20))
            let world = World(seed: seed, profile: profile, lag: .milliseconds(lag), policy: policy)
            world.alice.command(.dial(uri: world.proxy.uri))
            world.simulation.run(for: .seconds(4))
            let winners = [world.bob, world.carol].filter { !$0.hasEnded }
            let hint =
                "seed \(seed), \(lag) ms: \(world.alice.states) \(world.bob.states) \(world.carol.states) \(world.alice.result?.outcome as Any)"
            guard winners.count == 1, let winner = winners.first else {
                Issue.record("\(winners.count) winners; \(hint)")
                continue
            }
            #expect(world.alice.states.last == .media, "\(hint)")
            #expect(winner.heard().share(of: Pair.aliceTone) > 0.9, "\(hint)")
            let tone = winner === world.bob ? Pair.bobTone : 1700
            #expect(world.alice.heard().share(of: tone) > 0.9, "\(hint)")
            let loser = winner === world.bob ? world.carol : world.bob
            #expect(loser.heard().share(of: Pair.aliceTone) < 0.1, "\(hint)")
            world.alice.command(.hangUp(world.alice.call))
            world.simulation.run(for: .seconds(80))
            #expect(world.alice.result?.outcome == .answered, "\(hint)")
            for node in [world.alice, world.bob, world.carol] {
                #expect(
                    node.isQuiet && node.disorder.isEmpty && node.faults.isEmpty,
                    "\(node.name) \(node.phone.aliveCounts) \(node.disorder) \(node.faults)")
            }
        }
    }
}
