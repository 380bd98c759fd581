import Core

extension Negotiation {
    /// Whether and how an offer can be taken (RFC 3264 §6): the first acceptable section of the wanted kind, with its
    /// security, codecs under the offerer's payload types in our order, and transport. The error is that of the first such section.
    /// Beside it the first acceptable video of the same BUNDLE group (RFC 9143 §7.3), if the policy wants video.
    public static func evaluate(offer: SessionDescription, policy: AnswerPolicy) -> Result<OfferEvaluation, NegotiationError> {
        var first: NegotiationError?
        for section in offer.sections where section.media.kind == policy.kind && section.isEnabled {
            do throws(NegotiationError) {
                return .success(try evaluation(of: section, in: offer, policy: policy))
            } catch {
                first = first ?? error
            }
        }
        return .failure(first ?? .noAcceptableMedia)
    }

    private static func evaluation(
        of section: MediaSection, in offer: SessionDescription, policy: AnswerPolicy
    ) throws(NegotiationError) -> OfferEvaluation {
        let bundle = offer.bundle(with: section.index)
        var issues: [NegotiationIssue] = []
        for candidate in policy.video == nil ? [] : offer.sections where candidate.media.kind == .video && candidate.isEnabled {
            switch withVideo(candidate, beside: section, bundle: bundle, offer: offer, policy: policy) {
            case .success(let evaluation): return evaluation
            case .failure(let why): if !issues.contains(why.issue) { issues.append(why.issue) }
            }
        }
        // A section of the group alone has no transport.
        guard section.media.port != 0 else { throw .noAcceptableMedia }
        let media = try evaluate(section, transport: section, policy: policy)
        let bundled = bundle.contains(section.index) && media.rtcpMux ? [section.index] : []
        return OfferEvaluation(offer: offer, media: media, video: nil, issues: issues, bundled: bundled)
    }

    /// Why these two sections do not go together.
    private struct Unusable: Error {
        var issue: NegotiationIssue
    }

    private static func withVideo(
        _ video: MediaSection, beside audio: MediaSection, bundle: [Int], offer: SessionDescription, policy: AnswerPolicy
    ) -> Result<OfferEvaluation, Unusable> {
        let pair = [audio.index, video.index]
        guard let wanted = policy.video, bundle.contains(video.index), let index = offer.offererTagged(bundle, among: pair),
            let transport = offer.section(index)
        else { return .failure(Unusable(issue: .videoNotBundled)) }
        do throws(NegotiationError) {
            let media = try evaluate(audio, transport: transport, policy: policy)
            // RFC 9143 §9.3.1: there is one port for everything.
            guard media.rtcpMux else { return .failure(Unusable(issue: .videoNotBundled)) }
            let negotiated = try evaluate(video, beside: media, transport: transport, policy: wanted, iceEnabled: policy.iceEnabled)
            if let taken = media.receivePayloadTypes.intersection(negotiated.receivePayloadTypes).min() {
                return .failure(Unusable(issue: .videoPayloadTypeTaken(taken)))
            }
            let bundled = [index] + pair.filter { $0 != index }
            return .success(OfferEvaluation(offer: offer, media: media, video: negotiated, issues: [], bundled: bundled))
        } catch {
            return .failure(Unusable(issue: .videoUnusable(error)))
        }
    }

    /// `transport`: the section whose lines about security, ICE and addresses count.
    private static func evaluate(
        _ section: MediaSection, transport: MediaSection, policy: AnswerPolicy
    ) throws(NegotiationError) -> NegotiatedMedia {
        guard let profile = section.profile else { throw .securityUnacceptable(profile: section.media.profile) }
        var out = NegotiatedMedia(
            index: section.index, mid: section.mid, kind: policy.kind, profile: profile.name, security: .none, isAVPF: profile.isAVPF)
        if let kind = transport.media.kind {
            out.transport = NegotiatedMedia.TransportSection(index: transport.index, mid: transport.mid, kind: kind)
        }
        let security = try security(of: transport, profile: profile, policy: policy)
        if let current = policy.current, security < current.security {
            let how = current.security == .dtls ? transport.dropOfDTLS : .noCrypto
            throw .securityDropped(offered: current.security, profile: profile.name, how: how)
        }
        switch security {
        case .dtls:
            out.security = .dtls
            out.dtls = try dtls(transport, policy: policy)
        case .sdes:
            out.security = .sdes
            guard let remote = CryptoLine.select(transport.cryptos, suites: policy.suites), let suite = remote.suite else {
                throw .cryptoUnacceptable
            }
            out.sdes = SDESParameters(local: nil, remote: remote, suite: suite)
        case .none: break
        }
        out.readCodecs(of: section, known: policy.codecs)
        guard !out.codecs.isEmpty else { throw .noCommonCodec }
        if transport.rtcpMuxOnly, !policy.rtcpMux { throw .rtcpMuxRequired }
        out.rtcpMux = transport.rtcpMux && policy.rtcpMux
        out.rtcpRsize = section.rtcpRsize && policy.rtcpRsize && profile.isAVPF
        out.read(
            RemoteTransport(transport, rtcpMux: out.rtcpMux, iceEnabled: policy.iceEnabled, isAnswer: false), of: section, offered: .sendrecv)
        out.extensionMaps = ExtensionMap.usable(section.extensionMaps) { policy.extensions.contains($0.uri) }
        let payloadTypes = out.codecs.map(\.sendPayloadType)
        out.feedback = profile.isAVPF ? policy.feedback.filter { !section.feedback($0, for: payloadTypes).isEmpty } : []
        out.dropUnansweredNumbers()
        out.xr = section.extendedReports.intersection(policy.extendedReports)
        return out
    }

    private static func evaluate(
        _ section: MediaSection, beside audio: NegotiatedMedia, transport: MediaSection, policy: VideoPolicy, iceEnabled: Bool
    ) throws(NegotiationError) -> NegotiatedMedia {
        guard let profile = section.profile, profile.isSecure == MediaProfile(audio.profile)?.isSecure else {
            throw .securityUnacceptable(profile: section.media.profile)
        }
        var out = NegotiatedMedia(section, kind: .video, profile: profile, sharing: audio)
        out.readCodecs(of: section, known: policy.codecs)
        guard let codec = out.codecs.first else { throw .noCommonCodec }
        if policy.codecs.contains(where: { $0.name == codec.name && $0.rtxPayloadType != nil }) {
            out.rtx = section.rtxPayloadType(of: codec.sendPayloadType).map { NegotiatedRTX(sendPayloadType: $0, receivePayloadType: $0) }
        }
        out.rtcpRsize = section.rtcpRsize && profile.isAVPF
        out.read(RemoteTransport(transport, rtcpMux: true, iceEnabled: iceEnabled, isAnswer: false), of: section, offered: .sendrecv)
        out.extensionMaps = ExtensionMap.usable(section.extensionMaps) { policy.extensions.contains($0.uri) }
        out.dropExtensions(against: audio)
        let payloadTypes = out.codecs.map(\.sendPayloadType)
        out.feedback = profile.isAVPF ? policy.feedback.filter { !section.feedback($0, for: payloadTypes).isEmpty } : []
        out.dropUnansweredNumbers()
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
            if let current = policy.current?.dtls, current.hasSameIdentity(fingerprints: fingerprints, tlsID: section.tlsID) {
                role = current.role
            } else {
                role = .active
            }
        }
        return DTLSParameters(fingerprints: fingerprints, role: role, tlsID: section.tlsID)
    }
}

extension NegotiatedMedia {
    /// Ours that are offered, under the offerer's payload types (RFC 3264 §6.1).
    fileprivate mutating func readCodecs(of section: MediaSection, known: [CodecDescription]) {
        let maps = section.rtpMaps
        let parameters = section.formatParameters
        let listed = section.payloadTypes
        for codec in known {
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

    /// What the peer's packets of this section may bear.
    var receivePayloadTypes: Set<UInt8> {
        Set(codecs.map(\.receivePayloadType) + dtmf.map(\.receivePayloadType) + (rtx.map { [$0.receivePayloadType] } ?? []))
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
        let pair = section.ssrcGroups.first { $0.semantics.matches("FID") && $0.ssrcs.count >= 2 }?.ssrcs
        remoteSSRC = pair?[0] ?? ssrcs.first { $0.name == "cname" }?.ssrc ?? ssrcs.first?.ssrc
        remoteRTXSSRC = pair?[1]
        remoteCname = section.cname
        remoteMsid = section.msids.first
        remoteBandwidth = RemoteBandwidth(section)
    }
}
