/// The state that encoder and decoder of one sub-band keep alike (ITU-T G.722, blocks 3 and 4): the step of the quantiser and a
/// predictor of two poles and six zeros. All values are 16-bit numbers of the Recommendation; sums saturate as they do there.
struct G722Band: Sendable {
    /// What the next sample will be like (SL, SH).
    private(set) var estimate: Int32 = 0
    /// The quantiser's step (DETL, DETH).
    private(set) var step: Int32
    /// The logarithm of the step, 2048 an octave (NBL, NBH).
    private var logStep: Int32 = 0
    private let largestLogStep: Int32
    /// Where the band's logarithm 0 lies in the table of steps.
    private let stepOffset: Int32

    private var firstPole: Int32 = 0
    private var secondPole: Int32 = 0
    private var zeros = InlineArray<6, Int32>(repeating: 0)
    /// The last six quantised differences, newest first, doubled.
    private var differences = InlineArray<6, Int32>(repeating: 0)
    /// The share of the zeros in `estimate` (SZL, SZH).
    private var zeroEstimate: Int32 = 0
    /// The last reconstructed sample, doubled.
    private var lastSample: Int32 = 0
    /// Whether the last two partially reconstructed samples were negative, newest first.
    private var wasNegative = (false, false)

    static let lower = G722Band(step: 32, largestLogStep: 18432, stepOffset: 64)
    static let upper = G722Band(step: 8, largestLogStep: 22528, stepOffset: 0)

    private init(step: Int32, largestLogStep: Int32, stepOffset: Int32) {
        self.step = step
        self.largestLogStep = largestLogStep
        self.stepOffset = stepOffset
    }

    /// One sample was quantised as `difference` from the estimate; `growth` is its entry in the table of the logarithm's multipliers.
    /// - Parameter steps: `G722Tables.steps`.
    @inline(__always)
    mutating func advance(by difference: Int32, growth: Int32, steps: UnsafeBufferPointer<Int32>) {
        // LOGSCL, LOGSCH: a leak of 1/128, then the growth.
        logStep = max(0, min(largestLogStep, (logStep &* 127) >> 7 &+ growth))
        step = steps[Int(logStep >> 6 &+ stepOffset)]
        adaptPoles(difference)
        adaptZeros(difference)
        predict(difference)
    }

    /// UPPOL1 and UPPOL2: by the signs of the differences with the zeros' share added, so that the poles stay out of it.
    @inline(__always)
    private mutating func adaptPoles(_ difference: Int32) {
        let isNegative = difference &+ zeroEstimate < 0
        let isLikeLast = isNegative == wasNegative.0
        let quadruple = Self.saturated(firstPole &* 4)
        var change = (isLikeLast ? min(32767, -quadruple) : quadruple) >> 7
        change &+= isNegative == wasNegative.1 ? 128 : -128
        secondPole = max(-12288, min(12288, change &+ (secondPole &* 127) >> 7))
        let bound = 15360 &- secondPole
        firstPole = max(-bound, min(bound, (firstPole &* 255) >> 8 &+ (isLikeLast ? 192 : -192)))
        wasNegative = (isNegative, wasNegative.0)
    }

    /// UPZERO: a leak of 1/256, and a fixed change by the signs of this difference and an earlier one. It cannot leave 16 bits.
    @inline(__always)
    private mutating func adaptZeros(_ difference: Int32) {
        let change: Int32 = difference == 0 ? 0 : 128
        for i in 0..<6 {
            // −1 where the signs differ, else 0.
            let sign = (differences[i] ^ difference) >> 31
            zeros[i] = (zeros[i] &* 255) >> 8 &+ (change ^ sign) &- sign
        }
        for i in stride(from: 5, to: 0, by: -1) { differences[i] = differences[i - 1] }
        differences[0] = Self.saturated(difference &* 2)
    }

    /// FILTEP, FILTEZ and PREDIC.
    @inline(__always)
    private mutating func predict(_ difference: Int32) {
        let sample = Self.saturated(2 &* Self.saturated(estimate &+ difference))
        let poleEstimate = Self.saturated((firstPole &* sample) >> 15 &+ (secondPole &* lastSample) >> 15)
        lastSample = sample
        var sum: Int32 = 0
        for i in stride(from: 5, through: 0, by: -1) { sum = Self.saturated(sum &+ (zeros[i] &* differences[i]) >> 15) }
        zeroEstimate = sum
        estimate = Self.saturated(poleEstimate &+ sum)
    }

    @inline(__always)
    static func saturated(_ value: Int32) -> Int32 { max(-32768, min(32767, value)) }

    /// The range of a sub-band's samples: 15 bits (LIMIT).
    @inline(__always)
    static func limited(_ value: Int32) -> Int32 { max(-16384, min(16383, value)) }
}
