import Core

/// What an offer can do without, least missed first. Over UDP a request has to stay under some 1300 bytes (RFC 3261 §18.1.1), and its headers
/// take about 600 of them. NACK and PLI are no extras: without them one lost packet spoils video until the next key frame comes by itself.
enum OfferExtra: CaseIterable {
    case repeatedCredentials, msid, ptime, audioLevel, fullIntraRequest, transportCC, midExtension, extendedReports

    func remove(from media: inout LocalMedia) {
        let drop = { (media: inout LocalMedia, wanted: HeaderExtension) in media.extensionMaps.removeAll { $0.uri == wanted.rawValue } }
        switch self {
        case .repeatedCredentials: media.repeatsCredentials = false
        case .msid: media.msid = nil
        case .ptime: media.ptime = nil
        case .audioLevel: drop(&media, .audioLevel)
        case .fullIntraRequest: media.feedback.removeAll { $0 == RTCPFeedback.ccmFIR }
        case .extendedReports: media.extendedReports = ExtendedReportAttribute()
        case .transportCC:
            drop(&media, .transportCC)
            media.feedback.removeAll { $0 == RTCPFeedback.transportCC }
        case .midExtension: drop(&media, .mid)
        }
    }
}

extension Negotiation {
    /// As `offer(session:media:previous:)`, without as many of the extras (repeated credentials, msid, ptime, audio level,
    /// full intra requests, transport-wide feedback, the mid extension, extended reports, in this order) as it takes to be at most `maximumBytes` long. What an offer needs always stays, so it may be longer.
    public static func offer(
        session: SessionOrigin, media: [LocalMedia], previous: SessionDescription? = nil, maximumBytes: Int
    ) -> SessionDescription {
        var media = media
        var description = offer(session: session, media: media, previous: previous)
        for extra in OfferExtra.allCases where description.bytes.count > maximumBytes {
            for index in media.indices { extra.remove(from: &media[index]) }
            description = offer(session: session, media: media, previous: previous)
        }
        return description
    }
}
