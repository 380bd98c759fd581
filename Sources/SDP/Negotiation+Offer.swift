import Core

extension Negotiation {
    /// An offer (RFC 3264 §5). With `previous`, our last description of the session, the m= lines keep their places (one
    /// that is not in `media` is disabled), payload types keep their meaning, and the version counts on when anything changed (§8).
    /// Sections that share a transport are in one BUNDLE group with the first that has one of its own (RFC 9143 §7.2, §7.5); without such a one
    /// they are disabled.
    public static func offer(session: SessionOrigin, media: [LocalMedia], previous: SessionDescription? = nil) -> SessionDescription {
        let plan = OfferPlan(media: media, previous: previous)
        var description = session.description(connection: media.first?.address ?? session.address)
        let extensions = plan.extensionNumbers
        let shared = plan.sharedFingerprints
        description.add(fingerprints: shared)
        for (index, place) in plan.places.enumerated() {
            guard var local = place.local else {
                if let old = place.old { description.media.append(old.media.rejected) }
                continue
            }
            local.extensionMaps = local.extensionMaps.map { map in
                ExtensionMap(id: extensions[map.uri] ?? map.id, direction: map.direction, uri: map.uri)
            }
            var taken: Set<UInt8> = []
            for (other, place) in plan.places.enumerated() where other != index && place.local != nil {
                taken.formUnion(other < index ? description.section(other)?.payloadTypes ?? [] : place.old?.payloadTypes ?? [])
            }
            var content = local.offered(previous: place.old, taken: taken)
            content.mid = place.mid
            content.hasTransport = plan.hasTransport(index)
            content.sessionFingerprints = shared
            content.isBundleOnly = local.bundle == .bundleOnly
            description.media.append(local.section(content, sessionAddress: description.connection?.ip))
        }
        let mids = plan.bundle.compactMap { plan.places[$0].mid }
        if !mids.isEmpty { description.attributes.append(Attribute("group", "BUNDLE " + mids.joined(separator: " "))) }
        return description.versioned(after: previous, session: session)
    }
}

extension SessionOrigin {
    /// The session level of a description of ours.
    func description(connection: IPAddress) -> SessionDescription {
        let origin = Origin(sessionID: "\(id)", sessionVersion: "\(version)", addressType: address.isV4 ? "IP4" : "IP6", address: address.description)
        return SessionDescription(origin: origin, connection: Connection(connection))
    }
}

extension SessionDescription {
    /// With the o= line of `previous`, its version one higher when anything else differs (RFC 3264 §8).
    func versioned(after previous: SessionDescription?, session: SessionOrigin) -> SessionDescription {
        guard let previous, previous.origin.sessionID == "\(session.id)" else { return self }
        var out = self
        out.origin = previous.origin
        if out != previous {
            let version: UInt64 = previous.origin.sessionVersion.decimal() ?? session.version
            out.origin.sessionVersion = "\(version &+ 1)"
        }
        return out
    }
}

extension SessionDescription {
    /// For the sections of a BUNDLE: the tagged one describes the transport for all of them, but a browser wants to find a fingerprint at each. (With
    /// none at a bundle-only section, Firefox 153 ends the page that answers.)
    mutating func add(fingerprints: [Fingerprint]) {
        for fingerprint in fingerprints { attributes.append(Attribute("fingerprint", fingerprint.description)) }
    }
}

extension MediaDescription {
    /// The section refused or disabled in its place: port 0, the same protocol and mid.
    var rejected: MediaDescription {
        MediaDescription(
            media: media, port: 0, profile: profile, formats: Array(formats.prefix(1)),
            attributes: value("mid").map { [Attribute("mid", $0)] } ?? [])
    }
}

/// A format of an m= line of ours.
struct PayloadFormat: Hashable {
    var map: RTPMap
    var fmtp: String?

    static let rtxName = "rtx"

    /// RFC 4588 §8.1.
    static func rtx(_ payloadType: UInt8, of other: UInt8, clockRate: Int) -> PayloadFormat {
        PayloadFormat(map: RTPMap(payloadType: payloadType, name: rtxName, clockRate: clockRate), fmtp: "apt=\(other)")
    }
}

extension CodecDescription {
    /// Names without regard to case; Opus is always 2 channels on paper, but some peers write it otherwise.
    func matches(_ map: RTPMap) -> Bool {
        name.matches(map.name) && clockRate == map.clockRate && (channels == map.channels || name.matches("opus"))
    }
}

extension LocalMedia {
    static let telephoneEvent = "telephone-event"
    /// Events 0 to 16: digits and flash.
    static let telephoneEvents = "0-16"

    /// telephone-event is sent at 8000 Hz and, beside Opus, at 48000 Hz too.
    static func telephoneEventRates(_ codecs: [CodecDescription]) -> [Int] {
        codecs.contains { $0.clockRate == 48000 } ? [48000, 8000] : [8000]
    }

    /// The formats of an offer. A codec that `previous` has keeps its number there, and no number changes its meaning. `taken`: by other sections,
    /// which may share the transport.
    func formats(previous: MediaSection?, taken: Set<UInt8> = []) -> [PayloadFormat] {
        let old = previous?.rtpMaps ?? [:]
        var used: Set<UInt8> = []
        let number = { (wanted: [UInt8], match: (UInt8, RTPMap) -> Bool) -> UInt8? in
            let same = previous?.payloadTypes.first { payloadType in
                old[payloadType].map { match(payloadType, $0) } == true && !used.contains(payloadType)
            }
            return same ?? (wanted + Array(96...127)).first { !used.contains($0) && old[$0] == nil && !taken.contains($0) }
        }
        var out: [PayloadFormat] = []
        for codec in codecs {
            guard let payloadType = number([codec.payloadType], { codec.matches($1) }) else { continue }
            used.insert(payloadType)
            let map = RTPMap(payloadType: payloadType, name: codec.name, clockRate: codec.clockRate, channels: codec.channels)
            out.append(PayloadFormat(map: map, fmtp: codec.fmtp))
            let before = previous?.rtxPayloadType(of: payloadType)
            guard let wanted = codec.rtxPayloadType, let rtx = number([wanted], { number, _ in number == before }) else { continue }
            used.insert(rtx)
            out.append(.rtx(rtx, of: payloadType, clockRate: codec.clockRate))
        }
        guard kind == .audio else { return out }
        for rate in LocalMedia.telephoneEventRates(codecs) {
            let same = { (_: UInt8, map: RTPMap) in map.name.matches(LocalMedia.telephoneEvent) && map.clockRate == rate }
            guard let payloadType = number([rate == 8000 ? 101 : 102], same) else { continue }
            used.insert(payloadType)
            let map = RTPMap(payloadType: payloadType, name: LocalMedia.telephoneEvent, clockRate: rate)
            // Without fmtp it means events 0 to 15 (RFC 4733 §2.4.1): an offer has to fit a datagram.
            out.append(PayloadFormat(map: map, fmtp: nil))
        }
        return out
    }

    func offered(previous: MediaSection?, taken: Set<UInt8>) -> SectionContent {
        var content = SectionContent(profile: offeredProfile, formats: formats(previous: previous, taken: taken), direction: direction)
        content.rtcpMux = rtcpMux
        content.rtcpMuxOnly = rtcpMux && rtcpMuxOnly
        content.rtcpRsize = rtcpRsize && MediaProfile(offeredProfile)?.isAVPF == true
        content.hasICE = iceUfrag != nil && icePwd != nil
        content.setup = security == .dtls ? setup : nil
        content.cryptos = security == .sdes ? cryptos : []
        content.extensionMaps = extensionMaps
        content.feedback = MediaProfile(offeredProfile)?.isAVPF == true ? feedback.map { RTCPFeedback(payloadType: nil, type: $0) } : []
        content.extendedReports = extendedReports
        content.iceOptions = iceOptions
        content.tlsID = tlsID
        content.hasRTX = content.formats.contains { $0.map.name == PayloadFormat.rtxName }
        return content
    }
}
