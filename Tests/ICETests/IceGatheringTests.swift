import Core
import Testing

@testable import ICE

@Suite struct IceGatheringTests {
    let server = SocketAddress(.v4(0xC633_6401), 3478)
    let mapped = SocketAddress(.v4(0xCB00_7101), 61000)

    func answer(_ solo: Solo, _ mapped: SocketAddress, from source: SocketAddress) {
        guard let request = solo.requests.last?.message else { return }
        var builder = StunBuilder(.success, id: request.transactionID)
        builder.add(.xorMappedAddress, xorAddress: mapped)
        solo.receive(builder.finish(), from: source)
    }

    @Test func serverReflexive() {
        let solo = Solo(isControlling: true)
        solo.handle(.gather(stunServers: [server, SocketAddress(.loopbackV6, 3478)]))
        #expect(solo.requests.map(\.transmit.destination) == [server] && solo.lastSent?.integrity == nil)
        answer(solo, mapped, from: solo.peer)
        #expect(solo.agent.gatheringState == .gathering)
        answer(solo, mapped, from: server)
        let candidate = solo.agent.localCandidates.last
        #expect(candidate?.kind == .serverReflexive && candidate?.address == mapped && candidate?.relatedAddress == solo.base)
        #expect(candidate.map { $0.priority >> 24 } == 100 && candidate?.foundation != solo.agent.localCandidates.first?.foundation)
        #expect(solo.count { if case .localCandidate = $0 { true } else { false } } == 2 && solo.count { $0 == .gatheringComplete } == 1)
        // The mapping is kept alive while the phone rings.
        solo.advance(.seconds(15))
        #expect(solo.requests.count == 2)
        // No pair is formed from it: checks go from its base (RFC 8445 §6.1.2.4).
        solo.describe()
        #expect(solo.agent.pairs.count == 1)
    }

    @Test func mappedAddressEqualToTheBaseIsRedundant() {
        let solo = Solo(isControlling: true)
        solo.handle(.gather(stunServers: [server]))
        answer(solo, solo.base, from: server)
        #expect(solo.agent.localCandidates.count == 1 && solo.agent.gatheringState == .complete)
    }

    /// RFC 8489 §6.2.1: 500 ms doubling, seven requests, 39.5 s in all.
    @Test func silentServer() {
        let solo = Solo(isControlling: true)
        solo.handle(.gather(stunServers: [server]))
        solo.advance(.milliseconds(39_499))
        #expect(solo.agent.gatheringState == .gathering)
        solo.advance(.milliseconds(1))
        #expect(solo.agent.gatheringState == .complete && solo.agent.deadline == nil)
        #expect(solo.requests.map { $0.at.milliseconds(since: .zero) } == [0, 500, 1500, 3500, 7500, 15500, 31500])
    }

    @Test func noServersCompleteAtOnce() {
        let solo = Solo(isControlling: true)
        solo.handle(.gather(stunServers: []))
        #expect(solo.count { $0 == .gatheringComplete } == 1)
    }

    @Test func serversAreAskedOneEachTa() {
        let solo = Solo(isControlling: true)
        solo.handle(.gather(stunServers: (0..<3).map { SocketAddress(.v4(0xC633_6401 + $0), 3478) }))
        solo.advance(.milliseconds(120))
        #expect(solo.requests.map { $0.at.milliseconds(since: .zero) } == [0, 50, 100])
    }

    /// Both components of one address share foundation and preference; families alternate, IPv6 first.
    @Test func foundationsAndPreferences() {
        var agent = IceAgent(configuration: IceConfiguration(isControlling: true, components: 2), random: RandomSource(seed: 1))
        for (component, base) in [
            (1, "10.0.0.1:1"), (2, "10.0.0.1:2"), (1, "10.0.0.2:1"), (1, "[2001:db8::1]:1"), (3, "10.0.0.3:1"), (1, "0.0.0.0:1"),
        ] {
            if let base = SocketAddress(base) { agent.handle(.addHost(component: component, base: base), at: .zero) }
        }
        let candidates = agent.localCandidates
        #expect(candidates.count == 4 && candidates[0].foundation == candidates[1].foundation && candidates[0].priority == candidates[1].priority + 1)
        #expect(candidates[2].foundation != candidates[0].foundation)
        #expect(candidates[3].priority > candidates[0].priority && candidates[0].priority > candidates[2].priority)
    }
}
