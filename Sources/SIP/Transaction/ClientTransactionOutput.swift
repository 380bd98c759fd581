/// What a client transaction is told.
enum ClientTransactionInput: Sendable {
    /// Send the request.
    case start
    case response(SIPResponse)
    /// The message could not be delivered.
    case transportFailed
}

/// What a client transaction wants.
enum ClientTransactionOutput: Sendable {
    /// The request, the ACK for a failure, or their repeats.
    case transmit([UInt8])
    case response(SIPResponse)
    case timedOut
    case transportFailed
    /// The last output.
    case terminated
}

/// What a server transaction is told.
enum ServerTransactionInput: Sendable {
    /// The request is new: start the machine.
    case start
    /// The same request again.
    case retransmission
    /// The ACK of a failure.
    case acknowledgement
    case respond(SIPResponse)
    case transportFailed
}

/// What a server transaction wants.
enum ServerTransactionOutput: Sendable, Equatable {
    case transmit([UInt8])
    /// Nobody acknowledged our failure response.
    case timedOut
    /// The last output.
    case terminated
}
