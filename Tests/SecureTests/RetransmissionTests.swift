import Core
import Secure
import Testing

@Suite struct RetransmissionTests {
    /// A client alone: nothing ever comes.
    private func alone(_ configuration: DTLSConfiguration = DTLSConfiguration()) -> Side {
        let side = Side(.client, Identities.alice, configuration)
        side.association.start(at: .zero)
        _ = side.drain(at: .zero)
        while let deadline = side.association.deadline {
            side.association.handleTimeout(at: deadline)
            _ = side.drain(at: deadline)
        }
        return side
    }

    @Test func exactInstants() {
        let side = alone()
        let library = [0, 50, 150, 350, 750, 1550, 2550, 3550, 4550, 5550, 6550, 7550, 8550]
        let repeated = (0...30).map { 9550 + 1000 * $0 }
        #expect(side.sentAt == (library + repeated).map(at))
        #expect(side.failure == .timeout(alert: nil))
        #expect(side.states == [.connecting, .failed])
        #expect(side.association.statistics.retransmissions == 12 + 31)
        #expect(side.association.statistics.datagramsSent == 44)
    }

    @Test func theOwnersLimitCounts() {
        var configuration = DTLSConfiguration()
        configuration.limit = .milliseconds(1000)
        let side = alone(configuration)
        #expect(side.sentAt == [0, 50, 150, 350, 750].map(at))
        #expect(side.failure == .timeout(alert: nil))
    }

    @Test func nothingHappensBeforeTheDeadline() {
        let side = Side(.client, Identities.alice)
        side.association.start(at: .zero)
        _ = side.drain(at: .zero)
        side.association.handleTimeout(at: at(49))
        #expect(side.association.poll() == nil)
        #expect(side.association.deadline == at(50))
    }

    @Test func aServerWaitsInSilenceUntilTheLimit() {
        let side = Side(.server, Identities.bob)
        side.association.start(at: .zero)
        #expect(side.drain(at: .zero).isEmpty)
        #expect(side.association.deadline == at(40_000))
    }

    @Test(arguments: [5, 9, 10, 15, 30, 39])
    func row6AnAnswerComesLate(seconds: Int) {
        let link = Link()
        link.client.association.start(at: .zero)
        link.server.isPresent = false
        link.pump()
        link.run(until: at(seconds * 1000))
        link.server.isPresent = true
        link.server.association.start(at: link.now)
        link.pump()
        link.run(until: at(seconds * 1000 + 2000))
        #expect(link.keysAgree)
        #expect(link.now <= at(seconds * 1000 + 1100))
    }

    enum Way: CaseIterable { case toClient, toServer, both }

    /// Every flight is lost in one direction or in both, for longer than the library tries by itself.
    @Test(arguments: Way.allCases, [2, 9, 12, 20, 30])
    func row6EveryFirstFlightIsLost(way: Way, seconds: Int) {
        let link = Link()
        link.filter = { [unowned link] fromClient, _, datagram in
            let isDead = way == .both || (way == .toServer) == fromClient
            return isDead && link.now < at(seconds * 1000) ? [] : [datagram]
        }
        link.start()
        #expect(!link.bothConnected)
        link.run(until: at(seconds * 1000 - 1))
        #expect(link.client.states == [.connecting] && link.server.states == [.connecting])
        link.run(until: at(seconds * 1000 + 5000))
        #expect(link.keysAgree)
        #expect(link.now <= at(seconds * 1000 + 2200))
    }

    /// The client's answer to the server's flight never comes through at first: the server repeats its flight, or the client its own.
    @Test(arguments: [3, 12, 30]) func row6TheClientsSecondFlightIsLost(seconds: Int) {
        let link = Link()
        link.filter = { [unowned link] fromClient, number, datagram in
            fromClient && number >= 1 && link.now < at(seconds * 1000) ? [] : [datagram]
        }
        link.start()
        link.run(until: at(seconds * 1000 + 5000))
        #expect(link.keysAgree && link.now >= at(seconds * 1000))
    }

    /// The way to the client is dead for longer than the library tries.
    @Test func row6OneWayForTwelveSeconds() {
        let link = Link()
        link.filter = { [unowned link] fromClient, _, datagram in !fromClient && link.now < at(12_000) ? [] : [datagram] }
        link.start()
        link.run(until: at(20_000))
        #expect(link.keysAgree)
    }

    @Test(arguments: [0.0, 0.05, 0.2, 0.3])
    func lossIsSurvivedAndReplays(rate: Double) {
        var failed: [UInt64] = []
        var different: [UInt64] = []
        for seed in UInt64(1)...200 {
            let link = Link()
            link.lose(rate: rate, seed: seed)
            link.start()
            link.run(until: at(60_000))
            if !link.keysAgree { failed.append(seed) }
            let again = Link()
            again.lose(rate: rate, seed: seed)
            again.start()
            again.run(until: at(60_000))
            if again.journal != link.journal { different.append(seed) }
        }
        #expect(failed.isEmpty)
        #expect(different.isEmpty)
    }

    @Test(arguments: [60, 200, 700, 3000])
    func theServersLastFlightIsLost(until milliseconds: Int) {
        let link = Link()
        var lost = 0
        link.filter = { [unowned link] fromClient, number, datagram in
            guard !fromClient, number >= 1, link.now < at(milliseconds) else { return [datagram] }
            lost += 1
            return []
        }
        link.start()
        link.run(until: at(10_000))
        #expect(lost >= 1)
        #expect(link.server.states == [.connecting, .connected])
        #expect(link.keysAgree)
        #expect(link.client.association.statistics.retransmissions >= 1)
    }

    @Test func everythingTwiceAndInReverseOrderWithinAFlight() {
        let link = Link()
        link.filter = { _, _, datagram in
            let parts = records(datagram).reversed().map { $0 }
            return parts + parts
        }
        link.start()
        link.run(until: at(10_000))
        #expect(link.keysAgree)
    }
}
