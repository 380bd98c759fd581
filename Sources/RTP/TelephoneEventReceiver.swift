import Core

/// Turns telephone-event packets into digits, each exactly once, whatever is lost, repeated or late (RFC 4733 §2.5.2).
///
/// An event is known by its timestamp. It ends with its end packet, with the next event, or after silence.
public struct TelephoneEventReceiver: Sendable {
    /// An event whose end packets were all lost is over after this silence.
    public static let silence: Duration = .milliseconds(250)
    static let remembered = 16
    static let outputCapacity = 64

    public struct Received: Equatable, Sendable {
        public var code: UInt8
        /// Nil for events that are no digit.
        public var digit: Character?
        /// As far as it was heard, when the end packets were lost.
        public var durationMs: Int

        public init(code: UInt8, digit: Character?, durationMs: Int) {
            self.code = code
            self.digit = digit
            self.durationMs = durationMs
        }
    }

    private struct Active {
        var code: UInt8
        var timestamp: UInt32
        /// Duration of earlier segments of a long event (§2.5.1.3).
        var before: UInt32 = 0
        var duration: UInt16
        var lastHeard: Instant

        var total: UInt32 { before &+ UInt32(duration) }
    }

    // idle ──packet──▶ active ──end, other event, silence──▶ idle
    private enum State {
        case idle
        case active(Active)
    }

    private var state = State.idle
    /// Timestamps of events that are over, the oldest first.
    private var finished: [UInt32] = []
    private var outputs: [Received] = []
    private let clockRate: UInt32

    public init(clockRate: UInt32) { self.clockRate = clockRate }

    /// When an event would be over by silence.
    public var deadline: Instant? {
        if case .active(let active) = state { return active.lastHeard + Self.silence }
        return nil
    }

    /// Takes the payload of one packet.
    /// - Parameters: timestamp, marker: of its RTP header.
    public mutating func receive(_ payload: RawSpan, timestamp: UInt32, marker: Bool, at now: Instant) throws(TelephoneEventError) {
        let event = try TelephoneEvent(payload)
        handleTimeout(at: now)
        guard !finished.contains(timestamp) else { return }
        switch state {
        case .idle: begin(event, timestamp: timestamp, at: now)
        case .active(var active):
            if timestamp == active.timestamp {
                // One timestamp is one event; another code in it is an error of the far end.
                guard event.code == active.code else { return }
                active.duration = max(active.duration, event.duration)
                active.lastHeard = now
                state = .active(active)
                if event.isEnd { finish(active) }
            } else if event.code == active.code, !marker, timestamp == active.timestamp &+ 0xFFFF {
                remember(active.timestamp)
                active.before = active.before &+ 0xFFFF
                active.timestamp = timestamp
                active.duration = event.duration
                active.lastHeard = now
                state = .active(active)
                if event.isEnd { finish(active) }
            } else if timestamp.isNewerTimestamp(than: active.timestamp) {
                finish(active)
                begin(event, timestamp: timestamp, at: now)
            } else if event.isEnd {
                // All of an earlier event was lost but this late packet.
                remember(timestamp)
                emit(event.code, UInt32(event.duration))
            }
        }
    }

    /// A no-op before `deadline`.
    public mutating func handleTimeout(at now: Instant) {
        if case .active(let active) = state, active.lastHeard + Self.silence <= now { finish(active) }
    }

    public mutating func poll() -> Received? { outputs.isEmpty ? nil : outputs.removeFirst() }

    /// Another source, or its clock started anew: an event under way is over, older timestamps mean nothing.
    public mutating func restart() {
        if case .active(let active) = state { finish(active) }
        finished.removeAll()
    }

    private mutating func begin(_ event: TelephoneEvent, timestamp: UInt32, at now: Instant) {
        let active = Active(code: event.code, timestamp: timestamp, duration: event.duration, lastHeard: now)
        state = .active(active)
        if event.isEnd { finish(active) }
    }

    private mutating func finish(_ active: Active) {
        state = .idle
        remember(active.timestamp)
        emit(active.code, active.total)
    }

    private mutating func remember(_ timestamp: UInt32) {
        if finished.count >= Self.remembered { finished.removeFirst() }
        finished.append(timestamp)
    }

    private mutating func emit(_ code: UInt8, _ duration: UInt32) {
        guard outputs.count < Self.outputCapacity else { return }
        outputs.append(
            Received(code: code, digit: TelephoneEvent.digit(of: code), durationMs: TelephoneEvent.milliseconds(duration, clockRate: clockRate)))
    }
}
