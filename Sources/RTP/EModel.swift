/// How well speech gets across: the E-model of ITU-T G.107 with its default values, for a digital phone without echo of its own.
public struct EModel: Sendable, Equatable {
    /// What a codec costs (ITU-T G.113 appendix I).
    public struct Codec: Sendable, Equatable {
        /// Ie: impairment without loss.
        public var impairment: Double
        /// Bpl: robustness against random loss, in %.
        public var robustness: Double

        public init(impairment: Double, robustness: Double) {
            self.impairment = impairment
            self.robustness = robustness
        }

        /// G.711 that plays silence in place of what is lost.
        public static let g711 = Codec(impairment: 0, robustness: 4.3)
        /// G.711 with concealment.
        public static let g711Concealed = Codec(impairment: 0, robustness: 25.1)
    }

    /// R0 − Is with all default values.
    static let defaultRating = 93.2

    public var codec: Codec
    /// Lost and discarded packets, in %.
    public var lossPercent: Double

    public init(codec: Codec, lossPercent: Double) {
        self.codec = codec
        self.lossPercent = lossPercent
    }

    /// Ie,eff for random loss.
    var effectiveImpairment: Double {
        let loss = min(max(0, lossPercent), 100)
        return codec.impairment + (95 - codec.impairment) * loss / (loss + codec.robustness)
    }

    /// Idd: what delay from mouth to ear costs, from 100 ms on.
    static func delayImpairment(oneWayMs: Double) -> Double {
        guard oneWayMs > 100 else { return 0 }
        let x = binaryLogarithm(min(oneWayMs, 10_000) / 100)
        return 25 * (sixthRoot(1 + sixthPower(x)) - 3 * sixthRoot(1 + sixthPower(x / 3)) + 2)
    }

    /// R, 0 to 100. Without delay it rates listening only.
    public func rating(oneWayMs: Double? = nil) -> Double {
        let delay = oneWayMs.map { Self.delayImpairment(oneWayMs: $0) } ?? 0
        return min(max(0, Self.defaultRating - delay - effectiveImpairment), 100)
    }

    /// The mean opinion score of a rating, 1 to 4.5 (G.107 annex B).
    public static func meanOpinionScore(rating: Double) -> Double {
        guard rating > 0 else { return 1 }
        guard rating < 100 else { return 4.5 }
        return max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
    }

    // The standard library has no logarithm and no root but the square root; Foundation stays out of here.

    /// Of numbers from 1 up: the exponent, then one bit of the fraction with each squaring.
    private static func binaryLogarithm(_ value: Double) -> Double {
        var rest = value.significand
        var result = Double(value.exponent)
        var bit = 0.5
        for _ in 0..<40 {
            rest *= rest
            if rest >= 2 {
                rest /= 2
                result += bit
            }
            bit /= 2
        }
        return result
    }

    private static func sixthPower(_ x: Double) -> Double { x * x * x * x * x * x }

    /// Newton's method from above, for numbers from 1 up.
    private static func sixthRoot(_ value: Double) -> Double {
        var x = value.squareRoot()
        for _ in 0..<40 { x -= (x - value / (x * x * x * x * x)) / 6 }
        return x
    }
}
