import Core

/// CRLF keep-alive of the flow by which an account is registered (RFC 5626 §3.5.1, §4.4).
extension Registration {
    static let pongLimit = Duration.seconds(10)

    /// Over UDP a double CRLF only keeps the NAT's binding: no answer is expected. Over streams it asks for one. A WebSocket has ping
    /// frames of its own, so there only an outbound registration pings.
    mutating func scheduleKeepAlive(at now: Instant) {
        guard let flow, isOutbound || !flow.transport.isWebSocket else { return timers.cancel(.keepAlive) }
        timers.set(.keepAlive, at: now + keepAliveInterval(flow))
    }

    /// §4.4: 24 to 29 s over UDP, 95 to 120 s over streams; 80 to 100 % of a Flow-Timer when there is one.
    private func keepAliveInterval(_ flow: SIPFlow) -> Duration {
        let range: (low: Double, high: Double)
        if let flowTimer, flowTimer > 0 {
            let seconds = Double(min(max(flowTimer, 5), 3600))
            range = (seconds * 0.8, seconds)
        } else {
            range = flow.transport == .udp ? (25, 29) : (95, 120)
        }
        return .milliseconds(Int((range.low + random.uniform() * (range.high - range.low)) * 1000))
    }

    mutating func keepAlive(at now: Instant) {
        guard let flow else { return }
        emit(.ping(flow))
        // Who never said that it knows pings is not blamed for silence.
        if flow.connection != nil, isOutbound || flowTimer != nil || hasPonged { timers.set(.pong, at: now + Registration.pongLimit) }
        scheduleKeepAlive(at: now)
    }

    mutating func receivePong(_ connection: ConnectionID) {
        guard uses(connection) else { return }
        hasPonged = true
        timers.cancel(.pong)
    }

    mutating func pongMissing() {
        guard let connection = flow?.connection else { return }
        emit(.flowFailed(connection))
    }
}
