import Core
import ICE
import Interface
import Simulator
import Testing

@testable import Engine

/// Row 8: a peer that answers early checks with an error, or not at all.
@Suite struct Row08Tests {
    /// What becomes of our checks; the count of those met goes to `met`.
    private func refuse(_ pair: Pair, _ role: Role, with status: Int?, until: Instant, met: @escaping (Instant) -> Void) {
        pair.simulation.filters.append { [simulation = pair.simulation, own = pair.own(role).address] datagram in
            guard datagram.kind == .stun, datagram.source.ip == own, simulation.now < until else { return [datagram] }
            guard let message = try? StunMessage.parse(datagram.payload.span.bytes) else { return [] }
            guard message.messageClass == .request else { return [datagram] }
            met(simulation.now)
            guard let status else { return [] }
            var response = StunBuilder(.error, id: message.transactionID)
            response.addError(status, reason: status == 401 ? "Unauthorized" : "Bad Request")
            return [Datagram(source: datagram.destination, destination: datagram.source, payload: response.finish())]
        }
    }

    /// 401, 400 or nothing for a while, as long as the peer has not read our description; then right answers: it connects.
    @Test(arguments: Role.allCases, [401, 400, nil]) func row08_thenRight(role: Role, status: Int?) {
        let pair = Pair()
        let until = pair.simulation.now + .milliseconds(1200)
        var refused = 0
        refuse(pair, role, with: status, until: until) { _ in refused += 1 }
        #expect(pair.connect())
        #expect(refused > 2)
        #expect(pair.simulation.now > until && pair.simulation.now - until < .seconds(3))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.own(role).transport?.iceState == "completed")
        pair.expectVerified()
        pair.expectAudio()
        pair.finish()
        #expect(pair.own(role).result?.outcome == .answered)
    }

    /// For ten seconds, with both sides' checks refused: nothing is given up early.
    @Test(arguments: [401, 400, nil]) func row08_longAndBoth(status: Int?) {
        let pair = Pair()
        let until = pair.simulation.now + .seconds(10)
        for role in Role.allCases { refuse(pair, role, with: status, until: until) { _ in } }
        #expect(pair.connect(limit: .seconds(20)))
        #expect(pair.simulation.now > until && pair.simulation.now - until < .seconds(5))
        pair.finish()
    }

    /// Never right: checks go on until the time for ICE is over, and the call ends with its reason.
    @Test(arguments: Role.allCases, [401, 400, nil]) func row08_neverRight(role: Role, status: Int?) {
        let pair = Pair(both: { $0.security = .dtls })
        let from = pair.simulation.now
        var last = Instant.zero
        for each in Role.allCases {
            refuse(pair, each, with: status, until: .distantFuture) { if each == role { last = $0 } }
        }
        pair.dial()
        pair.simulation.run(for: .seconds(45))
        #expect(last - from > .seconds(25) && last - from < .seconds(31), "the last check was at \(last - from)")
        #expect(pair.own(role).result?.outcome == .iceFailed || pair.peer(role).result?.outcome == .iceFailed)
        #expect(pair.alice.hasEnded && pair.bob.hasEnded && pair.simulation.sent[.dtls] == nil)
        pair.finish()
    }
}
