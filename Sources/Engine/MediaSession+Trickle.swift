import Core
import ICE
import SDP

/// Candidates told and learned after the descriptions (RFC 8838, RFC 8840).
extension MediaSession {
    private static let earlyFragmentLimit = 8

    /// A description is made now, with all that is known.
    func noteSignalled() {
        signalled = ice.map { (Set($0.localCandidates), $0.gatheringState == .complete) }
    }

    /// What the peer has not been told yet, or nil when there is nothing. Each fragment repeats what the ones before it said, so that a lost one does
    /// no harm (RFC 8840 §4.4).
    func takeFragment() -> TrickleFragment? {
        guard let ice, let signalled, let media = negotiated, media.remoteSupportsTrickle, environment.configuration.trickle else { return nil }
        let isComplete = ice.gatheringState == .complete
        guard !Set(ice.localCandidates).isSubset(of: signalled.candidates) || isComplete && !signalled.isComplete else { return nil }
        noteSignalled()
        let section = TrickleFragment.Section(
            media: media.transport.kind.rawValue, mid: media.transport.mid, rtcpMux: media.rtcpMux,
            candidates: ice.localCandidates.filter { $0.component <= ice.components }.map(SDPCandidate.init), endOfCandidates: isComplete)
        return TrickleFragment(ufrag: ice.localCredentials.ufrag, pwd: ice.localCredentials.pwd, sections: [section])
    }

    /// Candidates of the peer. Those of another generation than the described one are dropped; before a description the newest few wait.
    func receive(_ fragment: TrickleFragment, at now: Instant) {
        guard let remote = negotiated?.ice, ice != nil else {
            earlyFragments.append(fragment)
            if earlyFragments.count > Self.earlyFragmentLimit { earlyFragments.removeFirst() }
            return
        }
        guard let section = fragment.section(mid: negotiated?.transport.mid), fragment.ufrag(of: section).map({ $0 == remote.ufrag }) ?? true else {
            return
        }
        for candidate in section.candidates.compactMap(IceCandidate.init) { ice?.handle(.addRemoteCandidate(candidate), at: now) }
        if fragment.isComplete(section) { ice?.handle(.endOfRemoteCandidates, at: now) }
        pump(at: now)
    }

    /// The peer has been described: what came before is for it, or for another fork.
    func applyEarlyFragments(at now: Instant) {
        let early = earlyFragments
        earlyFragments = []
        for fragment in early { receive(fragment, at: now) }
    }
}
