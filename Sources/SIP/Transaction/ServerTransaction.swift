import Core

/// Either server transaction, as the user agent keeps it.
struct ServerTransaction {
    private enum Machine {
        case invite(InviteServerTransaction)
        case other(NonInviteServerTransaction)
    }

    /// What forks of one request have in common (RFC 3261 §8.2.2.2).
    struct MergeKey: Hashable, Sendable {
        let callID: String
        let fromTag: String
        let cSeq: CSeq
    }

    private var machine: Machine
    let request: SIPRequest
    /// Where the request came from.
    let flow: SIPFlow
    /// The session that answers it.
    var session: SessionID?

    init(request: SIPRequest, flow: SIPFlow, timings: TransactionTimings) {
        let isReliable = flow.transport.isReliable
        if request.method == .invite {
            machine = .invite(InviteServerTransaction(request: request, isReliable: isReliable, timings: timings))
        } else {
            machine = .other(NonInviteServerTransaction(request: request, isReliable: isReliable, timings: timings))
        }
        self.request = request
        self.flow = flow
    }

    /// nil for requests inside a dialog.
    var mergeKey: MergeKey? { MergeKey(request) }

    var deadline: Instant? {
        switch machine {
        case .invite(let machine): machine.deadline
        case .other(let machine): machine.deadline
        }
    }

    /// No final response was given yet.
    var isOpen: Bool {
        switch machine {
        case .invite(let machine): machine.isOpen
        case .other(let machine): machine.isOpen
        }
    }

    /// A failure response waits for its ACK, or had it.
    var takesAcknowledgement: Bool {
        guard case .invite(let machine) = machine else { return false }
        return machine.takesAcknowledgement
    }

    mutating func handle(_ input: ServerTransactionInput, at now: Instant) {
        switch machine {
        case .invite(var transaction):
            transaction.handle(input, at: now)
            machine = .invite(transaction)
        case .other(var transaction):
            transaction.handle(input, at: now)
            machine = .other(transaction)
        }
    }

    mutating func handleTimeout(at now: Instant) {
        switch machine {
        case .invite(var transaction):
            transaction.handleTimeout(at: now)
            machine = .invite(transaction)
        case .other(var transaction):
            transaction.handleTimeout(at: now)
            machine = .other(transaction)
        }
    }

    mutating func poll() -> ServerTransactionOutput? {
        switch machine {
        case .invite(var transaction):
            let output = transaction.poll()
            if output != nil { machine = .invite(transaction) }
            return output
        case .other(var transaction):
            let output = transaction.poll()
            if output != nil { machine = .other(transaction) }
            return output
        }
    }
}

extension ServerTransaction.MergeKey {
    init?(_ request: SIPRequest) {
        guard request.headers.to?.tag == nil, let callID = request.headers.callID, let cSeq = request.headers.cSeq else { return nil }
        self.init(callID: callID, fromTag: request.headers.from?.tag ?? "", cSeq: cSeq)
    }
}
