import Core

/// Which packets of a transport arrived, and when (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): RTPFB, format 15.
public struct TransportWideFeedback: Equatable, Sendable {
    /// A packet that arrived.
    public struct Arrival: Equatable, Sendable {
        /// Its transport sequence number is `baseSequence` plus this.
        public var offset: UInt16
        /// Since the arrival before it in the list, or since the reference time; in 250 µs. Negative after reordering.
        public var delta: Int16

        public init(offset: UInt16, delta: Int16) {
            self.offset = offset
            self.delta = delta
        }

        var isSmall: Bool { (0...255).contains(delta) }
    }

    public var baseSequence: UInt16
    /// How many packets it speaks of, those that did not arrive included.
    public var statusCount: UInt16
    /// 24 bits, in 64 ms; wraps after 12 days.
    public var referenceTime: UInt32
    /// Of this feedback packet, modulo 256.
    public var feedbackCount: UInt8
    /// In rising order of `offset`, all below `statusCount`.
    public var arrivals: [Arrival]

    public init(baseSequence: UInt16, statusCount: UInt16, referenceTime: UInt32, feedbackCount: UInt8, arrivals: [Arrival]) {
        self.baseSequence = baseSequence
        self.statusCount = statusCount
        self.referenceTime = referenceTime
        self.feedbackCount = feedbackCount
        self.arrivals = arrivals
    }
}

/// Reading.
extension TransportWideFeedback {
    private enum Symbol {
        static let lost: UInt16 = 0
        static let small: UInt16 = 1
        static let large: UInt16 = 2
    }

    /// Nil when it is cut off or uses the reserved symbol. What arrived is bounded by the bytes that tell its time.
    init?(_ bytes: RawSpan, in range: Range<Int>) {
        let start = range.lowerBound
        guard range.count >= 8, let base = bytes.u16(at: start), let count = bytes.u16(at: start + 2), let time = bytes.u32(at: start + 4) else {
            return nil
        }
        self.init(
            baseSequence: base, statusCount: count, referenceTime: time >> 8, feedbackCount: UInt8(truncatingIfNeeded: time), arrivals: [])
        guard let end = readChunks(bytes, from: start + 8, to: range.upperBound) else { return nil }
        guard readDeltas(bytes, from: end, to: range.upperBound) else { return nil }
    }

    /// Leaves in `arrivals` the packets that arrived, delta 0 for a small one and −1 for a large one.
    /// - Returns: where the deltas begin.
    private mutating func readChunks(_ bytes: RawSpan, from start: Int, to end: Int) -> Int? {
        var offset = start
        var index: UInt16 = 0
        while index < statusCount {
            guard offset + 2 <= end, let chunk = bytes.u16(at: offset) else { return nil }
            offset += 2
            if chunk & 0x8000 == 0 {
                let run = min(chunk & 0x1FFF, statusCount - index)
                let symbol = chunk >> 13 & 3
                if symbol == Symbol.lost {
                    index += run
                } else {
                    for _ in 0..<run { guard note(symbol, &index, limit: end - start) else { return nil } }
                }
                continue
            }
            let isTwoBit = chunk & 0x4000 != 0
            let symbols: UInt16 = min(isTwoBit ? 7 : 14, statusCount - index)
            for n in 0..<symbols {
                let symbol = isTwoBit ? chunk >> (12 - 2 * n) & 3 : chunk >> (13 - n) & 1
                guard note(symbol, &index, limit: end - start) else { return nil }
            }
        }
        return offset
    }

    private mutating func note(_ symbol: UInt16, _ index: inout UInt16, limit: Int) -> Bool {
        switch symbol {
        case Symbol.lost: break
        case Symbol.small: arrivals.append(Arrival(offset: index, delta: 0))
        case Symbol.large: arrivals.append(Arrival(offset: index, delta: -1))
        default: return false
        }
        index += 1
        return arrivals.count <= limit
    }

    private mutating func readDeltas(_ bytes: RawSpan, from start: Int, to end: Int) -> Bool {
        var offset = start
        for index in arrivals.indices {
            if arrivals[index].isSmall {
                guard offset < end, let delta = bytes.u8(at: offset) else { return false }
                arrivals[index].delta = Int16(delta)
                offset += 1
            } else {
                guard offset + 2 <= end, let delta = bytes.u16(at: offset) else { return false }
                arrivals[index].delta = Int16(bitPattern: delta)
                offset += 2
            }
        }
        return true
    }
}

/// Writing.
extension TransportWideFeedback {
    func write(to writer: inout ByteWriter) {
        writer.u16(baseSequence)
        writer.u16(statusCount)
        writer.u24(referenceTime & 0xFF_FFFF)
        writer.u8(feedbackCount)
        var symbols = [UInt16](repeating: Symbol.lost, count: Int(statusCount))
        for arrival in arrivals where arrival.offset < statusCount {
            symbols[Int(arrival.offset)] = arrival.isSmall ? Symbol.small : Symbol.large
        }
        var index = 0
        while index < symbols.count { index += Self.writeChunk(symbols[index...], to: &writer) }
        for arrival in arrivals where arrival.offset < statusCount {
            if arrival.isSmall {
                writer.u8(UInt8(truncatingIfNeeded: arrival.delta))
            } else {
                writer.u16(UInt16(bitPattern: arrival.delta))
            }
        }
    }

    /// One chunk, the form that holds most of what comes next: a run, 14 symbols of one bit, or 7 of two.
    /// - Returns: how many symbols it took.
    private static func writeChunk(_ symbols: ArraySlice<UInt16>, to writer: inout ByteWriter) -> Int {
        guard let first = symbols.first else { return 0 }
        let run = symbols.prefix(0x1FFF).prefix { $0 == first }.count
        let isOneBit = symbols.prefix(14).allSatisfy { $0 != Symbol.large }
        let capacity = min(isOneBit ? 14 : 7, symbols.count)
        if run >= capacity {
            writer.u16(first << 13 | UInt16(truncatingIfNeeded: run))
            return run
        }
        var chunk: UInt16 = isOneBit ? 0x8000 : 0xC000
        for (n, symbol) in symbols.prefix(capacity).enumerated() { chunk |= symbol << UInt16(isOneBit ? 13 - n : 12 - 2 * n) }
        writer.u16(chunk)
        return capacity
    }
}
