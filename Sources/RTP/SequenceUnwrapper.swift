/// Sequence numbers and timestamps as numbers that never wrap.
///
/// Each value is taken as the one nearest to the highest so far, so reordered packets keep their place.
public struct SequenceUnwrapper: Sendable, Equatable {
    /// The highest value so far; nil before the first.
    public private(set) var highest: Int64?

    public init() {}

    /// The extended number; its low 16 bits are `sequence`. Starts at `sequence` itself and may become negative by reordering.
    public mutating func unwrap(_ sequence: UInt16) -> Int64 {
        guard let highest else {
            self.highest = Int64(sequence)
            return Int64(sequence)
        }
        let extended = highest &+ Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
        if extended > highest { self.highest = extended }
        return extended
    }

    /// How often the 16 bits have wrapped: the roll-over counter of SRTP (RFC 3711 §3.3.1).
    public var rollOverCount: Int64 { (highest ?? 0) >> 16 }
}

/// The same for 32-bit RTP timestamps.
public struct TimestampUnwrapper: Sendable, Equatable {
    public private(set) var highest: Int64?

    public init() {}

    public mutating func unwrap(_ timestamp: UInt32) -> Int64 {
        guard let highest else {
            self.highest = Int64(timestamp)
            return Int64(timestamp)
        }
        let extended = highest &+ Int64(Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: highest)))
        if extended > highest { self.highest = extended }
        return extended
    }
}

extension UInt16 {
    /// Whether this sequence number comes after `other`, modulo 2^16 (RFC 1982).
    public func isNewerSequence(than other: UInt16) -> Bool { Int16(bitPattern: self &- other) > 0 }
}

extension UInt32 {
    /// Whether this timestamp comes after `other`, modulo 2^32.
    public func isNewerTimestamp(than other: UInt32) -> Bool { Int32(bitPattern: self &- other) > 0 }
}
