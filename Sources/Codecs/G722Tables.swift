/// The constants of ITU-T G.722, clause 6.2, as the integers of the Recommendation; its names stand in brackets.
enum G722Tables {
    /// Decision levels of the lower band's 60-level quantiser, in 1/4096 of the step: level n is the n-th upper bound of a magnitude (Q6).
    static let decisions: InlineArray<29, Int32> = [
        35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786,
        858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
    ]

    /// The one decision level of the upper band, in 1/4096 of the step (Q2).
    static let upperDecision: Int32 = 564

    /// Output of the lower band's inverse quantiser by all six bits, in 1/32768 of the step (QM6).
    static let sixBits: InlineArray<64, Int32> = [
        -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
        -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
        24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
        4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
    ]

    /// The same by the upper four bits, which is what both ends adapt by (QM4).
    static let fourBits: InlineArray<16, Int32> = [
        0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
    ]

    /// Output of the upper band's inverse quantiser (QM2).
    static let twoBits: InlineArray<4, Int32> = [-7408, -1616, 7408, 1616]

    /// What the logarithm of the lower step grows by, by the upper four bits (WL by RL42).
    static let lowerGrowth: InlineArray<16, Int32> = [
        -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
    ]

    /// What the logarithm of the upper step grows by (WH by RH2).
    static let upperGrowth: InlineArray<4, Int32> = [798, -214, 798, -214]

    /// The step by its logarithm in 1/32 of an octave: 2048·2^(n/32) of table 18, shifted into its octave (SCALEL and SCALEH).
    static let steps: [Int32] = (0...352).map { index in
        let octave = index / 32
        let value = mantissas[index % 32]
        return (octave > 10 ? value << Int32(octave - 10) : value >> Int32(10 - octave)) << 2
    }

    private static let mantissas: [Int32] = [
        2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
        2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
    ]
}
