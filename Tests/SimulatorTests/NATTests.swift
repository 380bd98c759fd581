import Audio
import Core
import Engine
import Interface
import Simulator
import Testing

/// Phones behind address translators, and with several addresses.
@Suite struct NATTests {
    private struct World {
        let simulation: Simulation
        let alice: Node
        let bob: Node
        let stun: StunServer
    }

    /// Alice is behind a box, Bob has a public address; Alice calls, so that SIP needs no help.
    private func world(_ behaviour: NATBox.Behaviour, usesStun: Bool = true, edit: (inout PhoneConfiguration) -> Void = { _ in }) -> World {
        let simulation = Simulation(seed: 11)
        let stun = StunServer("stun", "198.51.100.3", in: simulation)
        let box = NATBox(behaviour, publicAddress: IPAddress.v4(0xCB00_7101))
        var configuration = PhoneConfiguration.lean
        if usesStun { configuration.stunServers = [stun.address] }
        edit(&configuration)
        var options = Node.Options()
        options.dtlsClock = setVirtualClock
        options.source = .tone(Pair.aliceTone)
        let alice = Node(
            "alice", addresses: ["10.0.0.2"], in: simulation, configuration: configuration, identity: Identities.alice, options: options, behind: box)
        configuration.autoAnswer = true
        options.source = .tone(Pair.bobTone)
        let bob = Node("bob", addresses: ["198.51.100.2"], in: simulation, configuration: configuration, identity: Identities.bob, options: options)
        alice.start()
        bob.start()
        return World(simulation: simulation, alice: alice, bob: bob, stun: stun)
    }

    @Test(arguments: [NATBox.Behaviour.fullCone, .portRestricted, .symmetric], [true, false])
    func aCallThroughNAT(behaviour: NATBox.Behaviour, usesStun: Bool) {
        let world = world(behaviour, usesStun: usesStun)
        world.alice.command(.dial(uri: world.bob.uri))
        #expect(world.simulation.run(limit: .seconds(10)) { world.alice.hasMedia && world.bob.hasMedia })
        world.simulation.run(for: .seconds(2))
        #expect(world.bob.heard().share(of: Pair.aliceTone) > 0.9 && world.alice.heard().share(of: Pair.bobTone) > 0.9)
        let pair = world.bob.snapshot.calls.first?.transports.first?.selectedCandidatePair
        #expect(pair?.remote.address == "203.0.113.1")
        if behaviour == .symmetric || !usesStun { #expect(pair?.remote.candidateType == "prflx") }
        if usesStun { #expect(world.stun.answered > 0) }
        world.alice.command(.hangUp(world.alice.call))
        world.simulation.run(for: .seconds(80))
        #expect(world.alice.result?.outcome == .answered && world.bob.result?.outcome == .answered)
        #expect(world.alice.isQuiet && world.bob.isQuiet)
    }

    /// The STUN server does not answer: the offer leaves after a moment all the same.
    @Test func silentStunServer() {
        let world = world(.fullCone)
        world.stun.isSilent = true
        let at = world.simulation.now
        world.alice.command(.dial(uri: world.bob.uri))
        #expect(world.simulation.run(limit: .seconds(10)) { world.alice.hasMedia && world.bob.hasMedia })
        #expect(world.simulation.now - at < .seconds(4))
    }

    /// No ICE, DTLS and a NAT: the peer is found by its fingerprint, SDES by its keys, plain RTP by its first packet.
    @Test(arguments: [SecurityPolicy.dtls, .sdes, .none]) func withoutICE(policy: SecurityPolicy) {
        let world = world(.portRestricted, usesStun: false) {
            $0.security = policy
            $0.ice = false
        }
        // The callee waits for the ClientHello that comes through the box.
        world.simulation.filters.append { [$0.editing { $0.replaceLines("a=setup:actpass", with: "a=setup:active") }] }
        world.alice.command(.dial(uri: world.bob.uri))
        #expect(world.simulation.run(limit: .seconds(10)) { world.alice.hasMedia && world.bob.hasMedia })
        world.simulation.run(for: .seconds(2))
        #expect(world.bob.heard().share(of: Pair.aliceTone) > 0.9 && world.alice.heard().share(of: Pair.bobTone) > 0.9)
        world.alice.command(.hangUp(world.alice.call))
        world.simulation.run(for: .seconds(80))
        #expect(world.alice.isQuiet && world.bob.isQuiet)
    }

    /// Both have an IPv4 and an IPv6 address; the address in use goes away, and the call goes on over the other.
    @Test func anAddressGoesAway() {
        let simulation = Simulation(seed: 3)
        var options = Node.Options()
        options.dtlsClock = setVirtualClock
        options.source = .tone(Pair.aliceTone)
        let alice = Node(
            "alice", addresses: ["192.0.2.1", "2001:db8::1"], in: simulation, configuration: .lean, identity: Identities.alice, options: options)
        var configuration = PhoneConfiguration.lean
        configuration.autoAnswer = true
        options.source = .tone(Pair.bobTone)
        let bob = Node(
            "bob", addresses: ["192.0.2.2", "2001:db8::2"], in: simulation, configuration: configuration, identity: Identities.bob, options: options)
        alice.start()
        bob.start()
        alice.command(.dial(uri: bob.uri))
        #expect(simulation.run(limit: .seconds(10)) { alice.hasMedia && bob.hasMedia })
        simulation.run(for: .seconds(2))
        let transport = alice.snapshot.calls.first?.transports.first
        #expect(transport?.iceState == "completed" && (transport?.pairs.count ?? 0) >= 2)
        #expect(bob.heard().share(of: Pair.aliceTone) > 0.9)
        #expect(simulation.faults.isEmpty && alice.faults.isEmpty && bob.faults.isEmpty)
    }

    /// A browser's candidates are names in `.local`: nobody is asked for them, and its checks show where it is.
    @Test(arguments: [true, false]) func candidatesBehindNames(callerHides: Bool) {
        let pair = Pair()
        pair.edit(from: callerHides ? pair.alice : pair.bob) { text in
            text.replaceLines("a=candidate:", with: "a=candidate:1 1 udp 2113937151 1f4e2a6c-9d7b-4b0e-8f4f-0d1c2b3a4d5e.local 50000 typ host")
            text.replaceLines("c=IN", with: "c=IN IP4 0.0.0.0")
            let rest = text.line("m=audio ")?.split(separator: " ", maxSplits: 1).last ?? ""
            text.replaceLines("m=audio ", with: "m=audio 9 \(rest)")
        }
        #expect(pair.connect())
        let other = callerHides ? pair.bob : pair.alice
        let transport = other.snapshot.calls.first?.transports.first
        #expect(transport?.selectedCandidatePair?.remote.candidateType == "prflx" && (transport?.remoteNamesIgnored ?? 0) >= 1)
        #expect(pair.alice.namesLookedUp.isEmpty && pair.bob.namesLookedUp.isEmpty)
        pair.finish()
    }

    /// A slow line: 64 kbit/s carry the call, with its set-up.
    @Test func aSlowLine() {
        let pair = Pair(profile: LinkProfile(delay: .milliseconds(150), jitter: .milliseconds(30), rate: 64_000))
        #expect(pair.connect(limit: .seconds(20)))
        pair.simulation.run(for: .seconds(3))
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.8)
        pair.finish()
    }
}
