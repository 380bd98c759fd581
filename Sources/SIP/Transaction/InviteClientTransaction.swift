import Core

/// The client side of an INVITE (RFC 3261 §17.1.1 with RFC 6026 §7.2 and its Accepted state).
struct InviteClientTransaction: StateMachine {
    enum Timer: Hashable, Sendable { case a, b, d, m }

    private enum State {
        case idle
        case calling(interval: Duration)
        case proceeding
        /// A failure came; its ACK is repeated for each repeat of it.
        case completed(acknowledgement: [UInt8])
        /// A 2xx came; more 2xx, of other forks too, go to the user.
        case accepted
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
            state = .calling(interval: timings.t1)
            outputs.append(.transmit(bytes))
            if !isReliable { timers.set(.a, at: now + timings.t1) }
            timers.set(.b, at: now + timings.limit)
        case .response(let response): receive(response, at: now)
        case .transportFailed:
            switch state {
            case .idle, .calling, .proceeding: end(with: .transportFailed)
            case .completed: end(with: nil)
            case .accepted, .terminated: return
            }
        }
    }

    private mutating func receive(_ response: SIPResponse, at now: Instant) {
        switch (state, response.status) {
        case (.calling, 100..<200), (.proceeding, 100..<200):
            timers.cancelAll()
            state = .proceeding
            outputs.append(.response(response))
        case (.calling, 200..<300), (.proceeding, 200..<300):
            timers.cancelAll()
            timers.set(.m, at: now + timings.limit)
            state = .accepted
            outputs.append(.response(response))
        case (.accepted, 200..<300):
            outputs.append(.response(response))
        case (.calling, 300..<700), (.proceeding, 300..<700):
            timers.cancelAll()
            let acknowledgement = acknowledgement(of: response).serialize()
            outputs.append(.transmit(acknowledgement))
            outputs.append(.response(response))
            if isReliable {
                end(with: nil)
            } else {
                timers.set(.d, at: now + timings.timerD)
                state = .completed(acknowledgement: acknowledgement)
            }
        case (.completed(let acknowledgement), 300..<700):
            outputs.append(.transmit(acknowledgement))
        default: return
        }
    }

    /// §17.1.1.3: everything of the INVITE but the To, which carries the response's tag.
    private func acknowledgement(of response: SIPResponse) -> SIPRequest {
        var headers = SIPHeaders()
        if let via = request.headers.topVia { headers.prepend(.via, via) }
        headers.copy(.route, from: request.headers)
        headers.copy(.from, from: request.headers)
        headers.copy(.to, from: response.headers)
        headers.copy(.callID, from: request.headers)
        headers.cSeq = CSeq(number: request.headers.cSeq?.number ?? 0, method: .ack)
        headers.maxForwards = 70
        return SIPRequest(method: .ack, uri: request.uri, headers: headers, body: [])
    }

    mutating func handleTimeout(at now: Instant) {
        while let timer = timers.popExpired(at: now) {
            switch (timer, state) {
            case (.a, .calling(let interval)):
                outputs.append(.transmit(bytes))
                state = .calling(interval: interval * 2)
                timers.set(.a, at: now + interval * 2)
            case (.b, .calling): end(with: .timedOut)
            case (.d, .completed), (.m, .accepted): end(with: nil)
            default: continue
            }
        }
    }

    /// Forget the transaction: a CANCEL stayed without effect (§9.1).
    mutating func abandon() {
        switch state {
        case .idle, .calling, .proceeding: end(with: nil)
        case .completed, .accepted, .terminated: return
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
