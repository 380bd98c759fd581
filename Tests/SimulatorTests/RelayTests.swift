import Audio
import Core
import Engine
import ICE
import Interface
import Simulator
import Testing

/// Calls through a TURN server.
@Suite struct RelayTests {
    private final class World {
        let simulation: Simulation
        let turn: TurnRelay
        let stun: StunServer
        let box: NATBox
        let alice: Node
        let bob: Node

        /// Both phones are behind symmetric NATs of their own; a public phone would be reached without help.
        init(
            _ transport: TurnServer.Transport = .udp, policy: IcePolicy = .all, bobHasTurn: Bool = true, seed: UInt64 = 21,
            edit: (inout PhoneConfiguration) -> Void = { _ in }, prepare: (TurnRelay) -> Void = { _ in }
        ) {
            simulation = Simulation(seed: seed)
            turn = TurnRelay("turn", "198.51.100.4", in: simulation)
            stun = StunServer("stun", "198.51.100.3", in: simulation)
            prepare(turn)
            box = NATBox(.symmetric, publicAddress: IPAddress.v4(0xCB00_7101))
            let other = NATBox(.symmetric, publicAddress: IPAddress.v4(0xCB00_7201))
            var configuration = PhoneConfiguration.lean
            configuration.stunServers = [stun.address]
            configuration.turnServers = [turn.server(transport)]
            configuration.icePolicy = policy
            edit(&configuration)
            var options = Node.Options()
            options.dtlsClock = setVirtualClock
            options.source = .tone(Pair.aliceTone)
            alice = Node(
                "alice", addresses: ["10.0.0.2"], in: simulation, configuration: configuration, identity: Identities.alice, options: options,
                behind: box)
            configuration.autoAnswer = true
            if !bobHasTurn { configuration.turnServers = [] }
            options.source = .tone(Pair.bobTone)
            bob = Node(
                "bob", addresses: ["10.9.0.2"], in: simulation, configuration: configuration, identity: Identities.bob, options: options,
                behind: other)
            // Signalling has its own way between the networks, as over a proxy.
            simulation.carriesSignallingThroughNAT = true
            alice.start()
            bob.start()
        }

        func connect(limit: Duration = .seconds(20)) -> Bool {
            alice.command(.dial(uri: bob.uri))
            return simulation.run(limit: limit) { self.alice.hasMedia && self.bob.hasMedia }
        }

        func finish() {
            alice.command(.hangUp(alice.call))
            simulation.run(for: .seconds(80))
            #expect(alice.isQuiet && bob.isQuiet)
            #expect(simulation.faults.isEmpty && alice.faults.isEmpty && bob.faults.isEmpty, "\(simulation.faults + alice.faults + bob.faults)")
        }

        var hearsBoth: Bool { bob.heard().share(of: Pair.aliceTone) > 0.9 && alice.heard().share(of: Pair.bobTone) > 0.9 }

        func pair(_ node: Node) -> CandidatePairStatistics? { node.snapshot.calls.first?.transports.first?.selectedCandidatePair }
    }

    /// Two servers asked from one socket see two ports, as is proved here before anything rests on it.
    private func provesSymmetric(_ world: World) -> Bool {
        var seen: Set<SocketAddress> = []
        let probe = Probe("probe", "10.0.0.77", in: world.simulation, behind: world.box)
        for server in [world.stun.address, world.turn.address] { probe.ask(server) }
        world.simulation.run(for: .seconds(1))
        seen.formUnion(probe.mapped)
        return probe.mapped.count == 2 && seen.count == 2
    }

    @Test(arguments: [TurnServer.Transport.udp, .tcp, .tls]) func twoSymmetricNATs(transport: TurnServer.Transport) {
        let world = World(transport)
        #expect(provesSymmetric(world))
        #expect(world.connect())
        world.simulation.run(for: .seconds(3))
        #expect(world.hearsBoth)
        for node in [world.alice, world.bob] {
            let pair = world.pair(node)
            #expect(
                pair?.nominated == true && (pair?.local.candidateType == "relay" || pair?.remote.candidateType == "relay"),
                "\(String(describing: pair))")
        }
        // Media goes by channels: four bytes instead of 36.
        #expect(world.turn.counters.channels >= 1 && world.turn.counters.channelData > 100)
        #expect(world.turn.counters.sendIndications < 60)
        #expect(world.turn.allocationCount == 2)
        world.finish()
        // The caller's third was for RTCP, before multiplexing was agreed on.
        #expect(
            world.turn.counters.allocations == 3 && world.turn.counters.givenBack == 3 && world.turn.allocationCount == 0, "\(world.turn.counters)")
    }

    /// Without a relay these two never reach one another: the test above proves something.
    @Test func withoutARelayThereIsNoWay() {
        let world = World { $0.turnServers = [] }
        #expect(!world.connect(limit: .seconds(60)))
        #expect(world.alice.result?.outcome == .iceFailed)
    }

    /// One relay is enough: the other side reaches it through its NAT.
    @Test func oneRelay() {
        let world = World(bobHasTurn: false)
        #expect(world.connect())
        world.simulation.run(for: .seconds(2))
        #expect(world.hearsBoth && world.pair(world.bob)?.remote.candidateType == "relay")
        world.finish()
    }

    /// Only relayed addresses are told, and nothing but TURN leaves the media sockets.
    @Test(arguments: [TurnServer.Transport.udp, .tcp]) func relayPolicy(transport: TurnServer.Transport) {
        let world = World(transport, policy: .relay)
        var direct = 0
        var leaks: [String] = []
        let server = world.turn.address.ip
        world.simulation.filters.append { datagram in
            if datagram.kind != .sip, datagram.source.ip != server, datagram.destination.ip != server { direct += 1 }
            if datagram.kind == .sip {
                let body = String(decoding: datagram.payload, as: UTF8.self)
                leaks += body.split(separator: "\r\n").filter { line in
                    line.hasPrefix("a=candidate:") && (line.contains("10.") || !line.contains("typ relay"))
                        || line.hasPrefix("c=") && line.contains("10.")
                        || line.hasPrefix("m=audio 2")
                }.map(String.init)
            }
            return [datagram]
        }
        #expect(world.connect())
        world.simulation.run(for: .seconds(3))
        #expect(world.hearsBoth)
        for node in [world.alice, world.bob] {
            #expect(world.pair(node)?.local.candidateType == "relay" && world.pair(node)?.remote.candidateType == "relay")
        }
        #expect(direct == 0 && leaks.isEmpty, "\(leaks)")
        world.finish()
    }

    /// A check to a socket of ours is not answered under `relay`, whoever sends it.
    @Test func hostsAreSilentUnderRelay() {
        let world = World(policy: .relay)
        #expect(world.connect())
        let media = world.alice.mediaAddresses
        var answers = 0
        world.simulation.filters.append { datagram in
            if datagram.source.ip.description == "10.0.0.2", datagram.destination.ip.description == "10.0.0.77" { answers += 1 }
            return [datagram]
        }
        let probe = Probe("probe", "10.0.0.77", in: world.simulation, behind: world.box)
        for address in media { probe.ask(address) }
        world.simulation.run(for: .seconds(5))
        #expect(!media.isEmpty && answers == 0)
        world.finish()
    }

    /// Under `relay` a dead server is told, and the call fails rather than going by another way.
    @Test func relayPolicyWithoutAServer() {
        let world = World(policy: .relay, prepare: { $0.isSilent = true })
        #expect(!world.connect(limit: .seconds(90)))
        #expect(world.alice.result?.outcome == .iceFailed)
        #expect(world.simulation.sent[.dtls] == nil)
    }

    @Test func aRefusedAllocationIsTold() {
        let world = World(prepare: { $0.refusesAllocations = 486 })
        #expect(!world.connect(limit: .seconds(60)))
        let told = world.alice.events.compactMap { entry -> String? in
            if case .notice(.warning, "turn-failed", let message, _) = entry.event { message } else { nil }
        }
        #expect(told == ["TURN server 198.51.100.4:3478: grants this user no further allocation (486 Scripted)"])
    }

    @Test(arguments: [TurnServer.Transport.udp, .tcp]) func aServerThatIsNotThere(transport: TurnServer.Transport) {
        let world = World(transport, prepare: { $0.isSilent = true })
        #expect(!world.connect(limit: .seconds(60)))
        #expect(world.alice.notices.contains("turn-failed"))
    }

    /// RFC 8489's newer authentication.
    @Test func passwordAlgorithms() {
        let world = World(policy: .relay, prepare: { $0.usesSHA256 = true })
        #expect(world.connect())
        world.finish()
    }

    /// Twenty minutes: allocations, permissions and channels outlive their lifetimes, and every nonce lives for seven minutes only.
    @Test(arguments: [TurnServer.Transport.udp, .tcp]) func aLongCall(transport: TurnServer.Transport) {
        let world = World(transport, policy: .relay, prepare: { $0.nonceLifetime = .seconds(420) })
        #expect(world.connect())
        for node in [world.alice, world.bob] { node.audio.pause() }
        world.simulation.run(for: .seconds(1200))
        #expect(!world.alice.hasEnded && !world.bob.hasEnded)
        #expect(world.turn.counters.refreshes >= 4 && world.turn.counters.staleNonces >= 2, "\(world.turn.counters)")
        #expect(world.turn.allocationCount == 2)
        // The last seconds are as good as the first.
        for node in [world.alice, world.bob] { node.audio.resume(at: world.simulation.now) }
        let before = world.alice.heard().samples.count
        world.simulation.run(for: .seconds(3))
        #expect(world.hearsBoth && world.alice.heard().samples.count - before > 100_000)
        world.finish()
        #expect(world.turn.allocationCount == 0)
    }

    /// 438 in the middle of a call.
    @Test func aStaleNonce() {
        let world = World(policy: .relay)
        #expect(world.connect())
        world.turn.rotateNonce()
        for node in [world.alice, world.bob] { node.audio.pause() }
        world.simulation.run(for: .seconds(300))
        #expect(world.turn.counters.staleNonces >= 2 && !world.alice.hasEnded && !world.bob.hasEnded)
        for node in [world.alice, world.bob] { node.audio.resume(at: world.simulation.now) }
        world.simulation.run(for: .seconds(2))
        #expect(world.hearsBoth && world.turn.allocationCount == 2)
        world.finish()
    }

    /// The server forgets all in mid-call: told, and media stops for want of consent; nothing leaves any more.
    @Test func aServerThatForgets() {
        let world = World(policy: .relay)
        #expect(world.connect())
        world.simulation.run(for: .seconds(2))
        world.turn.forgetAllocations()
        let lost = world.simulation.run(limit: .seconds(45)) { world.alice.hasEnded && world.bob.hasEnded }
        // Whoever finds out first ends the call.
        let outcomes = [world.alice.result?.outcome, world.bob.result?.outcome]
        #expect(lost && outcomes.contains(.mediaLost), "\(outcomes)")
    }

    /// RFC 7675 through a relay: 30 s after the last answer not one packet of media leaves, while signalling still stands.
    @Test func consentThroughARelay() {
        let world = World(policy: .relay)
        #expect(world.connect())
        world.simulation.run(for: .seconds(2))
        // From here on Bob hears nothing and says nothing; SIP is lost too, so that Alice alone decides.
        var media: [Instant] = []
        let cut = world.simulation.now
        world.simulation.filters.append { [unowned simulation = world.simulation] datagram in
            if datagram.source.ip.description == "10.9.0.2" || datagram.destination.ip.description == "10.9.0.2" { return [] }
            if datagram.source.ip.description == "10.0.0.2", datagram.payload.first.map({ $0 >> 6 == 1 }) == true, datagram.kind != .sip {
                media.append(simulation.now)
            }
            return [datagram]
        }
        world.simulation.run(for: .seconds(60))
        let last = media.last.map { $0 - cut } ?? .zero
        #expect(last > .seconds(20) && last <= .seconds(31), "\(last)")
    }

    /// The connection to the server breaks: told by name.
    @Test func aBrokenConnection() {
        let world = World(.tcp, policy: .relay)
        #expect(world.connect())
        world.turn.closeStreams()
        #expect(world.simulation.run(limit: .seconds(60)) { world.alice.hasEnded && world.bob.hasEnded })
        #expect(world.alice.notices.contains("turn-failed"))
    }
}

/// A host that asks for its address and remembers what it is told.
private final class Probe: Host {
    let name: String
    let addresses: [IPAddress]
    private let simulation: Simulation
    private(set) var mapped: [SocketAddress] = []

    init(_ name: String, _ ip: String, in simulation: Simulation, behind box: NATBox) {
        self.name = name
        addresses = [IPAddress(ip)].compactMap { $0 }
        self.simulation = simulation
        simulation.add(self, behind: box)
    }

    func ask(_ server: SocketAddress) {
        let request = StunBuilder(.request, id: StunTransactionID(random: simulation.random)).finish()
        simulation.send(Datagram(source: SocketAddress(addresses.first ?? .anyV4, 7000), destination: server, payload: request))
    }

    func receive(_ datagram: Datagram) {
        guard let message = try? StunMessage.parse(datagram.payload.span.bytes), let address = message.mapped else { return }
        mapped.append(address)
    }
}
