import Core

extension Negotiation {
    /// The answer to an evaluated offer. `local` gives addresses, direction, ICE, fingerprints and, for SDES, a line for
    /// `evaluation.suite`; profile, codecs, DTLS role, rtcp-mux and mid come from the evaluation. Every other section is
    /// rejected in its place. `previous` is our last description of this session, if any.
    public static func answer(
        _ evaluation: OfferEvaluation, session: SessionOrigin, local: LocalMedia, previous: SessionDescription? = nil
    ) -> Result<NegotiatedAnswer, NegotiationError> {
        var media = evaluation.media
        media.localDirection = media.localDirection.intersection(local.direction)
        if local.iceUfrag == nil || local.icePwd == nil { media.ice = nil }
        var content = SectionContent(profile: media.profile, formats: media.formats(local), direction: media.localDirection)
        content.mid = media.mid
        content.rtcpMux = media.rtcpMux
        content.rtcpRsize = media.rtcpRsize
        content.hasICE = media.ice != nil
        content.iceMismatch = media.iceMismatch
        content.extensionMaps = media.extensionMaps
        content.feedback = media.feedback
        if let dtls = media.dtls {
            guard !local.fingerprints.isEmpty else { return .failure(.fingerprintMissing) }
            content.setup = dtls.role == .active ? .active : .passive
            if local.writesCryptoBesideDTLS { content.cryptos = besideDTLS(evaluation, local: local) }
        }
        if let sdes = media.sdes {
            let ours = local.cryptos.first { $0.suite == sdes.suite && $0.usableKey != nil }
            guard var line = ours else { return .failure(.cryptoUnacceptable) }
            line.tag = sdes.remote.tag
            media.sdes?.local = line
            content.cryptos = [line]
        }
        var local = local
        if media.rtcpMux { local.rtcpPort = nil }
        let description = assemble(evaluation, session: session, local: local, content: content)
        return .success(NegotiatedAnswer(description: description.versioned(after: previous, session: session), media: media))
    }

    private static func assemble(
        _ evaluation: OfferEvaluation, session: SessionOrigin, local: LocalMedia, content: SectionContent
    ) -> SessionDescription {
        var description = session.description(connection: local.address)
        // RFC 3264 §6: the times are the offer's.
        description.timings = evaluation.offer.timings.prefix(1).map { Timing(start: $0.start, stop: $0.stop) }
        let isBundled = evaluation.offer.groups("BUNDLE").contains { group in content.mid.map { group.mids.contains($0) } == true }
        if isBundled, content.rtcpMux, let mid = content.mid { description.attributes.append(Attribute("group", "BUNDLE " + mid)) }
        for (index, offered) in evaluation.offer.media.enumerated() {
            description.media.append(
                index == evaluation.media.index ? local.section(content, sessionAddress: description.connection?.ip) : offered.rejected)
        }
        return description
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
        codecs.map { codec in
            let map = RTPMap(payloadType: codec.receivePayloadType, name: codec.name, clockRate: codec.clockRate, channels: codec.channels)
            return PayloadFormat(map: map, fmtp: local.codecs.first { $0.matches(map) }?.fmtp)
        }
            + dtmf.map { event in
                let map = RTPMap(payloadType: event.receivePayloadType, name: LocalMedia.telephoneEvent, clockRate: event.clockRate)
                return PayloadFormat(map: map, fmtp: LocalMedia.telephoneEvents)
            }
    }
}
