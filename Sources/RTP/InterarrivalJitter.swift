import Core

/// The jitter estimator of RFC 3550 §6.4.1 and A.8, kept in seconds so that a change of clock does not disturb it.
struct InterarrivalJitter: Sendable {
    /// A step larger than this is a restarted media clock and no jitter, in seconds.
    static let largestStep = 5.0

    /// Nil until two packets of one clock were compared.
    private(set) var seconds: Double?
    private var reference: (arrival: Instant, timestamp: UInt32, clockRate: UInt32)?

    /// Compares with the packet before when both have the same clock.
    mutating func update(timestamp: UInt32, clockRate: UInt32, at now: Instant) {
        defer { reference = (now, timestamp, clockRate) }
        guard let reference, reference.clockRate == clockRate, clockRate > 0 else { return }
        let media = Double(Int32(bitPattern: timestamp &- reference.timestamp)) / Double(clockRate)
        let difference = abs((now - reference.arrival).inSeconds - media)
        guard difference <= Self.largestStep else { return }
        let jitter = seconds ?? 0
        seconds = jitter + (difference - jitter) / 16
    }

    /// The next packet is compared with nothing.
    mutating func forgetReference() { reference = nil }

    /// In units of the clock last used, 0 while unknown.
    var timestampUnits: UInt32 {
        guard let seconds, let reference else { return 0 }
        return UInt32(exactly: (seconds * Double(reference.clockRate)).rounded(.down)) ?? .max
    }
}
