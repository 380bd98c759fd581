/// Where a machine's random numbers come from: an argument, so that a seed replays a whole call.
///
/// A class, because copies of a value would draw the same numbers twice. Belongs to one thread.
public final class RandomSource: RandomNumberGenerator {
    private let draw: () -> UInt64

    /// A source of the world, e.g. `{ SystemRandomNumberGenerator().next() }` given by the runtime.
    public init(_ draw: @escaping () -> UInt64) { self.draw = draw }

    /// A replayable source (SplitMix64). For tests and the simulator only.
    public init(seed: UInt64) {
        var state = seed
        draw = {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    public func next() -> UInt64 { draw() }

    public func bytes(_ count: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(count)
        while out.count < count {
            var word = next()
            for _ in 0..<min(8, count - out.count) {
                out.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return out
    }

    /// `count` characters of letters and digits: valid as SIP token, tag, branch, ice-ufrag and ice-pwd (5.95 bits each).
    public func token(_ count: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var generator = self
        let characters = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        return String(decoding: characters, as: UTF8.self)
    }

    public func uniform() -> Double {
        var generator = self
        return Double.random(in: 0..<1, using: &generator)
    }
}
