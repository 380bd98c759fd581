import Core

extension Negotiation {
    /// The answer to an evaluated offer. `local` gives addresses, direction, ICE, fingerprints and, for SDES, a line for
    /// `evaluation.suite`; profile, codecs, DTLS role, rtcp-mux and mid come from the evaluation. `video` gives direction and sources for
    /// `evaluation.video`; without it that section is refused, or inactive when it is the one that lends the transport (RFC 9143 §7.3.1). Every other
    /// section is rejected in its place. `previous` is our last description of this session, if any.
    public static func answer(
        _ evaluation: OfferEvaluation, session: SessionOrigin, local: LocalMedia, video: LocalMedia? = nil, previous: SessionDescription? = nil
    ) -> Result<NegotiatedAnswer, NegotiationError> {
        var media = evaluation.media
        media.localDirection = media.localDirection.intersection(local.direction)
        if local.iceUfrag == nil || local.icePwd == nil { media.ice = nil }
        var local = local
        if media.rtcpMux { local.rtcpPort = nil }
        var content = content(of: media, evaluation: evaluation, local: local)
        if media.dtls != nil, local.fingerprints.isEmpty { return .failure(.fingerprintMissing) }
        if let sdes = media.sdes {
            let ours = local.cryptos.first { $0.suite == sdes.suite && $0.usableKey != nil }
            guard var line = ours else { return .failure(.cryptoUnacceptable) }
            line.tag = sdes.remote.tag
            media.sdes?.local = line
            content.cryptos = [line]
        } else if media.dtls != nil, local.cryptoInAnswer {
            content.cryptos = besideDTLS(evaluation, local: local)
        }
        content.hasTransport = media.transport.index == media.index

        var bundled = evaluation.bundled
        var sections = [media.index: (local, content)]
        var negotiated = evaluation.video
        if var other = negotiated {
            let lends = other.index == media.transport.index
            let inactive = lends ? LocalMedia.video(direction: .inactive, sharing: local, ssrc: local.ssrc, rtxSSRC: nil) : nil
            if let source = video?.sharing(local) ?? inactive {
                other.localDirection = other.localDirection.intersection(source.direction)
                other.ice = media.ice
                other.sdes = media.sdes
                var shared = Negotiation.content(of: other, evaluation: evaluation, local: source)
                shared.cryptos = content.cryptos
                shared.hasTransport = lends
                sections[other.index] = (source, shared)
                negotiated = other
            } else {
                bundled.removeAll { $0 == other.index }
                negotiated = nil
            }
        }
        let shared = sections.count > 1 && media.dtls != nil ? local.fingerprints : []
        for index in sections.keys { sections[index]?.1.sessionFingerprints = shared }
        var description = session.description(connection: local.address)
        description.add(fingerprints: shared)
        assemble(&description, evaluation, bundled: bundled, sections: sections)
        return .success(
            NegotiatedAnswer(description: description.versioned(after: previous, session: session), media: media, video: negotiated))
    }

    /// All but the crypto lines.
    private static func content(of media: NegotiatedMedia, evaluation: OfferEvaluation, local: LocalMedia) -> SectionContent {
        var content = SectionContent(profile: media.profile, formats: media.formats(local), direction: media.localDirection)
        content.mid = media.mid
        content.rtcpMux = media.rtcpMux
        content.rtcpRsize = media.rtcpRsize
        content.hasICE = media.ice != nil
        content.iceMismatch = media.iceMismatch
        content.extensionMaps = media.extensionMaps
        let offered = evaluation.offer.section(media.index)
        content.feedback = media.feedback.flatMap { type in
            offered?.feedback(type, for: media.codecs.map(\.receivePayloadType)) ?? []
        }
        content.extendedReports = media.xr
        content.iceOptions = local.iceOptions.filter { !$0.matches("trickle") || media.remoteSupportsTrickle }
        content.tlsID = media.dtls?.tlsID == nil ? nil : local.tlsID
        if let dtls = media.dtls { content.setup = dtls.role == .active ? .active : .passive }
        content.hasRTX = media.rtx != nil
        return content
    }

    private static func assemble(
        _ description: inout SessionDescription, _ evaluation: OfferEvaluation, bundled: [Int], sections: [Int: (LocalMedia, SectionContent)]
    ) {
        // RFC 3264 §6: the times are the offer's.
        description.timings = evaluation.offer.timings.prefix(1).map { Timing(start: $0.start, stop: $0.stop) }
        let mids = bundled.compactMap { sections[$0]?.1.mid }
        if !mids.isEmpty { description.attributes.append(Attribute("group", "BUNDLE " + mids.joined(separator: " "))) }
        for (index, offered) in evaluation.offer.media.enumerated() {
            let section = sections[index].map { local, content in local.section(content, sessionAddress: description.connection?.ip) }
            description.media.append(section ?? offered.rejected)
        }
    }

    /// The crypto line that old browsers want to see; it is never used.
    private static func besideDTLS(_ evaluation: OfferEvaluation, local: LocalMedia) -> [CryptoLine] {
        guard let section = evaluation.offer.section(evaluation.media.index) else { return [] }
        for offered in section.cryptos {
            guard var line = local.cryptos.first(where: { $0.suite != nil && $0.suite == offered.suite }) else { continue }
            line.tag = offered.tag
            return [line]
        }
        return []
    }
}

extension NegotiatedMedia {
    /// Our formats in an answer: the payload types we want to receive.
    fileprivate func formats(_ local: LocalMedia) -> [PayloadFormat] {
        codecs.flatMap { codec in
            let map = RTPMap(payloadType: codec.receivePayloadType, name: codec.name, clockRate: codec.clockRate, channels: codec.channels)
            let format = PayloadFormat(map: map, fmtp: local.codecs.first { $0.matches(map) }?.fmtp)
            guard let rtx, codec == codecs.first else { return [format] }
            return [format, .rtx(rtx.receivePayloadType, of: codec.receivePayloadType, clockRate: codec.clockRate)]
        }
            + dtmf.map { event in
                let map = RTPMap(payloadType: event.receivePayloadType, name: LocalMedia.telephoneEvent, clockRate: event.clockRate)
                return PayloadFormat(map: map, fmtp: LocalMedia.telephoneEvents)
            }
    }
}
