import Core

extension Negotiation {
    /// Whether and how an offer can be taken (RFC 3264 §6): the first acceptable section of the wanted kind, with its
    /// security, codecs under the offerer's payload types in our order, and transport. The error is that of the first such section.
    public static func evaluate(offer: SessionDescription, policy: AnswerPolicy) -> Result<OfferEvaluation, NegotiationError> {
        var first: NegotiationError?
        for section in offer.sections where section.media.kind == policy.kind && section.media.port != 0 {
            do throws(NegotiationError) {
                return .success(OfferEvaluation(offer: offer, media: try evaluate(section, policy: policy)))
            } catch {
                first = first ?? error
            }
        }
        return .failure(first ?? .noAcceptableMedia)
    }

    private static func evaluate(_ section: MediaSection, policy: AnswerPolicy) throws(NegotiationError) -> NegotiatedMedia {
        guard let profile = section.profile else { throw .securityUnacceptable(profile: section.media.profile) }
        var out = NegotiatedMedia(
            index: section.index, mid: section.mid, kind: policy.kind, profile: profile.name, security: .none, isAVPF: profile.isAVPF)
        let security = try security(of: section, profile: profile, policy: policy)
        if let current = policy.current, security < current.security { throw .securityDropped(offered: current.security, profile: profile.name) }
        switch security {
        case .dtls:
            out.security = .dtls
            out.dtls = try dtls(section, policy: policy)
        case .sdes:
            out.security = .sdes
            guard let remote = CryptoLine.select(section.cryptos, suites: policy.suites), let suite = remote.suite else { throw .cryptoUnacceptable }
            out.sdes = SDESParameters(local: nil, remote: remote, suite: suite)
        case .none: break
        }
        out.readCodecs(of: section, policy: policy)
        guard !out.codecs.isEmpty else { throw .noCommonCodec }
        out.rtcpMux = section.rtcpMux && policy.rtcpMux
        out.rtcpRsize = section.rtcpRsize && policy.rtcpRsize && profile.isAVPF
        out.read(RemoteTransport(section, rtcpMux: out.rtcpMux, iceEnabled: policy.iceEnabled, isAnswer: false), of: section, offered: .sendrecv)
        out.extensionMaps = section.extensionMaps.filter { policy.extensions.contains($0.uri) && $0.direction != .inactive }
        out.feedback = profile.isAVPF ? policy.feedback.filter { type in section.feedback.contains { $0.type == type } } : []
        return out
    }

    /// DTLS before SDES before none, as far as the policy takes them. A fingerprint makes it DTLS under any profile name.
    private static func security(
        of section: MediaSection, profile: MediaProfile, policy: AnswerPolicy
    ) throws(NegotiationError) -> MediaSecurity {
        let hasCrypto = section.media.has("crypto")
        switch policy.security {
        case .dtls, .prefer:
            if section.hasFingerprint { return .dtls }
            if profile.isDTLS { throw .fingerprintMissing }
        case .sdes:
            if section.hasFingerprint || profile.isDTLS { throw .securityUnacceptable(profile: profile.name) }
        case .none:
            if profile.isSecure { throw .securityUnacceptable(profile: profile.name) }
            return .none
        }
        if policy.security == .dtls { throw .securityUnacceptable(profile: profile.name) }
        if hasCrypto {
            // Under RTP/AVP(F) crypto lines are a wish, which cannot always be met.
            let isUsable = CryptoLine.select(section.cryptos, suites: policy.suites) != nil
            if isUsable || profile.isSecure || policy.security == .sdes { return .sdes }
        }
        if profile.isSecure || policy.security == .sdes { throw .securityUnacceptable(profile: profile.name) }
        return .none
    }

    /// RFC 5763 §5 and RFC 8842 §5.3; without a=setup as with actpass.
    private static func dtls(_ section: MediaSection, policy: AnswerPolicy) throws(NegotiationError) -> DTLSParameters {
        let fingerprints = try Fingerprint.select(
            section.fingerprints, malformed: section.hasFingerprint, acceptsSHA1: policy.acceptsSHA1
        ).get()
        let role: DTLSRole
        switch section.setup {
        case .holdconn: throw .holdconn
        case .active: role = .passive
        case .passive: role = .active
        case .actpass, nil:
            let current = policy.current?.dtls
            let isSame = current?.fingerprints == fingerprints && current?.tlsID == section.tlsID
            role = isSame ? current?.role ?? .active : .active
        }
        return DTLSParameters(fingerprints: fingerprints, role: role, tlsID: section.tlsID)
    }
}

extension NegotiatedMedia {
    /// Ours that are offered, under the offerer's payload types (RFC 3264 §6.1).
    fileprivate mutating func readCodecs(of section: MediaSection, policy: AnswerPolicy) {
        let maps = section.rtpMaps
        let parameters = section.formatParameters
        let listed = section.payloadTypes
        for codec in policy.codecs {
            guard let payloadType = listed.first(where: { maps[$0].map(codec.matches) == true }) else { continue }
            if codecs.contains(where: { $0.receivePayloadType == payloadType }) { continue }
            codecs.append(
                NegotiatedCodec(
                    name: codec.name, clockRate: codec.clockRate, channels: codec.channels, sendPayloadType: payloadType,
                    receivePayloadType: payloadType, remoteFmtp: parameters[payloadType]))
        }
        guard kind == .audio else { return }
        for rate in codecs.contains(where: { $0.clockRate == 48000 }) ? [48000, 8000] : [8000] {
            let isEvent = { (map: RTPMap) in map.name.matches(LocalMedia.telephoneEvent) && map.clockRate == rate }
            guard let payloadType = listed.first(where: { maps[$0].map(isEvent) == true }) else { continue }
            dtmf.append(NegotiatedDTMF(clockRate: rate, sendPayloadType: payloadType, receivePayloadType: payloadType))
        }
    }

    /// What offer and answer have in common: addresses, direction (`offered` is ours, when we offered), stream.
    mutating func read(_ transport: RemoteTransport, of section: MediaSection, offered: MediaDirection) {
        remoteAddress = transport.address
        remoteRTCPAddress = transport.rtcpAddress
        remoteHost = transport.host
        ice = transport.ice
        iceMismatch = transport.iceMismatch
        let direction = transport.isHold ? section.direction.intersection(.sendonly) : section.direction
        localDirection = offered.intersection(direction.reversed)
        isRemoteHold = transport.isHold || direction == .sendonly || direction == .inactive
        ptime = section.ptime
        maxptime = section.maxptime
        let ssrcs = section.ssrcs
        remoteSSRC = ssrcs.first { $0.name == "cname" }?.ssrc ?? ssrcs.first?.ssrc
        remoteCname = section.cname
    }
}
