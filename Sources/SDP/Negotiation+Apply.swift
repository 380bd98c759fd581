import Core

extension Negotiation {
    /// What an answer to our offer comes to (RFC 3264 §7). Security that was offered must be there.
    public static func apply(
        answer: SessionDescription, toOffer offer: SessionDescription, policy: AnswerPolicy
    ) -> Result<NegotiatedMedia, NegotiationError> {
        do throws(NegotiationError) {
            return .success(try applied(answer: answer, offer: offer, policy: policy))
        } catch {
            return .failure(error)
        }
    }

    private static func applied(
        answer: SessionDescription, offer: SessionDescription, policy: AnswerPolicy
    ) throws(NegotiationError) -> NegotiatedMedia {
        guard answer.media.count == offer.media.count else {
            throw .mediaCountMismatch(offered: offer.media.count, answered: answer.media.count)
        }
        let index = offer.media.firstIndex { $0.kind == policy.kind && $0.port != 0 }
        guard let index, let ours = offer.section(index), let theirs = answer.section(index) else { throw .noAcceptableMedia }
        guard theirs.media.media == ours.media.media else { throw .mediaKindMismatch }
        guard theirs.media.port != 0 else { throw .refused }
        guard let profile = theirs.profile, let offeredProfile = ours.profile else {
            throw .profileMismatch(offered: ours.media.profile, answered: theirs.media.profile)
        }
        var out = NegotiatedMedia(
            index: index, mid: ours.mid, kind: policy.kind, profile: profile.name, security: ours.offeredSecurity, isAVPF: profile.isAVPF)
        let isDropped = offeredProfile.isSecure && !profile.isSecure
        switch out.security {
        case .dtls:
            guard theirs.hasFingerprint, !isDropped else { throw .securityDropped(offered: .dtls, profile: profile.name) }
            out.dtls = try answeredDTLS(theirs, offered: ours.setup ?? .actpass, policy: policy)
        case .sdes:
            guard theirs.media.has("crypto"), !isDropped else { throw .securityDropped(offered: .sdes, profile: profile.name) }
            if profile.isDTLS { throw .profileMismatch(offered: offeredProfile.name, answered: profile.name) }
            out.sdes = try answeredSDES(theirs, offered: ours.cryptos)
        case .none:
            if profile.isSecure { throw .profileMismatch(offered: offeredProfile.name, answered: profile.name) }
        }
        out.readCodecs(of: theirs, offered: ours)
        guard !out.codecs.isEmpty else { throw .noCommonCodec }
        out.rtcpMux = ours.rtcpMux && theirs.rtcpMux
        out.rtcpRsize = ours.rtcpRsize && theirs.rtcpRsize && profile.isAVPF
        let iceEnabled = policy.iceEnabled && ours.iceUfrag != nil && ours.icePwd != nil
        let transport = RemoteTransport(theirs, rtcpMux: out.rtcpMux, iceEnabled: iceEnabled, isAnswer: true)
        out.read(transport, of: theirs, offered: ours.direction)
        // A peer that saw a mismatch may say so without credentials of its own.
        if iceEnabled, theirs.hasICEMismatch { out.iceMismatch = true }
        let known = Set(ours.extensionMaps.map(\.uri))
        out.extensionMaps = theirs.extensionMaps.filter { known.contains($0.uri) && $0.direction != .inactive }
        let feedback = Set(ours.feedback.map(\.type))
        for item in theirs.feedback where profile.isAVPF && feedback.contains(item.type) && !out.feedback.contains(item.type) {
            out.feedback.append(item.type)
        }
        return out
    }

    /// RFC 5763 §5. Without a usable a=setup (actpass is none in an answer) the answerer is taken as the client where our
    /// offer left the choice.
    private static func answeredDTLS(
        _ section: MediaSection, offered: SetupRole, policy: AnswerPolicy
    ) throws(NegotiationError) -> DTLSParameters {
        let fingerprints = try Fingerprint.select(
            section.fingerprints, malformed: section.hasFingerprint, acceptsSHA1: policy.acceptsSHA1
        ).get()
        let role: DTLSRole
        switch (section.setup, offered) {
        case (.holdconn, _): throw .holdconn
        case (.active, .active), (.passive, .passive): throw .setupConflict
        case (.active, _): role = .passive
        case (.passive, _): role = .active
        case (_, .active): role = .active
        default: role = .passive
        }
        return DTLSParameters(fingerprints: fingerprints, role: role, tlsID: section.tlsID)
    }

    /// RFC 4568 §5.1.3: one line, with tag and suite of one that was offered, and a key of its own.
    private static func answeredSDES(_ section: MediaSection, offered: [CryptoLine]) throws(NegotiationError) -> SDESParameters {
        for remote in section.cryptos {
            guard let suite = remote.suite, let local = offered.first(where: { $0.tag == remote.tag && $0.suite == suite }) else { continue }
            guard let theirs = remote.usableKey, let ours = local.usableKey, ours != theirs else { throw .cryptoUnacceptable }
            return SDESParameters(local: local, remote: remote, suite: suite)
        }
        throw .cryptoMismatch
    }
}

extension MediaSection {
    /// Of an offer of ours.
    fileprivate var offeredSecurity: MediaSecurity {
        if hasFingerprint { return .dtls }
        return media.has("crypto") ? .sdes : .none
    }
}

extension NegotiatedMedia {
    /// What of our offer is in the answer, in the answer's order; the numbers may differ (RFC 3264 §5.1).
    fileprivate mutating func readCodecs(of section: MediaSection, offered: MediaSection) {
        let maps = section.rtpMaps
        let parameters = section.formatParameters
        let ours = offered.rtpMaps
        for payloadType in section.payloadTypes {
            guard let map = maps[payloadType] ?? ours[payloadType] else { continue }
            let isOpus = map.name.matches("opus")
            let same = { (own: RTPMap) in
                own.name.matches(map.name) && own.clockRate == map.clockRate && (isOpus || own.channels == map.channels)
            }
            guard let received = offered.payloadTypes.first(where: { ours[$0].map(same) == true }), let own = ours[received] else { continue }
            if own.name.matches(LocalMedia.telephoneEvent) {
                if dtmf.contains(where: { $0.receivePayloadType == received }) { continue }
                dtmf.append(NegotiatedDTMF(clockRate: own.clockRate, sendPayloadType: payloadType, receivePayloadType: received))
            } else if !codecs.contains(where: { $0.receivePayloadType == received }) {
                codecs.append(
                    NegotiatedCodec(
                        name: own.name, clockRate: own.clockRate, channels: own.channels, sendPayloadType: payloadType,
                        receivePayloadType: received, remoteFmtp: parameters[payloadType]))
            }
        }
    }
}
