import Core

/// The 96-bit number that joins a response to its request (RFC 8489 §5).
public struct StunTransactionID: Hashable, Sendable, CustomStringConvertible {
    let high: UInt64
    let low: UInt32

    init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    /// A fresh one; the source must be cryptographically random outside tests.
    public init(random: RandomSource) {
        self.init(high: random.next(), low: UInt32(truncatingIfNeeded: random.next()))
    }

    /// 12 bytes in network order.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 12)
        writer.u64(high)
        writer.u32(low)
        return writer.bytes
    }

    public var description: String { bytes.hexadecimal }
}
