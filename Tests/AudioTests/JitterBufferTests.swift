import Audio
import Core
import Testing

@Suite struct JitterBufferTests {
    @Test func cleanLinkPlaysEverythingWithLittleDelay() {
        var receiver = ReceiverModel()
        receiver.run(LinkModel())
        #expect(receiver.played == Array(0..<receiver.played.count))
        #expect(receiver.played.count > 1490)
        #expect(receiver.concealed == 0)
        #expect(receiver.delays.max() ?? 99 <= 40)
        // The first packet arrives after 37 ms.
        #expect((receiver.firstPlayed ?? 999) - 37 <= 40)
    }

    @Test(arguments: [60.0, 120.0])
    func jitterIsCovered(jitter: Double) {
        var receiver = ReceiverModel()
        receiver.run(LinkModel(seed: 3, jitter: jitter, packets: 3000))
        #expect(Set(receiver.played).count > 2970)
        #expect(receiver.played == receiver.played.sorted())
        // After five seconds it has learnt: at most 2 % are concealed over the whole minute.
        #expect(receiver.concealed < 3000 * 960 / 50)
        #expect(receiver.delays.suffix(500).max() ?? 999 < jitter + 40)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func lossIsConcealedOrRestored(seed: UInt64) {
        var receiver = ReceiverModel()
        receiver.run(LinkModel(seed: seed, jitter: 5, loss: 0.1), redundancy: true)
        #expect(receiver.played == receiver.played.sorted())
        let lost = 1500 - Set(receiver.played).count
        // Nothing but the lost packets is filled, and most single losses are restored from the copy.
        #expect(abs((receiver.concealed + receiver.restored) / 960 - lost) <= 8)
        #expect(receiver.restored > receiver.concealed * 2)
        #expect(receiver.delays.suffix(500).max() ?? 999 < 80)
    }

    @Test func reorderAndDuplicatesDoNoHarm() {
        var receiver = ReceiverModel()
        receiver.run(LinkModel(seed: 5, jitter: 50, loss: 0.02, duplicates: 0.2))
        #expect(receiver.played == receiver.played.sorted())
        #expect(Set(receiver.played).count == receiver.played.count)
        #expect(receiver.buffer.counters.discarded > 100)
    }

    @Test(arguments: [200.0, -200.0])
    func clockDriftOfTenMinutesIsFollowed(drift: Double) {
        var receiver = ReceiverModel()
        receiver.run(LinkModel(seed: 9, jitter: 10, drift: drift, packets: 30_000))
        // 120 ms of drift in total; the delay stays where it was.
        #expect(receiver.delays.max() ?? 999 < 70)
        #expect(receiver.concealed < 960 * 60)
        #expect(receiver.adjustments >= 20)
        #expect(receiver.adjustments < 200)
    }

    @Test func aBurstAfterAStallIsPlayedAndTheDelayComesBack() {
        var receiver = ReceiverModel()
        for n in 0..<1000 {
            let now = Double(n) * 20
            // From 4 s on 300 ms of packets are held back and then come together.
            if n < 200 || n > 215 { receiver.insert(n, at: now) }
            if n == 215 { for k in 200...215 { receiver.insert(k, at: now) } }
            receiver.tick(at: now + 1)
        }
        #expect(receiver.played.count >= 995)
        #expect(receiver.delays.max() ?? 0 > 200)
        #expect(receiver.delays.last ?? 999 < 60)
    }

    @Test func aNewSSRCBeginsAnew() {
        var receiver = ReceiverModel()
        for n in 0..<100 {
            receiver.insert(n, at: Double(n) * 20)
            receiver.tick(at: Double(n) * 20 + 1)
        }
        for n in 100..<200 {
            receiver.insert(n + 4000, at: Double(n) * 20, ssrc: n < 150 ? 8 : 7, base: 5)
            receiver.tick(at: Double(n) * 20 + 1)
        }
        #expect(receiver.buffer.counters.restarts == 2)
        #expect(receiver.played.suffix(40) == ArraySlice(4158...4197) || receiver.played.suffix(40) == ArraySlice(4159...4198))
    }

    @Test func jumpOfTimestampsBeginsAnew() {
        var receiver = ReceiverModel()
        for n in 0..<100 {
            receiver.insert(n, at: Double(n) * 20, base: n < 50 ? 1000 : 90_000_000)
            receiver.tick(at: Double(n) * 20 + 1)
        }
        #expect(receiver.buffer.counters.restarts == 1)
        #expect(receiver.played.suffix(40) == ArraySlice(receiver.played.last.map { Array($0 - 39...$0) } ?? []))
        #expect(receiver.delays.last ?? 999 < 60)
    }

    @Test func oneStrayPacketChangesNothing() {
        var receiver = ReceiverModel()
        for n in 0..<100 {
            receiver.insert(n, at: Double(n) * 20)
            if n == 50 { receiver.insert(n + 20_000, at: Double(n) * 20) }
            receiver.tick(at: Double(n) * 20 + 1)
        }
        #expect(receiver.buffer.counters.restarts == 0)
        #expect(receiver.concealed == 0)
        #expect(!receiver.played.contains(20_050))
    }

    @Test func aPauseOfTheSenderIsNoLoss() {
        var receiver = ReceiverModel()
        for n in 0..<300 {
            let now = Double(n) * 20
            // 400 ms pauses: sequence numbers go on, timestamps follow the clock.
            if n % 50 < 30 {
                let sequence = n / 50 * 30 + n % 50
                var payload = UInt32(n)
                withUnsafeBytes(of: &payload) {
                    receiver.buffer.insert(
                        AudioPacketHeader(sequence: UInt16(sequence), timestamp: UInt32(n * 960), ssrc: 1, payloadType: 1), payload: $0,
                        duration: 960,
                        arrival: ReceiverModel.instant(now))
                }
            }
            receiver.tick(at: now + 1)
        }
        #expect(receiver.played.count >= 178)
        #expect(receiver.delays.max() ?? 999 < 60)
    }

    @Test func theBufferIsBounded() {
        var receiver = ReceiverModel()
        for n in 0..<2000 { receiver.insert(n, at: 0) }
        receiver.tick(at: 100)
        for n in 0..<100 { receiver.tick(at: 120 + Double(n) * 20) }
        #expect(receiver.buffer.counters.discarded >= 1900)
        #expect(receiver.played.count <= 64)
    }

    @Test func latePacketsAreCounted() {
        var receiver = ReceiverModel()
        for n in 0..<50 {
            if n != 20 { receiver.insert(n, at: Double(n) * 20) }
            if n == 30 { receiver.insert(20, at: Double(n) * 20 + 1) }
            receiver.tick(at: Double(n) * 20 + 2)
        }
        #expect(receiver.buffer.counters.late == 1)
        #expect(!receiver.played.contains(20))
    }
}
