import Core
import Testing

@testable import ICE

@Suite struct IceConnectTests {
    static let a = "192.0.2.1:4000"
    static let b = "192.0.2.2:5000"

    func pair(components: Int = 1, seed: UInt64 = 1) -> Network {
        let network = Network(
            IceConfiguration(isControlling: true, components: components), IceConfiguration(isControlling: false, components: components), seed: seed)
        network.addHosts(0, [Self.a])
        network.addHosts(1, [Self.b])
        return network
    }

    /// One way takes 10 ms: valid after one round trip, nominated at once, completed after two.
    @Test func hostToHostIsExact() throws {
        let network = pair()
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.sent.count == 2)
        #expect(network.run(for: .seconds(1)) { network.bothCompleted })
        #expect(network.times(0) { $0.isValidPair } == [20] && network.times(1) { $0.isValidPair } == [20])
        #expect(network.times(0) { $0.isCompleted } == [40] && network.times(1) { $0.isCompleted } == [30])
        #expect(network.states(0) == [.checking, .connected, .completed])
        #expect(network.agree())
        #expect(network.agents[0].selectedPair(1)?.currentRoundTripTime == .milliseconds(20))
        #expect(network.agents[0].selectedRoute(1)?.remote == SocketAddress(Self.b))
        #expect(network.agents[0].isKnownSource(try #require(SocketAddress(Self.b)), component: 1))
        #expect(!network.agents[0].isKnownSource(SocketAddress(.v4(0xC000_0209), 1), component: 1))
        #expect(network.agents[0].pairs.map(\.nominated) == [true])
        network.run(for: .seconds(1))
        // Two checks and one nomination, and their answers: nothing superfluous.
        #expect(network.sent.count == 6)
    }

    /// The answerer checks before the offerer has the answer: kept, answered, and used when the answer comes.
    @Test(arguments: [0, 1])
    func checksBeforeTheRemoteDescription(_ late: Int) {
        let network = pair()
        network.describe(to: 1 - late)
        network.run(for: .milliseconds(200))
        #expect(network.agents[1 - late].state == (late == 0 ? .connected : .completed))
        #expect(network.agents[late].state == .new && network.agents[late].pairs.isEmpty)
        network.describe(to: late)
        let start = network.now.milliseconds(since: .zero)
        #expect(network.run(for: .seconds(1)) { network.bothCompleted })
        #expect(network.times(late) { $0.isValidPair } == [start + 20])
        #expect(network.agree())
    }

    /// Nothing but the peer's checks tells where it is.
    @Test func peerReflexiveOnly() {
        let network = pair()
        network.describe(to: 0, candidates: [])
        network.describe(to: 1)
        #expect(network.run(for: .seconds(1)) { network.bothCompleted })
        #expect(network.agents[0].selectedPair(1)?.remote.kind == .peerReflexive && network.agree())
    }

    @Test func throughNAT() {
        let network = pair()
        network.nat = Network.NAT(publicIP: .v4(0xCB00_7101))
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        let selected = network.agents[0].selectedPair(1)
        #expect(selected?.local.kind == .peerReflexive && selected?.local.address.description == "203.0.113.1:61000")
        #expect(selected?.local.relatedAddress == SocketAddress(Self.a))
        #expect(network.agents[1].selectedPair(1)?.remote.kind == .peerReflexive && network.agree())
        #expect(network.agents[0].selectedPair(1)?.priority == network.agents[1].selectedPair(1)?.priority)
        #expect(network.agents[0].localCandidates.map(\.kind) == [.host])
    }

    @Test(arguments: [true, false], [UInt64(1), 2, 3, 4])
    func roleConflict(_ controlling: Bool, _ seed: UInt64) {
        let network = Network(IceConfiguration(isControlling: controlling), IceConfiguration(isControlling: controlling), seed: seed)
        network.addHosts(0, [Self.a])
        network.addHosts(1, [Self.b])
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        #expect(network.agents[0].role != network.agents[1].role && network.agree())
        // The greater tie-breaker keeps control (RFC 8445 §7.3.1.1).
        #expect((network.agents[0].role == .controlling) == (network.agents[0].tieBreaker >= network.agents[1].tieBreaker))
        let changes = network.events.filter { if case .roleChanged = $0.event { true } else { false } }
        #expect(changes.count == 1)
    }

    @Test func twoComponents() {
        let network = pair(components: 2)
        network.addHosts(0, ["192.0.2.1:4001"], component: 2)
        network.addHosts(1, ["192.0.2.2:5001"], component: 2)
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        #expect(network.agree(1) && network.agree(2))
        #expect(network.agents[0].selectedRoute(2)?.remote.port == 5001)
        // RTCP's pair was frozen until RTP's was valid; the peer, which nominates nothing, checks it one Ta after its first check.
        #expect(network.times(0) { $0.isValidPair } == [20, 80])
    }

    @Test func multiplexingDropsTheSecondComponent() {
        let network = pair(components: 2)
        network.addHosts(0, ["192.0.2.1:4001"], component: 2)
        network.addHosts(1, ["192.0.2.2:5001"], component: 2)
        for agent in 0...1 { network.handle(agent, .setComponents(1)) }
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        #expect(network.sent.allSatisfy { $0.transmit.destination.port != 5001 && $0.transmit.destination.port != 4001 })
    }

    /// A peer that answers only RTP: RTCP is given up at the limit, RTP goes on.
    @Test func silentSecondComponent() {
        let network = pair(components: 2)
        network.addHosts(0, ["192.0.2.1:4001"], component: 2)
        network.addHosts(1, ["192.0.2.2:5001"], component: 2)
        network.filter = { _, transmit, _ in ![4001, 5001].contains(transmit.destination.port) }
        network.describe(to: 0)
        network.describe(to: 1)
        network.run(for: .seconds(29))
        #expect(network.agents[0].state == .checking && network.agents[0].selectedRoute(1) != nil)
        network.run(for: .seconds(2))
        #expect(network.bothCompleted && network.agents[0].components == 1)
    }

    @Test func trickledCandidatesAndIPv6() {
        let network = Network(IceConfiguration(isControlling: true), IceConfiguration(isControlling: false))
        network.addHosts(0, [Self.a, "[2001:db8::1]:4000"])
        network.addHosts(1, [Self.b, "[2001:db8::2]:5000"])
        network.describe(to: 0, candidates: [])
        network.describe(to: 1, candidates: [])
        network.run(for: .milliseconds(100))
        for candidate in network.agents[1].localCandidates { network.handle(0, .addRemoteCandidate(candidate)) }
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        #expect(network.agree())
    }

    /// IPv6 is a step above IPv4, and the pair of highest priority is tried first, valid first and nominated without patience.
    @Test func bestPairWinsAtOnce() {
        let network = Network(IceConfiguration(isControlling: true), IceConfiguration(isControlling: false))
        network.addHosts(0, [Self.a, "[2001:db8::1]:4000"])
        network.addHosts(1, [Self.b, "[2001:db8::2]:5000"])
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        #expect(network.times(0) { $0.isCompleted } == [40])
        #expect(network.agents[0].selectedPair(1)?.local.address.ip.isV6 == true)
    }

    /// The best pair is silent: the next one is valid after Ta and nominated after the patience.
    @Test func patienceForABetterPair() {
        let network = Network(IceConfiguration(isControlling: true), IceConfiguration(isControlling: false))
        network.addHosts(0, [Self.a, "[2001:db8::1]:4000"])
        network.addHosts(1, [Self.b, "[2001:db8::2]:5000"])
        network.filter = { _, transmit, _ in transmit.destination.ip.isV4 }
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        #expect(network.times(0) { $0.isValidPair } == [70])
        #expect(network.times(0) { $0.isCompleted } == [240])
    }

    /// Only one direction is open for a while: no pair is valid; then all goes well.
    @Test func oneWayBlock() throws {
        let network = pair()
        network.filter = { from, _, at in from == 0 || at >= .zero + .seconds(5) }
        network.describe(to: 0)
        network.describe(to: 1)
        network.run(for: .milliseconds(4900))
        #expect(network.agents.allSatisfy { $0.state == .checking })
        #expect(network.agents[1].isKnownSource(try #require(SocketAddress(Self.a)), component: 1))
        #expect(network.run(for: .seconds(5)) { network.bothCompleted })
    }

    @Test func silenceThenRecoveryAfterTwentySeconds() {
        let network = pair()
        network.filter = { _, _, at in at >= .zero + .seconds(20) }
        network.describe(to: 0)
        network.describe(to: 1)
        network.run(for: .seconds(20))
        #expect(network.agents.allSatisfy { $0.state == .checking })
        #expect(network.run(for: .seconds(5)) { network.bothCompleted })
        #expect(network.agree())
    }

    @Test func failsAfterTheLimitAndNotBefore() {
        let network = pair()
        network.filter = { _, _, _ in false }
        network.describe(to: 0)
        network.run(for: .milliseconds(29_999))
        #expect(network.agents[0].state == .checking)
        network.run(for: .milliseconds(1))
        #expect(network.agents[0].state == .failed && network.agents[0].deadline == nil)
    }

    @Test func threeHundredSeedsAtThirtyPercentLoss() {
        var failures: [UInt64] = []
        for seed in UInt64(1)...300 {
            let network = Network(IceConfiguration(isControlling: true), IceConfiguration(isControlling: seed % 3 == 0), seed: seed)
            network.addHosts(0, seed % 2 == 0 ? [Self.a, "10.0.0.1:4000"] : [Self.a])
            network.addHosts(1, [Self.b])
            network.link = Network.Link(delay: 5...60, loss: 0.3, duplicate: 0.1)
            network.describe(to: 1)
            network.run(for: .milliseconds(Int(seed % 80)))
            network.describe(to: 0)
            let connected = network.run(for: .seconds(30)) { network.bothCompleted && network.agree() }
            if !connected { failures.append(seed) }
        }
        #expect(failures == [])
    }

    /// Two components, several bases, a NAT, a role conflict in every fourth, the descriptions apart in time: both agree on every pair.
    @Test func hundredSeedsOfEverything() {
        var failures: [UInt64] = []
        for seed in UInt64(1)...100 {
            let network = Network(
                IceConfiguration(isControlling: seed % 4 != 0, components: 2),
                IceConfiguration(isControlling: seed % 4 == 0 || seed % 8 == 1, components: 2),
                seed: seed)
            for component in 1...2 {
                network.addHosts(0, ["192.0.2.1:400\(component)", "[2001:db8::1]:400\(component)", "10.0.0.1:400\(component)"], component: component)
                network.addHosts(1, ["192.0.2.2:500\(component)", "[2001:db8::2]:500\(component)"], component: component)
            }
            if seed % 2 == 0 { network.nat = Network.NAT(publicIP: .v4(0xCB00_7101)) }
            if seed % 3 == 0 { network.filter = { _, transmit, _ in transmit.destination.ip.isV4 } }
            network.link = Network.Link(delay: 1...40, loss: 0.2, duplicate: 0.2)
            let first = Int(seed % 2)
            network.describe(to: first)
            network.run(for: .milliseconds(Int(seed % 700)))
            network.describe(to: 1 - first)
            network.run(for: .seconds(29)) { network.bothCompleted && network.agree(1) && network.agree(2) }
            network.run(for: .milliseconds(500))
            if !(network.bothCompleted && network.agree(1) && network.agree(2)) { failures.append(seed) }
        }
        #expect(failures == [])
    }
}
