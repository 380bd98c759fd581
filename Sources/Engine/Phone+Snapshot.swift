import Core
import Interface
import SIP

extension Phone {
    /// Everything that a person may see now.
    public func snapshot(at now: Instant) -> Snapshot {
        var out = Snapshot(time: wallClock.time(at: now))
        out.listening = listening
        out.accounts = accounts
        out.focused = focused
        out.audio = audio
        out.notice = notice
        out.history = history
        out.isQuitting = life != .running
        out.link = linkSnapshot
        out.calls = calls.values.sorted { $0.id < $1.id }.map(snapshot)
        return out
    }

    private func snapshot(_ call: Call) -> CallSnapshot {
        var out = CallSnapshot(
            id: call.id, direction: call.direction, state: call.state, remoteUri: call.remoteUri, startedAt: call.timing.startedAt)
        out.displayName = call.displayName
        out.answeredAt = call.timing.answeredAt
        out.heldBy = call.heldBy
        out.isMuted = call.isMuted
        out.isSilenced = call.isSilenced
        out.security = call.security
        out.keysInClear = call.security == .sdes && !call.signallingIsSecure
        out.securityDowngraded = call.isDowngraded
        out.setup = call.timing.setup
        out.transports = call.media.transportStatistics
        out.streams = call.media.streamStatistics
        out.joinedWith = call.partner
        out.bridgeMode = call.bridgeMode
        out.hasVideo = call.media.video != nil
        out.digitsSent = call.digitsSent
        out.digitsReceived = call.digitsReceived
        return out
    }

    /// What is alive now: all zero after the last call's timers.
    public var aliveCounts: (calls: Int, sessions: Int, transactions: Int, dialogs: Int, timers: Int) {
        let counts = userAgent.counts
        return (calls.count, counts.sessions, counts.transactions, counts.dialogs, counts.timers + (timers.isEmpty ? 0 : timers.count))
    }
}
