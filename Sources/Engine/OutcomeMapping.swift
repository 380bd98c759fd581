import Interface

/// From a final SIP status to the contract's outcome.
enum OutcomeMapping {
    /// - Parameters: status: the final response; credentialsSent: whether the refused request carried credentials.
    static func outcome(status: Int, credentialsSent: Bool) -> Outcome {
        switch status {
        case 200..<300: .answered
        case 401, 407: .unauthorized
        case 403: credentialsSent ? .unauthorized : .declined
        case 486, 600: .busy
        case 603: .declined
        case 408, 480, 487: .noAnswer
        case 404, 410, 484, 604: .notFound
        case 488, 415, 606: .notAcceptable
        default: .sipFailure
        }
    }
}
