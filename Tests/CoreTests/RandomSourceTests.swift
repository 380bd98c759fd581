import Core
import Testing

struct RandomSourceTests {
    /// SplitMix64's published first outputs.
    @Test(
        arguments: [
            (0, [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F]),
            (1_234_567, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]),
        ] as [(UInt64, [UInt64])])
    func splitMix64(seed: UInt64, expected: [UInt64]) {
        let random = RandomSource(seed: seed)
        #expect((0..<expected.count).map { _ in random.next() } == expected)
    }

    private func history(_ random: RandomSource) -> [String] {
        (0..<20).flatMap { i in [random.bytes(i).hexadecimal, random.token(i), String(random.uniform()), String(random.next())] }
    }

    @Test func aSeedReplays() {
        #expect(history(RandomSource(seed: 42)) == history(RandomSource(seed: 42)))
        #expect(history(RandomSource(seed: 42)) != history(RandomSource(seed: 43)))
    }

    /// Two names of one source draw from one sequence: nothing is drawn twice.
    @Test func aSourceIsShared() {
        let random = RandomSource(seed: 7)
        let other = random
        let reference = RandomSource(seed: 7)
        #expect([random.next(), other.next(), random.next()] == [reference.next(), reference.next(), reference.next()])
    }

    @Test func theWorldsSourceIsUsed() {
        var counter: UInt64 = 0
        let random = RandomSource {
            counter += 1
            return 0xF1E2_D3C4_B5A6_9780 &+ counter
        }
        #expect(random.bytes(10) == [0x81, 0x97, 0xA6, 0xB5, 0xC4, 0xD3, 0xE2, 0xF1, 0x82, 0x97])
        #expect(counter == 2)
        #expect(random.bytes(0).isEmpty && counter == 2)
    }

    @Test func tokensAreLettersAndDigits() {
        let random = RandomSource(seed: 3)
        let text = random.token(20_000)
        #expect(text.utf8.count == 20_000)
        let seen = Set(text.utf8)
        #expect(seen == Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8))
        #expect(random.token(0).isEmpty)
    }

    @Test func uniformStaysInItsRange() {
        let random = RandomSource(seed: 5)
        let draws = (0..<10_000).map { _ in random.uniform() }
        #expect(draws.allSatisfy { $0 >= 0 && $0 < 1 })
        let mean = draws.reduce(0, +) / 10_000
        #expect(mean > 0.48 && mean < 0.52)
    }
}
