import Core

/// Where a peer's section says its media are to go, and its ICE parameters.
struct RemoteTransport {
    var address: SocketAddress?
    var rtcpAddress: SocketAddress?
    var host: String?
    /// c= is 0.0.0.0 or ::, in the sense of RFC 2543's hold.
    var isHold = false
    var ice: RemoteICE?
    var iceMismatch = false

    /// `isAnswer`: an answerer goes on with ICE unless it says a=ice-mismatch, so its default address is not held against it
    /// (Asterisk behind an external address names one that is no candidate).
    init(_ section: MediaSection, rtcpMux: Bool, iceEnabled: Bool, isAnswer: Bool) {
        let port = section.media.port
        let ip = section.connection?.ip
        let hasICE = section.iceUfrag != nil && section.icePwd != nil
        // RFC 8839 §4.3.1: with ICE, port 9 means that the address is not known yet.
        let isUnknown = hasICE && port == 9
        if let ip, ip.isUnspecified, !isUnknown { isHold = true }
        if let ip, !ip.isUnspecified, !isUnknown, port != 0 { address = SocketAddress(ip, port) }
        if ip == nil { host = section.connection?.host }
        if rtcpMux {
            rtcpAddress = address
        } else if let rtcp = section.rtcp {
            let ip = rtcp.host.map { IPAddress($0) } ?? ip
            if let ip, !ip.isUnspecified, !isHold, rtcp.port != 0, !(hasICE && rtcp.port == 9) { rtcpAddress = SocketAddress(ip, rtcp.port) }
        } else if let address, address.port < UInt16.max {
            rtcpAddress = SocketAddress(address.ip, address.port + 1)
        }
        guard iceEnabled, let ufrag = section.iceUfrag, let pwd = section.icePwd else { return }
        if section.hasICEMismatch || !isAnswer && RemoteTransport.isMismatch(section, rtcpMux: rtcpMux) {
            iceMismatch = true
            return
        }
        ice = RemoteICE(
            ufrag: ufrag, pwd: pwd, isLite: section.session.isICELite, candidates: section.candidates,
            endOfCandidates: section.endOfCandidates, options: section.iceOptions)
    }

    /// RFC 8839 §4.2.5: the default destination is none of the candidates, so something on the way rewrote it. Without
    /// candidates, or with port 9 or an unspecified address, there is nothing to compare yet.
    static func isMismatch(_ section: MediaSection, rtcpMux: Bool) -> Bool {
        let candidates = section.candidates
        guard let host = section.connection?.host else { return false }
        let isAmong = { (host: String, port: UInt16, component: Int) -> Bool in
            let own = candidates.filter { $0.component == component }
            let ip = IPAddress(host)
            if own.isEmpty || port == 9 || ip?.isUnspecified == true { return true }
            return own.contains { $0.port == port && (ip != nil ? IPAddress($0.host) == ip : $0.host.matches(host)) }
        }
        if !isAmong(host, section.media.port, 1) { return true }
        // RTCP only where the peer names a place: a missing a=rtcp says less than its candidates.
        guard !rtcpMux, let rtcp = section.rtcp else { return false }
        return !isAmong(rtcp.host ?? host, rtcp.port, 2)
    }
}
