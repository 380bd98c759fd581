import Core

/// Something with a= lines.
public protocol AttributeHolder {
    var attributes: [Attribute] { get }
}

extension SessionDescription: AttributeHolder {}
extension MediaDescription: AttributeHolder {}

extension AttributeHolder {
    public func has(_ name: String) -> Bool { attributes.contains { $0.name == name } }

    /// The values of all attributes of that name, in order.
    public func values(_ name: String) -> [String] {
        attributes.compactMap { $0.name == name ? $0.value ?? "" : nil }
    }

    public func value(_ name: String) -> String? { attributes.first { $0.name == name }.map { $0.value ?? "" } }

    /// The direction written at this level, if any.
    public var writtenDirection: MediaDirection? {
        for attribute in attributes { if let direction = MediaDirection(rawValue: attribute.name) { return direction } }
        return nil
    }
}

extension SessionDescription {
    /// a=group with these semantics, e.g. "BUNDLE".
    public func groups(_ semantics: String) -> [MediaGroup] {
        values("group").compactMap { MediaGroup($0) }.filter { $0.semantics.matches(semantics) }
    }

    public var isICELite: Bool { has("ice-lite") }

    /// The section with what it inherits, or nil when there is none of that index.
    public func section(_ index: Int) -> MediaSection? {
        media.indices.contains(index) ? MediaSection(session: self, media: media[index], index: index) : nil
    }

    public var sections: [MediaSection] { media.indices.compactMap { section($0) } }
}

/// A media section read together with the session level: what the section does not say itself is inherited
/// (connection, direction, fingerprint, setup, ICE credentials and options).
public struct MediaSection: Hashable, Sendable {
    public let session: SessionDescription
    public let media: MediaDescription
    public let index: Int

    /// The values at media level, or those at session level when there are none.
    private func inherited(_ name: String) -> [String] {
        let own = media.values(name)
        return own.isEmpty ? session.values(name) : own
    }

    // MARK: Formats

    /// a=rtpmap by payload type, for those on the m= line; the static ones need no line. The first line wins.
    public var rtpMaps: [UInt8: RTPMap] {
        let listed = Set(payloadTypes)
        var out: [UInt8: RTPMap] = [:]
        for map in media.values("rtpmap").compactMap({ RTPMap($0) }) where listed.contains(map.payloadType) && out[map.payloadType] == nil {
            out[map.payloadType] = map
        }
        for payloadType in listed where out[payloadType] == nil { out[payloadType] = RTPMap.fixed(payloadType) }
        return out
    }

    /// The numeric formats of the m= line below 128, in order.
    public var payloadTypes: [UInt8] { media.formats.compactMap { $0.decimal(UInt8.self) }.filter { $0 < 128 } }

    /// a=fmtp by payload type.
    public var formatParameters: [UInt8: String] {
        var out: [UInt8: String] = [:]
        for item in media.values("fmtp").compactMap({ FormatParameters($0) }) where out[item.payloadType] == nil { out[item.payloadType] = item.text }
        return out
    }

    /// Milliseconds.
    public var ptime: Int? { milliseconds("ptime") }
    public var maxptime: Int? { milliseconds("maxptime") }

    private func milliseconds(_ name: String) -> Int? {
        let whole = media.value(name)?.trimmed.parts(UInt8(ascii: ".")).first
        guard let value = whole?.decimal(UInt16.self), value > 0 else { return nil }
        return Int(value)
    }

    public var feedback: [RTCPFeedback] { media.values("rtcp-fb").compactMap { RTCPFeedback($0) } }
    /// The lines that give this type to all formats, or else those that give it to one of `payloadTypes`.
    func feedback(_ type: String, for payloadTypes: [UInt8]) -> [RTCPFeedback] {
        let lines = feedback.filter { $0.type == type }
        if let all = lines.first(where: { $0.payloadType == nil }) { return [all] }
        return payloadTypes.compactMap { payloadType in lines.first { $0.payloadType == payloadType } }
    }

    public var extensionMaps: [ExtensionMap] { (session.values("extmap") + media.values("extmap")).compactMap { ExtensionMap($0) } }

    /// a=rtcp-xr, of the section or of the session (RFC 3611 §5.1).
    public var extendedReports: ExtendedReportAttribute {
        inherited("rtcp-xr").first.map { ExtendedReportAttribute($0) } ?? ExtendedReportAttribute()
    }

    // MARK: Stream

    /// The direction as its writer sees it; sendrecv when nothing is said.
    public var direction: MediaDirection { media.writtenDirection ?? session.writtenDirection ?? .sendrecv }
    public var mid: String? { media.value("mid").map { String($0.trimmed) }.flatMap { $0.isEmpty ? nil : $0 } }
    public var msids: [MediaStreamIdentification] { media.values("msid").compactMap { MediaStreamIdentification($0) } }
    public var ssrcs: [SSRCAttribute] { media.values("ssrc").compactMap { SSRCAttribute($0) } }
    /// The first CNAME given for an SSRC.
    public var cname: String? { ssrcs.first { $0.name == "cname" }?.value }
    public var ssrcGroups: [SSRCGroup] { media.values("ssrc-group").compactMap { SSRCGroup($0) } }
    /// With port 0 in an offer (RFC 9143 §6): in use as part of its BUNDLE group, not refused. Beside another port the word means nothing.
    public var isBundleOnly: Bool { media.port == 0 && media.has("bundle-only") }
    /// In an offer: it is not disabled.
    public var isEnabled: Bool { media.port != 0 || isBundleOnly }

    /// The payload type of the retransmissions of `payloadType` (RFC 4588 §8.1), at the same clock rate.
    public func rtxPayloadType(of payloadType: UInt8) -> UInt8? {
        let maps = rtpMaps
        let parameters = formatParameters
        return payloadTypes.first { candidate in
            guard let map = maps[candidate], map.name.matches("rtx"), map.clockRate == maps[payloadType]?.clockRate else { return false }
            return parameters[candidate].flatMap { FormatParameters.parameter("apt", in: $0) }?.decimal(UInt8.self) == payloadType
        }
    }

    /// b= of that type: kbit/s for AS and CT, bit/s for TIAS, RS and RR (RFC 3556).
    public func bandwidth(_ type: String) -> UInt64? {
        (media.bandwidths.first { $0.type.matches(type) } ?? session.bandwidths.first { $0.type.matches(type) })?.value
    }

    // MARK: Transport

    public var connection: Connection? { media.connections.first ?? session.connection }
    public var rtcp: RTCPAttribute? { media.value("rtcp").flatMap { RTCPAttribute($0) } }
    public var rtcpMux: Bool { media.has("rtcp-mux") || rtcpMuxOnly }
    /// RFC 8858: the offerer has no port for RTCP alone.
    public var rtcpMuxOnly: Bool { media.has("rtcp-mux-only") }
    public var rtcpRsize: Bool { media.has("rtcp-rsize") }
    public var profile: MediaProfile? { MediaProfile(media.profile) }

    // MARK: Security

    public var fingerprints: [Fingerprint] { inherited("fingerprint").compactMap { Fingerprint($0) } }
    /// There is a fingerprint line, readable or not.
    public var hasFingerprint: Bool { !inherited("fingerprint").isEmpty }
    /// Nil when missing or not one of the four words.
    public var setup: SetupRole? { inherited("setup").first.flatMap { SetupRole(rawValue: $0.trimmed.lowercased()) } }
    /// RFC 8842.
    public var tlsID: String? { inherited("tls-id").first }
    /// a=connection of RFC 4145: "new" or "existing".
    public var connectionReuse: String? { inherited("connection").first }
    public var cryptos: [CryptoLine] { media.values("crypto").compactMap { CryptoLine($0) } }

    /// How this section is weaker than DTLS-SRTP, when it has no fingerprint.
    var dropOfDTLS: SecurityDrop { media.has("crypto") ? .cryptoInstead : profile?.isSecure == true ? .noFingerprint : .profile }

    // MARK: ICE

    public var iceUfrag: String? { credential("ice-ufrag") }
    public var icePwd: String? { credential("ice-pwd") }
    public var iceOptions: [String] { inherited("ice-options").flatMap { $0.fields.map { String($0) } } }
    public var candidates: [SDPCandidate] { media.values("candidate").compactMap { SDPCandidate($0) } }
    public var endOfCandidates: Bool { media.has("end-of-candidates") || session.has("end-of-candidates") }
    public var remoteCandidates: [RemoteCandidate] { media.value("remote-candidates").map { RemoteCandidate.list($0) } ?? [] }
    public var hasICEMismatch: Bool { media.has("ice-mismatch") }

    private func credential(_ name: String) -> String? {
        guard let text = inherited(name).first?.trimmed, (1...256).contains(text.utf8.count) else { return nil }
        return String(text)
    }
}

/// The RTP profiles of m= (RFC 3551, 4585, 3711, 5124, 5764). Under the secure names keys come by DTLS or a=crypto.
public struct MediaProfile: Hashable, Sendable {
    /// As written, to be echoed.
    public let name: String

    /// Nil when it is no RTP profile.
    public init?(_ name: String) {
        self.name = name
        let known = [
            "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP",
            "TCP/DTLS/RTP/SAVPF",
        ]
        guard known.contains(where: { $0.matches(name) }) else { return nil }
    }

    public var isAVPF: Bool { name.uppercased().hasSuffix("AVPF") }
    /// Not RTP/AVP or RTP/AVPF.
    public var isSecure: Bool { !name.uppercased().hasPrefix("RTP/AVP") }
    /// The names under which an offer of DTLS-SRTP may go out. The first is the standard (RFC 8827 §6.5); the others are what peers expect that
    /// know DTLS only beside an older name.
    public static let namesForDTLS = ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP"]

    /// Named for DTLS: keys from a=crypto are not possible.
    public var isDTLS: Bool { name.uppercased().contains("TLS/") }
}
