import Core
import Interface
import SIP

/// Click to call: the link that the phone shows, and the browsers that come by it.
extension Phone {
    /// The user part of the URI that the page calls.
    public static let guestTarget = "phone"

    /// The web port is open: there is a link from now on.
    /// - Parameter base: what stands before the token, e.g. "http://127.0.0.1:8089/".
    public mutating func webListening(base: String, at now: Instant) {
        guard life == .running, links == nil else { return }
        linkBase = base
        links = LinkBook(random: random)
        links?.handle(.open, at: now)
        round(at: now)
    }

    /// Whether a browser gets the page of this link.
    /// - Parameter visitor: its cookie.
    public func admitsGuest(token: String, visitor: String?, at now: Instant) -> Bool {
        links?.admits(token, visitor: visitor, at: now) ?? false
    }

    /// A page wants to connect; `guestConnected` follows when this is true.
    public mutating func claimLink(token: String, visitor: String?, connection: ConnectionID, at now: Instant) -> Bool {
        let isGranted = links?.claim(token, visitor: visitor, connection: connection, at: now) ?? false
        round(at: now)
        return isGranted
    }

    /// The page's WebSocket stands.
    /// - Parameter host: the phone's own host, as the page has it.
    public mutating func guestConnected(_ flow: SIPFlow, host: SIPHost, at now: Instant) {
        userAgent.handle(.acceptedGuest(flow, uri: SIPURI(user: Phone.guestTarget, host: host)), at: now)
        round(at: now)
    }

    /// - Returns: whether anything was told.
    mutating func drainLinks(at now: Instant) -> Bool {
        var isMoving = false
        while let output = links?.poll() {
            isMoving = true
            switch output {
            case .made(let token, let expires):
                emit(.link(url: linkBase + token, expiresSeconds: Int((expires - now).inSeconds.rounded())), at: now)
            case .expired: tell(.message, "link-expired", "the link has expired; there is a new one", call: nil, at: now)
            case .used(let call): tell(.message, "link-used", "the link is used: its browser calls", call: call, at: now)
            case .disconnect(let id):
                emit(.close(id))
                userAgent.handle(.closed(id), at: now)
            }
        }
        if let due = links?.deadline { timers.set(.link, at: due) } else { timers.cancel(.link) }
        return isMoving
    }

    var linkSnapshot: LinkSnapshot? {
        links?.current.map { LinkSnapshot(url: linkBase + $0.token, expiresAt: wallClock.time(at: $0.expires)) }
    }
}
