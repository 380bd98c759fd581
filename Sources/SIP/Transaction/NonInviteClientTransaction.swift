import Core

/// The client side of every request but INVITE and ACK (RFC 3261 §17.1.2).
struct NonInviteClientTransaction: StateMachine {
    enum Timer: Hashable, Sendable { case e, f, k }

    private enum State {
        case idle
        case trying(interval: Duration)
        case proceeding
        case completed
        case terminated
    }

    let request: SIPRequest
    private let bytes: [UInt8]
    private let isReliable: Bool
    private let timings: TransactionTimings
    private var state = State.idle
    private var timers = TimerTable<Timer>()
    private var outputs: [ClientTransactionOutput] = []

    init(request: SIPRequest, isReliable: Bool, timings: TransactionTimings) {
        self.request = request
        bytes = request.serialize()
        self.isReliable = isReliable
        self.timings = timings
    }

    var deadline: Instant? { timers.deadline }
    var timerCount: Int { timers.count }
    mutating func poll() -> ClientTransactionOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func handle(_ input: consuming ClientTransactionInput, at now: Instant) {
        switch input {
        case .start:
            guard case .idle = state else { return }
            state = .trying(interval: timings.t1)
            outputs.append(.transmit(bytes))
            if !isReliable { timers.set(.e, at: now + timings.t1) }
            timers.set(.f, at: now + timings.limit)
        case .response(let response): receive(response, at: now)
        case .transportFailed:
            switch state {
            case .idle, .trying, .proceeding: end(with: .transportFailed)
            case .completed: end(with: nil)
            case .terminated: return
            }
        }
    }

    private mutating func receive(_ response: SIPResponse, at now: Instant) {
        switch state {
        case .trying, .proceeding: break
        case .idle, .completed, .terminated: return
        }
        outputs.append(.response(response))
        switch response.status {
        case 100..<200: state = .proceeding  // Timer E goes on, from now on with T2
        default:
            timers.cancelAll()
            if isReliable {
                end(with: nil)
            } else {
                timers.set(.k, at: now + timings.t4)
                state = .completed
            }
        }
    }

    mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch (timer, state) {
            case (.e, .trying(let interval)):
                let next = min(interval * 2, timings.t2)
                outputs.append(.transmit(bytes))
                state = .trying(interval: next)
                timers.set(.e, at: now + next)
            case (.e, .proceeding):
                outputs.append(.transmit(bytes))
                timers.set(.e, at: now + timings.t2)
            case (.f, .trying), (.f, .proceeding): end(with: .timedOut)
            case (.k, .completed): end(with: nil)
            default: continue
            }
        }
    }

    private mutating func end(with output: ClientTransactionOutput?) {
        if case .terminated = state { return }
        timers.cancelAll()
        state = .terminated
        if let output { outputs.append(output) }
        outputs.append(.terminated)
    }
}
