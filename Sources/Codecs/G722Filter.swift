/// The quadrature mirror filter of ITU-T G.722 (clauses 3.1 and 4.4): 24 taps, the same forwards and backwards.
///
/// Works on whole frames: the last 22 values of one frame are the first of the next one's window.
struct G722Filter: Sendable {
    /// Pairs of values that one window holds at most.
    static let pairs = 160
    static let overlap = 22
    private var history = InlineArray<22, Int16>(repeating: 0)

    /// A window on the stack: the history, and room for `pairs` pairs behind it. The 24 values from 2·n on end with pair n.
    static func withWindow(_ body: (UnsafeMutableBufferPointer<Int16>) -> Void) {
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: overlap + 2 * pairs, body)
    }

    /// Puts the history in front.
    func begin(_ window: UnsafeMutableBufferPointer<Int16>) {
        for i in 0..<Self.overlap { window[i] = history[i] }
    }

    /// Remembers the end of a window with `count` pairs.
    mutating func end(_ window: UnsafeMutableBufferPointer<Int16>, pairs count: Int) {
        for i in 0..<Self.overlap { history[i] = window[2 * count + i] }
    }

    /// The 24 products from `start` on, summed by the parity of their place.
    @inline(__always)
    static func sums(_ window: UnsafeMutableBufferPointer<Int16>, from start: Int) -> (even: Int32, odd: Int32) {
        let bytes = UnsafeRawBufferPointer(window)
        let offset = 2 * start
        var sum = products(bytes, offset, SIMD8(3, -11, -11, 53, 12, -156, 32, 362))
        sum &+= products(bytes, offset + 16, SIMD8(-210, -805, 951, 3876, 3876, 951, -805, -210))
        sum &+= products(bytes, offset + 32, SIMD8(362, 32, -156, 12, 53, -11, -11, 3))
        return (sum.evenHalf.wrappedSum(), sum.oddHalf.wrappedSum())
    }

    @inline(__always)
    private static func products(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ taps: SIMD8<Int16>) -> SIMD8<Int32> {
        SIMD8<Int32>(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<Int16>.self))
            &* SIMD8<Int32>(truncatingIfNeeded: taps)
    }
}
