import Core

/// The packets sent lately, for those who ask for them again (RFC 4585 §6.2.1, RFC 4588).
struct SentPacketHistory: Sendable {
    struct Packet: Sendable {
        var sequenceNumber: UInt16
        var timestamp: UInt32
        var marker: Bool
        var payload: [UInt8]
        fileprivate var sentAt: Instant
        fileprivate var resentAt: Instant?
    }

    /// Packets and bytes kept, and for how long.
    static let capacity = 1024
    static let byteCapacity = 2 << 20
    static let memory = Duration.seconds(2)
    /// Bytes that may be sent again: at once, and in each second. Requests of a stranger cannot multiply what leaves.
    static let burst = 128 << 10
    static let rate = 256 << 10

    private var packets: [UInt16: Packet] = [:]
    private var order: [UInt16] = []
    private var oldest = 0
    private var bytes = 0
    private var allowance = SentPacketHistory.burst
    private var refilledAt: Instant?

    mutating func add(_ sequence: UInt16, timestamp: UInt32, marker: Bool, payload: [UInt8], at now: Instant) {
        if let old = packets[sequence] { bytes -= old.payload.count } else { order.append(sequence) }
        packets[sequence] = Packet(sequenceNumber: sequence, timestamp: timestamp, marker: marker, payload: payload, sentAt: now)
        bytes += payload.count
        while oldest < order.count, let first = packets[order[oldest]],
            packets.count > Self.capacity || bytes > Self.byteCapacity || now - first.sentAt > Self.memory
        {
            bytes -= first.payload.count
            packets.removeValue(forKey: order[oldest])
            oldest += 1
        }
        if oldest > Self.capacity {
            order.removeFirst(oldest)
            oldest = 0
        }
    }

    /// The packets that are sent again now: those that are known and were not sent again within the last round trip.
    mutating func take(_ lost: [UInt16], roundTrip: Duration, at now: Instant) -> [Packet] {
        refill(at: now)
        var out: [Packet] = []
        let pause = max(.milliseconds(5), min(roundTrip, .milliseconds(500)))
        for sequence in lost {
            guard let packet = packets[sequence], packet.resentAt.map({ now - $0 >= pause }) ?? true, packet.payload.count <= allowance else {
                continue
            }
            allowance -= packet.payload.count
            packets[sequence]?.resentAt = now
            out.append(packet)
        }
        return out
    }

    private mutating func refill(at now: Instant) {
        if let refilledAt {
            let more = Double(Self.rate) * (now - refilledAt).inSeconds
            allowance = min(Self.burst, allowance + Int(min(more, Double(Self.burst))))
        }
        refilledAt = now
    }
}
