import Core
import Testing

@testable import ICE

/// 5,000 damaged messages into a working agent: no crash, and the selected pair stays.
@Suite struct IceFuzzTests {
    @Test func mutatedPackets() {
        let random = RandomSource(seed: 4)
        var generator = random
        let solo = Solo(isControlling: false)
        solo.describe()
        solo.succeedAll()
        solo.check(useCandidate: true)
        let route = solo.agent.selectedRoute(1)?.remote
        let seeds =
            [RFC5769Tests.request, RFC5769Tests.responseV4, RFC5769Tests.responseV6, RFC5769Tests.longTerm] + solo.sent.map(\.transmit.payload)
        var parsed = 0
        for round in 0..<5000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                guard !bytes.isEmpty else { break }
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 2: bytes.removeSubrange(index...)
                default: bytes.insert(contentsOf: random.bytes(4), at: index)
                }
            }
            // Half of them get a fitting length and lose their fingerprint, so that they come further than the checksum.
            if round % 2 == 0, bytes.count >= 28 {
                if round % 4 == 0 { bytes.removeLast(8) }
                bytes.removeLast(bytes.count & 3)
                var writer = ByteWriter()
                writer.append(bytes)
                writer.setU16(UInt16(truncatingIfNeeded: bytes.count - 20), at: 2)
                bytes = writer.bytes
            }
            if let message = try? parse(bytes) {
                parsed += 1
                _ = (message.mapped, message.errorCode, message.unknownAttributes, message.username, message.verify(solo.peerCredentials.key))
            }
            solo.receive(bytes)
        }
        #expect(parsed > 200)
        #expect(solo.agent.selectedRoute(1)?.remote == route && solo.agent.state == .completed)
    }

    /// Every attribute type with a value of every length up to 24 bytes, with valid integrity.
    @Test func authenticatedNonsense() {
        let solo = Solo(isControlling: true)
        solo.describe()
        for type in [0x0001, 0x0006, 0x0009, 0x000A, 0x0014, 0x0015, 0x0020, 0x0024, 0x0025, 0x8022, 0x8029, 0x802A, 0x7777] as [UInt16] {
            for count in 0...24 {
                for messageClass in [StunClass.request, .success, .error] {
                    var builder = StunBuilder(messageClass, id: solo.requests.last?.message.transactionID ?? StunTransactionID(high: 1, low: 1))
                    builder.add(StunAttribute(rawValue: type), [UInt8](repeating: 0xFF, count: count))
                    builder.add(.username, text: "\(solo.agent.localCredentials.ufrag):peer")
                    let key = messageClass == .request ? solo.agent.localCredentials.key : solo.peerCredentials.key
                    solo.receive(builder.finish(key: key))
                }
                solo.advance(.milliseconds(50))
            }
        }
        #expect(solo.agent.counters.requestsReceived == 325 && solo.agent.state == .checking)
    }
}
