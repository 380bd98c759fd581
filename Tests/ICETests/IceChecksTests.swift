import Core
import Testing

@testable import ICE

@Suite struct IceChecksTests {
    @Test func prioritiesOfTheFormula() {
        #expect(IceCandidate.priority(.host, localPreference: 65535, component: 1) == 2_130_706_431)
        #expect(IceCandidate.priority(.serverReflexive, localPreference: 65535, component: 2) == 1_694_498_814)
        let solo = Solo(isControlling: true)
        let local = solo.candidate(solo.base, priority: 100)
        let remote = solo.candidate(solo.peer, priority: 200)
        #expect(IcePair(id: 1, local: local, remote: remote, role: .controlling).priority == 100 << 32 + 400)
        #expect(IcePair(id: 1, local: remote, remote: local, role: .controlling).priority == 100 << 32 + 401)
        #expect(IcePair(id: 1, local: solo.candidate(solo.base, priority: .max), remote: remote, role: .controlled).priority > 0)
    }

    @Test func checkCarriesWhatTheRFCAsks() throws {
        let solo = Solo(isControlling: true)
        solo.describe()
        let check = try #require(solo.lastSent)
        #expect(check.username == "peer:\(solo.agent.localCredentials.ufrag)" && check.verify(solo.peerCredentials.key))
        #expect(check.attributes == [.username, .priority, .iceControlling, .messageIntegrity, .fingerprint])
        #expect(check.priority.map { $0 >> 24 } == 110 && check.iceControlling == solo.agent.tieBreaker)
        #expect(solo.agent.localCredentials.ufrag.utf8.count == 8 && solo.agent.localCredentials.pwd.utf8.count == 24)
    }

    /// RTO 500 ms doubling, four requests, then a new transaction.
    @Test func retransmissions() {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.advance(.seconds(12))
        #expect(solo.requests.map { $0.at.milliseconds(since: .zero) } == [0, 500, 1500, 3500, 5600, 6100, 7100, 9100, 11300, 11800])
        #expect(Set(solo.requests.map(\.message.transactionID)).count == 3)
    }

    @Test func pacing() {
        let solo = Solo(isControlling: true)
        let candidates = (0..<5).map {
            solo.candidate(SocketAddress(solo.peer.ip, 5000 + UInt16($0)), priority: 1000 - UInt32($0), foundation: "\($0)")
        }
        solo.describe(candidates.reversed())
        solo.advance(.milliseconds(300))
        #expect(solo.requests.map { $0.at.milliseconds(since: .zero) } == [0, 50, 100, 150, 200])
        #expect(solo.requests.map(\.transmit.destination.port) == [5000, 5001, 5002, 5003, 5004])
    }

    /// 401, 400 and nonsense codes are never final; plain and authenticated alike.
    @Test(arguments: [401, 400, 420, 500], [true, false])
    func refusalsAreRetried(_ code: Int, _ isAuthentic: Bool) throws {
        let solo = Solo(isControlling: true)
        solo.describe()
        for _ in 0..<10 {
            solo.refuse(try #require(solo.requests.last?.message), code, isAuthentic: isAuthentic)
            solo.advance(.seconds(2))
        }
        #expect(solo.agent.state == .checking && solo.agent.counters.errorResponses == 10)
        #expect(solo.requests.prefix(3).map { $0.at.milliseconds(since: .zero) } == [0, 100, 600])
        solo.succeed(try #require(solo.requests.last?.message))
        solo.succeed(try #require(solo.requests.last?.message))
        #expect(solo.agent.state == .completed)
    }

    /// An error 487 without integrity could be forged by anybody on the path that sees the transaction: the role stays.
    @Test func roleConflictAnswered487() throws {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.refuse(try #require(solo.lastSent), 487, isAuthentic: false)
        #expect(solo.agent.role == .controlling && solo.agent.counters.forgedResponses == 1)
        solo.refuse(try #require(solo.lastSent), 487, isAuthentic: true)
        #expect(solo.agent.role == .controlled && solo.count { $0 == .roleChanged(.controlled) } == 1)
        solo.advance(.milliseconds(50))
        #expect(solo.lastSent?.iceControlled == solo.agent.tieBreaker)
    }

    @Test func roleConflictWeAnswer487() throws {
        let solo = Solo(isControlling: true)
        solo.agent.tieBreaker = .max
        solo.check(controlling: true)
        #expect(solo.lastSent?.errorCode?.code == 487 && solo.lastSent?.verify(solo.agent.localCredentials.key) == true)
        #expect(solo.agent.role == .controlling)
        solo.agent.tieBreaker = 1
        solo.check(controlling: true)
        #expect(solo.lastSent?.messageClass == .success && solo.agent.role == .controlled)
    }

    @Test func answerFromElsewhereFailsThePairForNow() throws {
        let solo = Solo(isControlling: true)
        solo.describe()
        solo.succeed(try #require(solo.lastSent), from: SocketAddress(solo.peer.ip, 9))
        #expect(solo.agent.pairs.map(\.state) == [.failed] && !solo.agent.isKnownSource(SocketAddress(solo.peer.ip, 9), component: 1))
        solo.advance(.milliseconds(100))
        solo.succeed(try #require(solo.lastSent))
        #expect(solo.agent.pairs.map(\.state) == [.succeeded])
    }

    @Test func forgedAnswerIsIgnored() throws {
        let solo = Solo(isControlling: true)
        solo.describe()
        var forged = StunBuilder(.success, id: try #require(solo.lastSent).transactionID)
        forged.add(.xorMappedAddress, xorAddress: solo.base)
        solo.receive(forged.finish(key: .shortTerm(password: "guess")))
        #expect(solo.agent.pairs.map(\.state) == [.inProgress] && solo.agent.counters.forgedResponses == 1)
    }

    @Test func requestsThatAreRefused() {
        let solo = Solo(isControlling: true)
        solo.receive(StunBuilder(.request, id: StunTransactionID(high: 1, low: 1)).finish())
        #expect(solo.lastSent?.errorCode?.code == 400 && solo.lastSent?.integrity == nil)
        solo.check(pwd: "wrong")
        #expect(solo.lastSent?.errorCode?.code == 401)
        solo.check(extra: StunAttribute(rawValue: 0x0003))
        #expect(solo.lastSent?.errorCode?.code == 420 && solo.lastSent?.unknownAttributes.map(\.rawValue) == [3])
        #expect(solo.agent.isKnownSource(solo.peer, component: 1))
        solo.check(extra: StunAttribute(rawValue: 0xC057))
        #expect(solo.lastSent?.messageClass == .success && solo.lastSent?.mapped == solo.peer)
        #expect([solo.agent.counters.badRequests, solo.agent.counters.unauthenticated, solo.agent.counters.unknownAttributes] == [1, 1, 1])
        solo.receive([1, 2, 3])
        solo.receive(StunBuilder(.request, id: StunTransactionID(high: 1, low: 1)).finish(), to: solo.peer)
        #expect(solo.agent.counters.malformed == 2)
    }

    @Test func strangerIsNotKnown() {
        let solo = Solo(isControlling: true)
        solo.check(pwd: "wrong")
        #expect(!solo.agent.isKnownSource(solo.peer, component: 1))
    }

    @Test func triggeredCheckDoesNotWaitForTa() {
        let solo = Solo(isControlling: false)
        solo.describe([solo.candidate(SocketAddress(solo.peer.ip, 1))])
        solo.now += .milliseconds(10)
        solo.check()
        #expect(solo.requests.map(\.transmit.destination.port) == [1, 5000] && solo.requests.last?.at == solo.now)
    }

    @Test func capsHold() {
        let solo = Solo(isControlling: true)
        solo.handle(.addHost(component: 1, base: SocketAddress(.v4(0x0A00_0001), 4000)))
        for port in UInt16(1)...200 { solo.check(from: SocketAddress(solo.peer.ip, port)) }
        solo.describe((1...200).map { solo.candidate(SocketAddress(.v4(0x0A00_0100 + $0), 1000)) })
        #expect(solo.agent.remoteCandidates.count == 64 && solo.agent.pairs.count == 100)
        for port in UInt16(1)...200 { solo.check(from: SocketAddress(.v4(0xC633_6401), port)) }
        #expect(solo.agent.remoteCandidates.count == 64 && solo.agent.pairs.count == 100 && solo.agent.counters.overflow > 0)
        #expect(solo.agent.knownSources.count == 64)
    }

    @Test func uselessCandidatesAreIgnored() {
        let solo = Solo(isControlling: true)
        let useless = ["0.0.0.0:9", "224.0.0.1:5000", "[2001:db8::1]:5000", "192.0.2.7:0"].compactMap { SocketAddress($0) }
        solo.describe(useless.map { solo.candidate($0) } + [solo.candidate(solo.peer, component: 2)])
        #expect(solo.agent.pairs.isEmpty && solo.sent.isEmpty)
    }

    /// The signalled form of a candidate that was found by its check brings the peer's own priority.
    @Test func signalledFormReplacesPeerReflexive() {
        let solo = Solo(isControlling: false)
        solo.describe([])
        solo.check()
        #expect(solo.agent.pairs.map(\.remote.kind) == [.peerReflexive])
        solo.handle(.addRemoteCandidate(solo.candidate(solo.peer, priority: 77)))
        #expect(
            solo.agent.pairs.map(\.remote.kind) == [.host] && solo.agent.pairs.map(\.remote.priority) == [77]
                && solo.agent.remoteCandidates.count == 1)
    }
}
