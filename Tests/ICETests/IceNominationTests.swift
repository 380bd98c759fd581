import Core
import Testing

@testable import ICE

@Suite struct IceNominationTests {
    /// USE-CANDIDATE on every check, the worse pair first: the best nominated one is used in the end.
    @Test func aggressivePeer() {
        let solo = Solo(isControlling: false)
        let worse = SocketAddress(solo.peer.ip, 5001)
        solo.describe([solo.candidate(solo.peer, priority: 2000), solo.candidate(worse, priority: 1000, foundation: "2")])
        solo.advance(.milliseconds(60))
        solo.check(useCandidate: true, from: worse)
        #expect(solo.agent.selectedRoute(1) == nil)
        solo.succeedAll()
        #expect(solo.agent.selectedPair(1)?.remote.address == worse && solo.agent.state == .completed)
        solo.check(useCandidate: true, from: solo.peer)
        solo.advance(.milliseconds(60))
        solo.succeedAll()
        #expect(solo.agent.selectedPair(1)?.remote.address == solo.peer)
        #expect(solo.count { $0.isSelectedPair } == 2 && solo.count { $0.isValidPair } == 1)
        // Again for the worse one: nothing changes.
        solo.check(useCandidate: true, from: worse)
        #expect(solo.agent.selectedPair(1)?.remote.address == solo.peer && solo.count { $0.isSelectedPair } == 2)
    }

    @Test func earlyUseCandidateCounts() {
        let solo = Solo(isControlling: false)
        solo.check(useCandidate: true)
        #expect(solo.lastSent?.messageClass == .success && solo.requests.isEmpty)
        solo.describe()
        #expect(solo.requests.count == 1)
        solo.succeedAll()
        #expect(solo.agent.state == .completed)
    }

    /// Two forks of a call check us with the same password of ours; only the described one counts.
    @Test func checksOfAnotherFork() {
        let solo = Solo(isControlling: true)
        let other = SocketAddress(.v4(0xC633_6402), 7000)
        solo.check(ufrag: "fork", from: other)
        solo.check()
        solo.describe()
        solo.succeedAll()
        #expect(solo.agent.pairs.map(\.remote.address) == [solo.peer] && solo.agent.state == .completed)
        // Answered, but neither paired nor checked while another fork is the described one.
        solo.check(useCandidate: true, ufrag: "fork", from: other)
        #expect(solo.lastSent?.messageClass == .success && solo.agent.pairs.count == 1)
        solo.handle(.setRemote(IceCredentials(ufrag: "fork", pwd: solo.peerCredentials.pwd), candidates: [], isLite: false))
        #expect(solo.agent.selectedRoute(1) == nil && solo.requests.last?.transmit.destination == other)
        solo.succeedAll()
        #expect(solo.agent.selectedPair(1)?.remote.address == other && solo.count { $0.isValidPair } == 2)
    }

    @Test func litePeer() {
        let solo = Solo(isControlling: false)
        solo.describe(isLite: true)
        #expect(solo.agent.role == .controlling)
        solo.succeedAll()
        #expect(solo.agent.state == .completed && solo.requests.map(\.message.hasUseCandidate) == [false, true])
    }

    @Test func nominationIsRepeatedUntilAnswered() throws {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeed(try #require(solo.lastSent))
        #expect(solo.lastSent?.hasUseCandidate == true && solo.agent.state == .connected)
        solo.refuse(try #require(solo.lastSent), 401, isAuthentic: false)
        solo.advance(.milliseconds(150))
        #expect(solo.requests.map(\.message.hasUseCandidate) == [false, true, true] && solo.agent.selectedRoute(1) != nil)
        solo.succeed(try #require(solo.lastSent))
        #expect(solo.agent.state == .completed)
    }

    @Test func controlledWithoutNominationStaysConnected() {
        let solo = Solo(isControlling: false)
        solo.describe()
        solo.succeedAll()
        for _ in 0..<20 {
            solo.advance(.seconds(3))
            solo.succeedAll()
        }
        #expect(solo.agent.state == .connected && solo.agent.selectedRoute(1)?.remote == solo.peer)
    }

    /// The peer nominated the better pair, never heard our answer and went on to another: its later nominations count, not our preference.
    @Test func nominationReplacesAnAbandonedPair() {
        let solo = Solo(isControlling: false)
        let other = SocketAddress(solo.peer.ip, 6000)
        solo.describe([solo.candidate(solo.peer), solo.candidate(other, priority: 1000)])
        solo.advance(.milliseconds(100))
        solo.succeedAll()
        solo.check(useCandidate: true)
        solo.check(useCandidate: true, from: other)
        solo.succeedAll()
        #expect(solo.agent.selectedRoute(1)?.remote == solo.peer)
        for _ in 0..<9 {
            solo.advance(.seconds(1))
            solo.succeedAll()
        }
        solo.check(useCandidate: true, from: other)
        #expect(solo.agent.selectedRoute(1)?.remote == solo.peer)
        // The pair in use still answers: it is not stale.
        solo.advance(.seconds(2))
        solo.succeedAll()
        solo.check(useCandidate: true, from: other)
        #expect(solo.agent.selectedRoute(1)?.remote == other)
    }

    /// A peer whose path died nominates a worse pair: used, because the better one no longer answers.
    @Test func nominationReplacesAStalePair() {
        let solo = Solo(isControlling: false)
        let worse = SocketAddress(solo.peer.ip, 5001)
        solo.describe([solo.candidate(solo.peer, priority: 2000), solo.candidate(worse, priority: 1000, foundation: "2")])
        solo.check(useCandidate: true)
        solo.succeedAll()
        solo.advance(.milliseconds(10_001))
        solo.check(useCandidate: true, from: worse)
        solo.answered = solo.requests.count - 1
        solo.succeedAll()
        #expect(solo.agent.selectedPair(1)?.remote.address == worse && solo.agent.state == .completed)
    }

    /// RFC 8445 §8.1.2: once a pair is nominated, the others of its component are left alone.
    @Test func otherChecksEndWithTheNomination() {
        let solo = Solo(isControlling: true)
        let silent = SocketAddress(solo.peer.ip, 5001)
        solo.describe([solo.candidate(solo.peer, priority: 1000), solo.candidate(silent, priority: 2000, foundation: "2")])
        solo.advance(.milliseconds(60))
        #expect(solo.requests.map(\.transmit.destination) == [silent, solo.peer])
        if let check = solo.requests.last?.message { solo.succeed(check) }
        #expect(solo.requests.count == 2)
        solo.advance(.milliseconds(150))
        #expect(solo.lastSent?.hasUseCandidate == true)
        if let nomination = solo.requests.last?.message { solo.succeed(nomination) }
        solo.advance(.seconds(3))
        #expect(solo.agent.state == .completed && solo.requests.count == 3)
    }
}
