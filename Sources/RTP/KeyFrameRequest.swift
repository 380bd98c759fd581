import Core

/// When to ask the peer for a key frame: at once, again while none came, and never in a flood.
struct KeyFrameRequest: Sendable {
    static let shortestInterval = Duration.milliseconds(300)
    static let repetition = Duration.milliseconds(700)
    /// Nothing is asked of a stream that has stopped.
    static let silence = Duration.seconds(2)

    private var isWanted = false
    private var askedAt: Instant?
    private var heardAt: Instant?
    /// Whether it was asked for since it was wanted.
    private var isAsked = false

    mutating func want(at now: Instant) {
        if isWanted { return }
        isWanted = true
        isAsked = false
    }

    mutating func heard(at now: Instant) { heardAt = now }
    mutating func fulfil() { isWanted = false }

    var deadline: Instant? {
        guard isWanted, let heardAt else { return nil }
        guard let askedAt else { return heardAt }
        let due = askedAt + (isAsked ? Self.repetition : Self.shortestInterval)
        return due > heardAt + Self.silence ? nil : due
    }

    /// Whether to ask now.
    mutating func takeDue(at now: Instant) -> Bool {
        guard let deadline, deadline <= now else { return false }
        askedAt = now
        isAsked = true
        return true
    }
}
