import Audio
import Core

/// A sender and a link in virtual time: one packet each 20 ms on the sender's own clock, with delay, loss and duplicates from a seed.
struct LinkModel {
    var seed: UInt64 = 1
    /// Uniform extra delay, milliseconds.
    var jitter = 0.0
    var loss = 0.0
    var duplicates = 0.0
    /// The sender's clock against the receiver's, parts in a million.
    var drift = 0.0
    var packets = 1500
    /// 20 ms at 48 kHz.
    static let duration = 960

    struct Arrival {
        var at: Double
        var sequence: Int
    }

    /// Arrivals in milliseconds, in order of time.
    func arrivals() -> [Arrival] {
        let random = RandomSource(seed: seed)
        var all: [Arrival] = []
        all.reserveCapacity(packets)
        for i in 0..<packets {
            let sent = Double(i) * 20 * (1 - drift / 1e6) + 7
            if random.uniform() < loss { continue }
            all.append(Arrival(at: sent + 30 + random.uniform() * jitter, sequence: i))
            if random.uniform() < duplicates { all.append(Arrival(at: sent + 31 + random.uniform() * jitter, sequence: i)) }
        }
        return all.sorted { $0.at < $1.at }
    }
}

/// A receiver that ticks every 20 ms and counts what the jitter buffer tells it to do.
struct ReceiverModel {
    let buffer = JitterBuffer(clockRate: 48000)
    var queued = 0
    var played: [Int] = []
    var concealed = 0
    var restored = 0
    var comfort = 0
    var silentTicks = 0
    var starvedTicks = 0
    var adjustments = 0
    /// Mean delay in milliseconds at the end of each tick, once there is one.
    var delays: [Double] = []
    var firstPlayed: Double?

    static func header(_ sequence: Int, ssrc: UInt32 = 7, base: UInt32 = 0xFFFF_F000) -> AudioPacketHeader {
        AudioPacketHeader(
            sequence: UInt16(truncatingIfNeeded: sequence + 65000), timestamp: base &+ UInt32(truncatingIfNeeded: sequence * LinkModel.duration),
            ssrc: ssrc,
            payloadType: 111)
    }

    static func instant(_ milliseconds: Double) -> Instant { Instant(nanoseconds: UInt64((milliseconds + 1000) * 1e6)) }

    mutating func insert(_ sequence: Int, at milliseconds: Double, redundancy: Bool = false, ssrc: UInt32 = 7, base: UInt32 = 0xFFFF_F000) {
        var payload = UInt32(truncatingIfNeeded: sequence)
        withUnsafeBytes(of: &payload) {
            buffer.insert(
                Self.header(sequence, ssrc: ssrc, base: base), payload: $0, duration: 960, redundancy: redundancy, arrival: Self.instant(milliseconds)
            )
        }
    }

    mutating func tick(at milliseconds: Double) {
        let now = Self.instant(milliseconds)
        rounds: while queued < 960 {
            switch buffer.next(at: now, queued: queued, needed: 960 - queued) {
            case .silence:
                silentTicks += 1
                break rounds
            case .packet(let slot):
                played.append(Int(buffer.payload(of: slot).load(as: UInt32.self)))
                if firstPlayed == nil { firstPlayed = milliseconds }
                var count = buffer.duration(of: slot)
                switch buffer.adjustment(at: now, queued: queued + count) {
                case .none: break
                case .compress:
                    count -= 240
                    adjustments += 1
                    buffer.didAdjust(at: now)
                case .expand:
                    count += 240
                    adjustments += 1
                    buffer.didAdjust(at: now)
                }
                queued += count
            case .redundancy(_, let count):
                restored += count
                buffer.didConceal(count)
                queued += count
            case .conceal(let count):
                concealed += count
                buffer.didConceal(count)
                queued += count
            case .comfort(let count):
                comfort += count
                buffer.didConceal(count)
                queued += count
            }
        }
        queued = max(0, queued - 960)
        if let delay = buffer.meanDelayMs { delays.append(delay) }
    }

    /// Runs a whole link until `end` milliseconds.
    mutating func run(_ link: LinkModel, redundancy: Bool = false) {
        let arrivals = link.arrivals()
        var next = 0
        for n in 0..<link.packets {
            let now = Double(n) * 20
            while next < arrivals.count, arrivals[next].at <= now {
                insert(arrivals[next].sequence, at: arrivals[next].at, redundancy: redundancy)
                next += 1
            }
            tick(at: now)
        }
    }
}
