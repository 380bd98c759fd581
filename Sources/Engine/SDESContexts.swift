import SDP
import Secure

/// The SRTP contexts of a call's SDES keys. A context lives as long as the call: a fresh one under a key that was used before would start its
/// roll-over counter and its SRTCP index anew and repeat the key stream (RFC 3711 §9.1). Keys come back when a re-offer changes only the
/// peer's, when forks answer in turn, and when RTCP moves to RTP's component; hence both components share the contexts, too.
struct SDESContexts {
    /// Of the peer's keys, which it may change at will: the newest few are kept.
    static let inboundLimit = 8

    private var inbound: [(key: SRTPMasterKey, context: SRTPContext)] = []
    private var outbound: [(key: SRTPMasterKey, context: SRTPContext)] = []

    mutating func keys(for pair: SRTPKeyPair) throws(SRTPError) -> MediaTransport.Keys {
        let own = try SDESContexts.context(pair.local, pair.profile, .outbound, in: &outbound)
        let theirs = try SDESContexts.context(pair.remote, pair.profile, .inbound, in: &inbound)
        if inbound.count > SDESContexts.inboundLimit { inbound.removeFirst() }
        return MediaTransport.Keys(inbound: theirs, outbound: own, profile: pair.profile, negotiated: nil)
    }

    private static func context(
        _ key: SRTPMasterKey, _ profile: SRTPProfile, _ direction: SRTPContext.Direction, in known: inout [(key: SRTPMasterKey, context: SRTPContext)]
    ) throws(SRTPError) -> SRTPContext {
        if let entry = known.first(where: { $0.context.profile == profile && $0.key == key }) { return entry.context }
        let context = try SRTPContext(profile: profile, key: key, direction: direction)
        known.append((key, context))
        return context
    }
}

extension SRTPKeyPair {
    /// The keys of both crypto lines; nil when one is missing or unusable.
    init?(_ parameters: SDESParameters) {
        guard let profile = SRTPProfile(sdesSuite: parameters.suite.rawValue), let local = parameters.local?.usableKey,
            let remote = parameters.remote.usableKey
        else { return nil }
        let split = { (key: [UInt8]) in SRTPMasterKey(key: Array(key.prefix(profile.keyLength)), salt: Array(key.dropFirst(profile.keyLength))) }
        self.init(profile: profile, local: split(local), remote: split(remote))
    }
}
