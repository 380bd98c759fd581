import Core
import Testing

@testable import ICE

@Suite struct IceConsentTests {
    @Test func consentExpiresThirtySecondsAfterTheLastAnswer() {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeedAll()
        solo.advance(.seconds(7))
        solo.succeedAll()
        let last = solo.now
        solo.advance(.nanoseconds(Int64(29_999_999_999)))
        #expect(solo.agent.state == .completed && solo.count { $0.isConsentLost } == 0)
        solo.advance(.nanoseconds(1))
        #expect(solo.events.first { $0.event.isConsentLost }?.at == last + .seconds(30))
        #expect(solo.agent.state == .disconnected && solo.agent.selectedRoute(1) == nil)
        let sent = solo.sent.count
        solo.advance(.seconds(60))
        #expect(solo.sent.count == sent)
    }

    @Test func consentChecksAreFiveSecondsApartAndKeepThePair() {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeedAll()
        for _ in 0..<1000 {
            solo.advance(.milliseconds(200))
            solo.succeedAll()
        }
        let times = solo.requests.dropFirst(2).map { $0.at.milliseconds(since: .zero) }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 >= 4000 && $0 <= 6000 } && (33...50).contains(times.count))
        #expect(Set(solo.requests.map(\.message.transactionID)).count == solo.requests.count)
        #expect(solo.agent.state == .completed && solo.agent.pairs.first?.consentRequestsSent == times.count)
        #expect(solo.agent.transactions.isEmpty)
    }

    /// A refused or forged answer is no consent.
    @Test func errorsDoNotRenewConsent() {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeedAll()
        var refused = solo.requests.count
        for _ in 0..<40 {
            solo.advance(.seconds(1))
            for request in solo.requests.dropFirst(refused) { solo.refuse(request.message, 401, isAuthentic: false) }
            refused = solo.requests.count
        }
        #expect(solo.events.first { $0.event.isConsentLost }?.at == .zero + .seconds(30))
    }

    @Test func restartKeepsTheRouteAndAnswersOldChecks() {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeedAll()
        let old = solo.agent.localCredentials
        solo.handle(.restart(newControlling: nil))
        #expect(solo.agent.localCredentials != old && solo.agent.state == .new && solo.agent.selectedRoute(1)?.remote == solo.peer)
        var builder = StunBuilder(.request, id: StunTransactionID(high: 3, low: 3))
        builder.add(.username, text: "\(old.ufrag):peer")
        solo.receive(builder.finish(key: old.key))
        #expect(solo.lastSent?.messageClass == .success && solo.lastSent?.verify(old.key) == true)
        let fresh = SocketAddress(solo.peer.ip, 6000)
        let renewed = IceCredentials(ufrag: "peer2", pwd: solo.peerCredentials.pwd)
        solo.handle(.setRemote(renewed, candidates: [solo.candidate(fresh)], isLite: false))
        #expect(solo.agent.state == .checking && solo.agent.selectedRoute(1)?.remote == solo.peer)
        solo.succeedAll()
        #expect(solo.agent.state == .completed && solo.agent.selectedRoute(1)?.remote == fresh)
    }

    /// The same description again, as some peers send it after ICE, restarts nothing.
    @Test func repeatedDescriptionChangesNothing() {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeedAll()
        let sent = solo.sent.count
        solo.describe()
        solo.advance(.seconds(1))
        #expect(solo.sent.count == sent && solo.agent.state == .completed)
    }

    @Test func removedBaseGivesWayToAnother() {
        let network = Network(IceConfiguration(isControlling: true), IceConfiguration(isControlling: false))
        network.addHosts(0, ["192.0.2.1:4000", "10.0.0.1:4000"])
        network.addHosts(1, ["192.0.2.2:5000"])
        network.describe(to: 0)
        network.describe(to: 1)
        #expect(network.run(for: .seconds(2)) { network.bothCompleted })
        let first = network.agents[0].selectedRoute(1)?.base
        network.handle(0, .removeBase(first ?? SocketAddress(.anyV4, 0)))
        #expect(network.run(for: .seconds(20)) { network.agents[0].state == .completed })
        #expect(network.agents[0].selectedRoute(1)?.base != first && network.agents[0].selectedRoute(1) != nil)
    }

    @Test func closedAgentIsSilent() {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeedAll()
        solo.handle(.close)
        let sent = solo.sent.count
        solo.check()
        solo.describe()
        solo.advance(.seconds(60))
        #expect(solo.agent.deadline == nil && solo.sent.count == sent && solo.agent.state == .closed && solo.agent.pairs.isEmpty)
    }
}
