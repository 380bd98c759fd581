import Core

/// The machine's addresses changed: what stands on one that is gone is given up at once, instead of after a time-out.
extension UserAgent {
    /// - Parameter usable: the addresses now, without loopback.
    mutating func addressesChanged(_ usable: [IPAddress], at now: Instant) {
        guard case .running = phase else { return }
        let isGone: @Sendable (IPAddress) -> Bool = { address in !address.isLoopback && !address.isUnspecified && !usable.contains(address) }
        for id in connections.filter({ isGone($0.value.local.ip) }).keys.sorted(by: { $0.raw < $1.raw }) { close(id, at: now) }
        guard !usable.isEmpty else { return }
        for account in registrations.keys.sorted() {
            registrations[account]?.handle(.addressesChanged(isGone: isGone), at: now)
            drainRegistration(account, at: now)
        }
    }
}
