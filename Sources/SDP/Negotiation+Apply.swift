import Core

extension Negotiation {
    /// What an answer to our offer comes to (RFC 3264 §7). Security that was offered must be there. Video that was offered is used when the answer
    /// has it in one BUNDLE group with audio (RFC 9143 §7.4); trouble with it does not touch audio.
    public static func apply(
        answer: SessionDescription, toOffer offer: SessionDescription, policy: AnswerPolicy
    ) -> Result<NegotiatedSession, NegotiationError> {
        do throws(NegotiationError) {
            return .success(try applied(answer: answer, offer: offer, policy: policy))
        } catch {
            return .failure(error)
        }
    }

    private static func applied(
        answer: SessionDescription, offer: SessionDescription, policy: AnswerPolicy
    ) throws(NegotiationError) -> NegotiatedSession {
        guard answer.media.count == offer.media.count else {
            throw .mediaCountMismatch(offered: offer.media.count, answered: answer.media.count)
        }
        let index = offer.sections.first { $0.media.kind == policy.kind && $0.isEnabled }?.index
        guard let index, let ours = offer.section(index), let theirs = answer.section(index) else { throw .noAcceptableMedia }
        guard theirs.media.media == ours.media.media else { throw .mediaKindMismatch }
        guard theirs.media.port != 0 else { throw .refused }
        let bundle = offer.bundle(with: index)
        let bundled = answer.bundle(with: index, mids: offer.sections.map(\.mid)).filter { bundle.contains($0) && answer.media[$0].port != 0 }
        let pair = (
            offered: offer.offererTagged(bundle, among: bundle).flatMap { offer.section($0) } ?? ours,
            answered: bundled.first.flatMap { answer.section($0) } ?? theirs
        )
        let audio = try applied(theirs, toOffer: ours, transport: pair, policy: policy)
        var session = NegotiatedSession(audio: audio)
        guard let wanted = offer.sections.first(where: { $0.media.kind == .video && $0.isEnabled && $0.index != index }),
            let video = answer.section(wanted.index), video.media.port != 0
        else { return session }
        guard bundled.contains(wanted.index), audio.rtcpMux else {
            session.issues = [.videoNotBundled]
            return session
        }
        do throws(NegotiationError) {
            session.video = try appliedVideo(video, toOffer: wanted, beside: audio, transport: pair, policy: policy)
        } catch {
            session.issues = [.videoUnusable(error)]
        }
        return session
    }

    private static func appliedVideo(
        _ theirs: MediaSection, toOffer ours: MediaSection, beside audio: NegotiatedMedia, transport: (offered: MediaSection, answered: MediaSection),
        policy: AnswerPolicy
    ) throws(NegotiationError) -> NegotiatedMedia {
        guard theirs.media.media == ours.media.media else { throw .mediaKindMismatch }
        guard let profile = theirs.profile, profile.isSecure == ours.profile?.isSecure else {
            throw .profileMismatch(offered: ours.media.profile, answered: theirs.media.profile)
        }
        var out = NegotiatedMedia(theirs, kind: .video, profile: profile, sharing: audio)
        out.mid = ours.mid
        out.readCodecs(of: theirs, offered: ours)
        guard let codec = out.codecs.first else { throw .noCommonCodec }
        if let receive = ours.rtxPayloadType(of: codec.receivePayloadType), let send = theirs.rtxPayloadType(of: codec.sendPayloadType) {
            out.rtx = NegotiatedRTX(sendPayloadType: send, receivePayloadType: receive)
        }
        out.rtcpRsize = ours.rtcpRsize && theirs.rtcpRsize && profile.isAVPF
        out.read(
            RemoteTransport(transport.answered, rtcpMux: true, iceEnabled: audio.ice != nil, isAnswer: true), of: theirs, offered: ours.direction)
        out.iceMismatch = audio.iceMismatch
        out.readAttributes(of: theirs, offered: ours)
        out.dropExtensions(against: audio)
        return out
    }

    private static func applied(
        _ theirs: MediaSection, toOffer ours: MediaSection, transport: (offered: MediaSection, answered: MediaSection), policy: AnswerPolicy
    ) throws(NegotiationError) -> NegotiatedMedia {
        guard let profile = theirs.profile, let offeredProfile = ours.profile else {
            throw .profileMismatch(offered: ours.media.profile, answered: theirs.media.profile)
        }
        var out = NegotiatedMedia(
            index: ours.index, mid: ours.mid, kind: policy.kind, profile: profile.name, security: transport.offered.offeredSecurity,
            isAVPF: profile.isAVPF)
        let tagged = transport.answered
        if let kind = tagged.media.kind {
            let mid = tagged.index == ours.index ? ours.mid : ours.session.section(tagged.index)?.mid
            out.transport = NegotiatedMedia.TransportSection(index: tagged.index, mid: mid, kind: kind)
        }
        let isDropped = offeredProfile.isSecure && !profile.isSecure
        switch out.security {
        case .dtls:
            if isDropped { throw .securityDropped(offered: .dtls, profile: profile.name, how: .profile) }
            guard tagged.hasFingerprint else { throw .securityDropped(offered: .dtls, profile: profile.name, how: tagged.dropOfDTLS) }
            out.dtls = try answeredDTLS(tagged, offered: transport.offered.setup ?? .actpass, policy: policy)
        case .sdes:
            if isDropped { throw .securityDropped(offered: .sdes, profile: profile.name, how: .profile) }
            guard tagged.media.has("crypto") else { throw .securityDropped(offered: .sdes, profile: profile.name, how: .noCrypto) }
            if profile.isDTLS { throw .profileMismatch(offered: offeredProfile.name, answered: profile.name) }
            out.sdes = try answeredSDES(tagged, offered: transport.offered.cryptos)
        case .none:
            if profile.isSecure { throw .profileMismatch(offered: offeredProfile.name, answered: profile.name) }
        }
        out.readCodecs(of: theirs, offered: ours)
        guard !out.codecs.isEmpty else { throw .noCommonCodec }
        if transport.offered.rtcpMuxOnly, !tagged.rtcpMux { throw .rtcpMuxRequired }
        out.rtcpMux = transport.offered.rtcpMux && tagged.rtcpMux
        out.rtcpRsize = ours.rtcpRsize && theirs.rtcpRsize && profile.isAVPF
        let iceEnabled = policy.iceEnabled && transport.offered.iceUfrag != nil && transport.offered.icePwd != nil
        out.read(RemoteTransport(tagged, rtcpMux: out.rtcpMux, iceEnabled: iceEnabled, isAnswer: true), of: theirs, offered: ours.direction)
        // A peer that saw a mismatch may say so without credentials of its own.
        if iceEnabled, tagged.hasICEMismatch { out.iceMismatch = true }
        out.readAttributes(of: theirs, offered: ours)
        out.xr = ours.extendedReports.intersection(theirs.extendedReports)
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
        default:
            // Nothing is said of a new association, so the one in force goes on.
            let current = policy.current?.dtls
            role = current?.hasSameIdentity(fingerprints: fingerprints, tlsID: section.tlsID) == true ? current?.role ?? .passive : .passive
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
    /// Header extensions and feedback.
    fileprivate mutating func readAttributes(of section: MediaSection, offered: MediaSection) {
        // RFC 8285 §6: an answer keeps the numbers of the offer.
        let offeredMaps = offered.extensionMaps
        extensionMaps = ExtensionMap.usable(section.extensionMaps) { map in offeredMaps.contains { $0.uri == map.uri && $0.id == map.id } }
        let payloadTypes = codecs.map(\.sendPayloadType)
        for item in offered.feedback where isAVPF && !feedback.contains(item.type) {
            if !section.feedback(item.type, for: payloadTypes).isEmpty { feedback.append(item.type) }
        }
        dropUnansweredNumbers()
    }

    /// What of our offer is in the answer, in the answer's order; the numbers may differ (RFC 3264 §5.1).
    fileprivate mutating func readCodecs(of section: MediaSection, offered: MediaSection) {
        let maps = section.rtpMaps
        let parameters = section.formatParameters
        let ours = offered.rtpMaps
        for payloadType in section.payloadTypes {
            guard let map = maps[payloadType] ?? ours[payloadType], !map.name.matches("rtx") else { continue }
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
