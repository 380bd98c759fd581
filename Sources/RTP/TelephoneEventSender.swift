import Core

/// Sends digits as telephone-events, one packet in the place of each audio packet (RFC 4733 §2.5.1).
///
/// The caller asks `next` once every packet time with the media clock; while it gives a packet, audio is not sent.
public struct TelephoneEventSender: Sendable {
    public static let queueCapacity = 256
    /// The last packet of an event is sent this often (§2.5.1.4).
    static let endPackets = 3

    public struct Packet: Equatable, Sendable {
        public var event: TelephoneEvent
        /// The event's beginning in the media clock: the same in all its packets.
        public var timestamp: UInt32
        /// On the first packet of an event only.
        public var marker: Bool
        /// Set on the first packet that carries the end: the digit has been sent, and for how long.
        public var completed: Completed?
    }

    public struct Completed: Equatable, Sendable {
        public var digit: Character
        public var durationMs: Int

        public init(digit: Character, durationMs: Int) {
            self.digit = digit
            self.durationMs = durationMs
        }
    }

    // idle ──digit queued──▶ sounding ──long enough──▶ ending ──three ends sent──▶ gap ──long enough──▶ idle
    private enum State {
        case idle
        case sounding(code: UInt8, start: UInt32)
        case ending(code: UInt8, start: UInt32, left: Int)
        case gap(end: UInt32)
    }

    private var state = State.idle
    private var queue: [UInt8] = []
    private let clockRate: UInt32
    private let packetUnits: UInt32
    private let eventUnits: UInt32
    private let gapUnits: UInt32
    private let volume: UInt8

    /// - Parameters:
    ///   - clockRate: Hz of the telephone-event payload type.
    ///   - packetTime: media time between two calls of `next`.
    ///   - duration: of each digit; at least 40 ms, at most what 16 bits of the clock hold.
    ///   - gap: silence between digits; at least 50 ms.
    ///   - volume: power without its sign, in dBm0.
    public init(
        clockRate: UInt32, packetTime: Duration = .milliseconds(20), duration: Duration = .milliseconds(100), gap: Duration = .milliseconds(50),
        volume: UInt8 = 10
    ) {
        self.clockRate = clockRate
        packetUnits = Self.units(packetTime, clockRate)
        eventUnits = max(1, Self.units(max(duration, .milliseconds(40)), clockRate))
        gapUnits = Self.units(max(gap, .milliseconds(50)), clockRate)
        self.volume = volume
    }

    /// Nothing is being sent and nothing waits.
    public var isIdle: Bool {
        if case .idle = state { return queue.isEmpty }
        return false
    }

    /// Digits not begun yet.
    public var waiting: Int { queue.count }

    /// Queues digits 0–9, *, #, A–D; queues none of them when one is something else.
    public mutating func enqueue(_ digits: some StringProtocol) throws(TelephoneEventError) {
        var codes: [UInt8] = []
        for digit in digits {
            guard let code = TelephoneEvent.code(of: digit) else { throw .invalidDigit(digit) }
            guard queue.count + codes.count < Self.queueCapacity else { throw .queueFull }
            codes.append(code)
        }
        queue.append(contentsOf: codes)
    }

    /// Forgets the digits that wait; the one being sent is ended properly.
    public mutating func cancelWaiting() { queue.removeAll() }

    /// The packet to send instead of audio, or nil.
    /// - Parameter timestamp: the media clock, as the audio packet of this moment would carry it.
    public mutating func next(timestamp: UInt32) -> Packet? {
        if case .gap(let end) = state, Int32(bitPattern: timestamp &- end) >= Int32(clamping: gapUnits) { state = .idle }
        switch state {
        case .gap: return nil
        case .idle:
            guard !queue.isEmpty else { return nil }
            return sound(queue.removeFirst(), start: timestamp, now: timestamp, marker: true)
        case .sounding(let code, let start):
            return sound(code, start: start, now: timestamp, marker: false)
        case .ending(let code, let start, let left):
            state = left > 1 ? .ending(code: code, start: start, left: left - 1) : .gap(end: start &+ eventUnits)
            return packet(code, start: start, duration: eventUnits, isEnd: true)
        }
    }

    private mutating func sound(_ code: UInt8, start: UInt32, now: UInt32, marker: Bool) -> Packet {
        let (elapsed, overflow) = (now &- start).addingReportingOverflow(packetUnits)
        guard elapsed >= eventUnits || overflow else {
            state = .sounding(code: code, start: start)
            return packet(code, start: start, duration: elapsed, isEnd: false, marker: marker)
        }
        state = .ending(code: code, start: start, left: Self.endPackets - 1)
        var last = packet(code, start: start, duration: eventUnits, isEnd: true, marker: marker)
        last.completed = TelephoneEvent.digit(of: code).map {
            Completed(digit: $0, durationMs: TelephoneEvent.milliseconds(eventUnits, clockRate: clockRate))
        }
        return last
    }

    private func packet(_ code: UInt8, start: UInt32, duration: UInt32, isEnd: Bool, marker: Bool = false) -> Packet {
        let event = TelephoneEvent(code: code, isEnd: isEnd, volume: volume, duration: UInt16(clamping: duration))
        return Packet(event: event, timestamp: start, marker: marker, completed: nil)
    }

    /// Clamped to 16 bits.
    private static func units(_ duration: Duration, _ clockRate: UInt32) -> UInt32 {
        let milliseconds = UInt64(max(0, min(duration.totalNanoseconds / 1_000_000, 600_000)))
        return UInt32(min(milliseconds * UInt64(clockRate) / 1000, 0xFFFF))
    }
}
