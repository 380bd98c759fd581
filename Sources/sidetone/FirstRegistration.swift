import Interface

/// Why an account could not register at the start, as the exit code of a command that waits for it: 10, 11 or 12.
struct FirstRegistration: Sendable {
    private var registered: Set<AccountID> = []
    /// Told just before the registration that it failed.
    private var isTLSFailure = false

    /// The code, once an event tells of a failure. A refresh that fails later is tried again.
    mutating func failure(_ event: Event) -> Int32? {
        switch event {
        case .registration(let account, .registered, _, _): registered.insert(account)
        case .notice(.warning, Outcome.tlsFailed.word, _, nil): isTLSFailure = true
        case .registration(let account, .failed, let status, _) where !registered.contains(account):
            let isRefused = status.map { [401, 403, 407].contains($0) } == true
            return (isTLSFailure ? Outcome.tlsFailed : isRefused ? .unauthorized : .unreachable).exitCode
        default: break
        }
        return nil
    }
}
