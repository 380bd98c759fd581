import Core

/// The server side of every request but INVITE and ACK (RFC 3261 §17.2.2).
struct NonInviteServerTransaction: StateMachine {
    enum Timer: Hashable, Sendable { case expiry, j }

    private enum State {
        case idle
        case trying
        case completed(response: [UInt8])
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
        case .idle, .trying: true
        case .completed, .terminated: false
        }
    }

    mutating func handle(_ input: consuming ServerTransactionInput, at now: Instant) {
        switch input {
        case .start:
            guard case .idle = state else { return }
            state = .trying
            // The client gave up after Timer F: a later answer only feeds a storm (RFC 4320 §4.2).
            timers.set(.expiry, at: now + timings.limit)
        case .retransmission:
            if case .completed(let response) = state { outputs.append(.transmit(response)) }
        case .acknowledgement: return
        case .respond(let response):
            // RFC 4320 §4.1: no provisional response to these.
            guard case .trying = state, response.status >= 200 else { return }
            let bytes = response.serialize()
            timers.cancelAll()
            outputs.append(.transmit(bytes))
            if isReliable {
                end()
            } else {
                timers.set(.j, at: now + timings.limit)
                state = .completed(response: bytes)
            }
        case .transportFailed: end()
        }
    }

    mutating func handleTimeout(at now: Instant) {
        while timers.popExpired(at: now) != nil { end() }
    }

    private mutating func end() {
        if case .terminated = state { return }
        timers.cancelAll()
        state = .terminated
        outputs.append(.terminated)
    }
}
