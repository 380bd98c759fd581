import Core

/// How much strangers may ask of the web port. Pure: the time is an argument.
struct WebAdmission {
    /// Connections that are no WebSocket (yet), in total and of one address.
    static let maximumConnections = 64
    static let maximumConnectionsPerSource = 16
    /// Requests of one address: so many at once, then so many a second.
    static let burst = 30.0
    static let requestsPerSecond = 2.0
    /// Addresses that are remembered.
    static let maximumSources = 1024

    private struct Source {
        var connections = 0
        var allowance = WebAdmission.burst
        var seen: Instant

        mutating func refill(_ now: Instant) {
            allowance = min(WebAdmission.burst, allowance + (now - seen).inSeconds * WebAdmission.requestsPerSecond)
            seen = now
        }
    }

    private var sources: [IPAddress: Source] = [:]
    private(set) var connections = 0

    /// A connection came: true lets it in, and `disconnected` must follow.
    mutating func connected(_ ip: IPAddress, at now: Instant) -> Bool {
        guard connections < WebAdmission.maximumConnections, makeRoom(for: ip, at: now) else { return false }
        var source = sources[ip] ?? Source(seen: now)
        guard source.connections < WebAdmission.maximumConnectionsPerSource else { return false }
        source.connections += 1
        sources[ip] = source
        connections += 1
        return true
    }

    /// It is gone, or a WebSocket now.
    mutating func disconnected(_ ip: IPAddress) {
        connections -= 1
        sources[ip]?.connections -= 1
    }

    /// Whether a request of this address is answered; false is 429.
    mutating func takes(_ ip: IPAddress, at now: Instant) -> Bool {
        var source = sources[ip] ?? Source(seen: now)
        source.refill(now)
        let isTaken = source.allowance >= 1
        if isTaken { source.allowance -= 1 }
        if sources[ip] != nil || makeRoom(for: ip, at: now) { sources[ip] = source }
        return isTaken
    }

    /// Addresses without a connection that have their whole allowance again are forgotten when there are many.
    private mutating func makeRoom(for ip: IPAddress, at now: Instant) -> Bool {
        if sources[ip] != nil || sources.count < WebAdmission.maximumSources { return true }
        let isIdle = { (source: Source) in
            var source = source
            source.refill(now)
            return source.connections == 0 && source.allowance >= WebAdmission.burst
        }
        sources = sources.filter { !isIdle($0.value) }
        return sources.count < WebAdmission.maximumSources
    }
}
