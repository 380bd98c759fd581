import Core

/// Either client transaction, as the user agent keeps it.
struct ClientTransaction {
    private enum Machine {
        case invite(InviteClientTransaction)
        case other(NonInviteClientTransaction)
    }

    private var machine: Machine
    let flow: SIPFlow
    /// The request that this transaction tries; nil for CANCEL.
    let token: RequestToken?

    init(request: SIPRequest, flow: SIPFlow, token: RequestToken?, timings: TransactionTimings) {
        let isReliable = flow.transport.isReliable
        if request.method == .invite {
            machine = .invite(InviteClientTransaction(request: request, isReliable: isReliable, timings: timings))
        } else {
            machine = .other(NonInviteClientTransaction(request: request, isReliable: isReliable, timings: timings))
        }
        self.flow = flow
        self.token = token
    }

    var deadline: Instant? {
        switch machine {
        case .invite(let machine): machine.deadline
        case .other(let machine): machine.deadline
        }
    }

    mutating func handle(_ input: ClientTransactionInput, at now: Instant) {
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

    mutating func poll() -> ClientTransactionOutput? {
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

    mutating func abandon() {
        guard case .invite(var transaction) = machine else { return }
        transaction.abandon()
        machine = .invite(transaction)
    }
}
