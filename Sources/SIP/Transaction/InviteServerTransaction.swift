import Core

/// The server side of an INVITE (RFC 3261 §17.2.1 with RFC 6026 §7.1 and its Accepted state).
///
/// The repeats of a 2xx are the session's (§13.3.1.4); this machine absorbs the INVITE's repeats meanwhile.
struct InviteServerTransaction: StateMachine {
    enum Timer: Hashable, Sendable { case trying, g, h, i, l }

    private enum State {
        case idle
        case proceeding(last: [UInt8]?)
        case completed(response: [UInt8], interval: Duration)
        case confirmed
        case accepted
        case terminated
    }

    let request: SIPRequest
    private let isReliable: Bool
    private let timings: TransactionTimings
    private var state = State.idle
    private var timers = TimerTable<Timer>()
    private var outputs: [ServerTransactionOutput] = []

    init(request: SIPRequest, isReliable: Bool, timings: TransactionTimings) {
        self.request = request
        self.isReliable = isReliable
        self.timings = timings
    }

    var deadline: Instant? { timers.deadline }
    var timerCount: Int { timers.count }
    mutating func poll() -> ServerTransactionOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    /// True until a final response was given.
    var isOpen: Bool {
        switch state {
        case .idle, .proceeding: true
        case .completed, .confirmed, .accepted, .terminated: false
        }
    }

    /// A failure response waits for its ACK, or had it.
    var takesAcknowledgement: Bool {
        switch state {
        case .completed, .confirmed: true
        case .idle, .proceeding, .accepted, .terminated: false
        }
    }

    mutating func handle(_ input: consuming ServerTransactionInput, at now: Instant) {
        switch input {
        case .start:
            guard case .idle = state else { return }
            state = .proceeding(last: nil)
            timers.set(.trying, at: now + timings.trying)
        case .retransmission:
            switch state {
            case .proceeding(let last): if let last { outputs.append(.transmit(last)) }
            case .completed(let response, _): outputs.append(.transmit(response))
            case .idle, .confirmed, .accepted, .terminated: return
            }
        case .acknowledgement:
            guard case .completed = state else { return }
            timers.cancelAll()
            if isReliable {
                end(with: nil)
            } else {
                timers.set(.i, at: now + timings.t4)
                state = .confirmed
            }
        case .respond(let response): respond(response, at: now)
        case .transportFailed: end(with: nil)
        }
    }

    private mutating func respond(_ response: SIPResponse, at now: Instant) {
        let bytes = response.serialize()
        switch (state, response.status) {
        case (.proceeding, 100..<200):
            timers.cancel(.trying)
            state = .proceeding(last: bytes)
            outputs.append(.transmit(bytes))
        case (.proceeding, 200..<300):
            timers.cancelAll()
            timers.set(.l, at: now + timings.limit)
            state = .accepted
            outputs.append(.transmit(bytes))
        case (.accepted, 200..<300):
            outputs.append(.transmit(bytes))
        case (.proceeding, 300..<700):
            timers.cancelAll()
            if !isReliable { timers.set(.g, at: now + timings.t1) }
            timers.set(.h, at: now + timings.limit)
            state = .completed(response: bytes, interval: timings.t1)
            outputs.append(.transmit(bytes))
        default: return
        }
    }

    mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch (timer, state) {
            case (.trying, .proceeding(nil)):
                let bytes = SIPResponse(to: request, status: 100, reason: "Trying", toTag: nil).serialize()
                state = .proceeding(last: bytes)
                outputs.append(.transmit(bytes))
            case (.g, .completed(let response, let interval)):
                let next = min(interval * 2, timings.t2)
                outputs.append(.transmit(response))
                state = .completed(response: response, interval: next)
                timers.set(.g, at: now + next)
            case (.h, .completed): end(with: .timedOut)
            case (.i, .confirmed), (.l, .accepted): end(with: nil)
            default: continue
            }
        }
    }

    private mutating func end(with output: ServerTransactionOutput?) {
        if case .terminated = state { return }
        timers.cancelAll()
        state = .terminated
        if let output { outputs.append(output) }
        outputs.append(.terminated)
    }
}
