import Core
import Testing

@testable import RTP

/// Audio of another session in our stream.
@Suite struct AudioRelayTests {
    private static let upcoming: (sequence: UInt16, timestampOffset: UInt32) = (100, 5000)

    private func pass(
        _ relay: inout AudioRelay, _ sequence: UInt16, ssrc: UInt32 = 1, after sent: VP8Forwarder.Sent? = nil, at now: Instant = .zero
    ) -> (sequence: UInt16, timestamp: UInt32)? {
        relay.pass(
            sequence: sequence, timestamp: UInt32(sequence &- 50_000) * 160, ssrc: ssrc, clockRate: 8000, after: sent, upcoming: Self.upcoming,
            at: now)
    }

    @Test func gapsStayAndSwallowedNumbersAreNotMissed() {
        var relay = AudioRelay()
        #expect(pass(&relay, 65_534)?.sequence == 100)
        #expect(pass(&relay, 65_535)?.sequence == 101)
        // 0 is lost, 1 is not passed on.
        relay.swallow(1, ssrc: 1)
        #expect(pass(&relay, 2)?.sequence == 103)
        relay.swallow(2, ssrc: 9)
        #expect(pass(&relay, 3)?.sequence == 104)
        #expect(pass(&relay, 5)?.sequence == 106 && pass(&relay, 4)?.sequence == 105)
    }

    /// No number goes out twice, whatever the order: SRTP forbids it, and another payload under it is wrong.
    @Test(arguments: [UInt64](1...40)) func noNumberTwice(seed: UInt64) {
        let random = RandomSource(seed: seed)
        func below(_ n: UInt64) -> Int { Int(random.next() % n) }
        var order = (0..<400).map { UInt16(truncatingIfNeeded: 65_300 + $0) }
        for index in order.indices.dropLast(6) where below(4) == 0 { order.swapAt(index, index + 1 + below(5)) }
        var relay = AudioRelay()
        var used: Set<UInt16> = [99]
        var passed = 0
        // What left before was number 99.
        let sent = VP8Forwarder.Sent(sequence: 99, timestamp: 0, at: .zero)
        for number in order {
            if number / 40 % 3 == 1 {
                relay.swallow(number, ssrc: 1)
            } else if let out = pass(&relay, number, after: sent) {
                #expect(used.insert(out.sequence).inserted, "seed \(seed): \(out.sequence) again, of \(number)")
                passed += 1
            }
        }
        #expect(passed > 200)
    }

    /// Another source goes on behind the former one, by the time that went by.
    @Test func switchOfSource() {
        var relay = AudioRelay()
        #expect(pass(&relay, 10).map { [UInt32($0.sequence), $0.timestamp] } == [100, 5000])
        let sent = VP8Forwarder.Sent(sequence: 100, timestamp: 5000, at: .zero)
        let next = pass(&relay, 40_000, ssrc: 2, after: sent, at: .zero + .milliseconds(205))
        #expect(next?.sequence == 101 && next?.timestamp == 5000 + 1600)
        // A jump of the same source is a new beginning.
        let last = VP8Forwarder.Sent(sequence: 101, timestamp: 6600, at: .zero + .milliseconds(205))
        let jump = pass(&relay, 50_000, ssrc: 2, after: last, at: .zero + .milliseconds(206))
        #expect(jump?.sequence == 102 && jump?.timestamp == 6760)
        relay.interrupt()
        #expect(pass(&relay, 50_001, ssrc: 2, after: last, at: .zero + .milliseconds(225))?.sequence == 102)
    }

    /// A source whose numbers start anew, by any step that its receiver believes: no number leaves twice.
    @Test(arguments: [-20_000, -1000, -500, -101, 1001, 20_000]) func aSourceThatRenumbers(step: Int) throws {
        var relay = AudioRelay()
        var sent: VP8Forwarder.Sent?
        var now = Instant.zero
        var numbers: [UInt16] = []
        var sequence: UInt16 = 30_000
        var timestamp: UInt32 = 77
        func pass() throws {
            let passed = relay.pass(
                sequence: sequence, timestamp: timestamp, ssrc: 7, clockRate: 8000, after: sent, upcoming: (65_000, 9), at: now)
            let out = try #require(passed)
            numbers.append(out.sequence)
            sent = VP8Forwarder.Sent(sequence: out.sequence, timestamp: out.timestamp, at: now)
            sequence &+= 1
            timestamp &+= 160
            now += .milliseconds(20)
        }
        for _ in 0..<600 { try pass() }
        sequence &+= UInt16(truncatingIfNeeded: step)
        for _ in 0..<100 { try pass() }
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    }
}
