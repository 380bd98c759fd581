import Core
import ICE
import SDP
import SIP

/// Trickle ICE over SIP: candidates in INFO requests (RFC 8840).
extension Phone {
    /// The peer said that it takes candidates one by one, in its signalling and in its description: nothing has to wait for servers.
    func canTrickle(_ call: Call) -> Bool {
        let remote = call.evaluation?.media ?? call.media.negotiated
        return configuration.trickle && configuration.icePolicy == .all && remote?.remoteSupportsTrickle == true
            && userAgent.peerReceivesInfo(TrickleFragment.infoPackage, session: call.session)
    }

    /// Tells the peer what is new.
    mutating func trickle(_ call: Call, at now: Instant) {
        guard !call.isEnding, userAgent.peerReceivesInfo(TrickleFragment.infoPackage, session: call.session),
            let fragment = call.media.takeFragment()
        else { return }
        userAgent.handle(
            .sendInfo(call.session, package: TrickleFragment.infoPackage, contentType: TrickleFragment.contentType, body: fragment.bytes), at: now)
    }

    mutating func received(info package: String, contentType: String, body: [UInt8], _ call: Call, at now: Instant) {
        guard package == TrickleFragment.infoPackage, contentType.lowercased().hasPrefix(TrickleFragment.contentType),
            let fragment = try? TrickleFragment(parsing: body)
        else { return }
        call.media.receive(fragment, at: now)
    }
}
