import Core

extension Negotiation {
    /// An offer (RFC 3264 §5). With `previous`, our last description of the session, the m= lines keep their places (one
    /// that is not in `media` is disabled), payload types keep their meaning, and the version counts on when anything changed (§8).
    public static func offer(session: SessionOrigin, media: [LocalMedia], previous: SessionDescription? = nil) -> SessionDescription {
        var (places, waiting) = places(of: media, in: previous)
        var description = session.description(connection: media.first?.address ?? session.address)
        var bundled: [String] = []
        for index in 0..<(previous?.media.count ?? 0) + waiting.count {
            let old = previous?.section(index)
            if old == nil, !waiting.isEmpty { places[index] = waiting.removeFirst() }
            guard let local = places[index] else {
                if let old { description.media.append(old.media.rejected) }
                continue
            }
            let section = local.offered(previous: old, sessionAddress: description.connection?.ip)
            if local.security == .dtls, local.rtcpMux, let mid = section.value("mid") { bundled.append(mid) }
            description.media.append(section)
        }
        if !bundled.isEmpty { description.attributes.append(Attribute("group", "BUNDLE " + bundled.joined(separator: " "))) }
        return description.versioned(after: previous, session: session)
    }

    /// Which m= line of `previous` each section has, and those that have none: the section in use with that mid, any in use
    /// of that kind, then a disabled one, which may be used again (RFC 3264 §8.1).
    private static func places(of media: [LocalMedia], in previous: SessionDescription?) -> ([Int: LocalMedia], [LocalMedia]) {
        var places: [Int: LocalMedia] = [:]
        var waiting = media
        for (isInUse, byMid) in [(true, true), (true, false), (false, false)] {
            for old in previous?.sections ?? [] where places[old.index] == nil && (old.media.port != 0) == isInUse {
                let fits = { (local: LocalMedia) in local.kind == old.media.kind && (!byMid || old.mid != nil && local.mid == old.mid) }
                if let index = waiting.firstIndex(where: fits) { places[old.index] = waiting.remove(at: index) }
            }
        }
        return (places, waiting)
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

    /// The formats of an offer. A codec that `previous` has keeps its number there, and no number changes its meaning.
    func formats(previous: MediaSection?) -> [PayloadFormat] {
        let old = previous?.rtpMaps ?? [:]
        var used: Set<UInt8> = []
        let number = { (wanted: [UInt8], match: (RTPMap) -> Bool) -> UInt8? in
            if let same = previous?.payloadTypes.first(where: { old[$0].map(match) == true && !used.contains($0) }) { return same }
            return (wanted + Array(96...127)).first { !used.contains($0) && old[$0] == nil }
        }
        var out: [PayloadFormat] = []
        for codec in codecs {
            guard let payloadType = number([codec.payloadType], codec.matches) else { continue }
            used.insert(payloadType)
            let map = RTPMap(payloadType: payloadType, name: codec.name, clockRate: codec.clockRate, channels: codec.channels)
            out.append(PayloadFormat(map: map, fmtp: codec.fmtp))
        }
        guard kind == .audio else { return out }
        for rate in LocalMedia.telephoneEventRates(codecs) {
            let same = { (map: RTPMap) in map.name.matches(LocalMedia.telephoneEvent) && map.clockRate == rate }
            guard let payloadType = number([rate == 8000 ? 101 : 102], same) else { continue }
            used.insert(payloadType)
            let map = RTPMap(payloadType: payloadType, name: LocalMedia.telephoneEvent, clockRate: rate)
            // Without fmtp it means events 0 to 15 (RFC 4733 §2.4.1): an offer has to fit a datagram.
            out.append(PayloadFormat(map: map, fmtp: nil))
        }
        return out
    }

    func offered(previous: MediaSection?, sessionAddress: IPAddress?) -> MediaDescription {
        var content = SectionContent(profile: offeredProfile, formats: formats(previous: previous), direction: direction)
        content.mid = previous == nil ? mid : previous?.mid
        content.rtcpMux = rtcpMux
        content.rtcpRsize = rtcpRsize && MediaProfile(offeredProfile)?.isAVPF == true
        content.hasICE = iceUfrag != nil && icePwd != nil
        content.setup = security == .dtls ? setup : nil
        content.cryptos = security == .sdes || writesCryptoBesideDTLS ? cryptos : []
        content.extensionMaps = extensionMaps
        content.feedback = MediaProfile(offeredProfile)?.isAVPF == true ? feedback : []
        return section(content, sessionAddress: sessionAddress)
    }
}
