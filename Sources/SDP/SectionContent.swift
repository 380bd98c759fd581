import Core

/// What an offer or answer decided for a section of ours.
struct SectionContent {
    var profile: String
    var formats: [PayloadFormat]
    var direction: MediaDirection
    var mid: String?
    var rtcpMux = false
    var rtcpRsize = false
    var hasICE = false
    var iceMismatch = false
    /// Not nil: DTLS.
    var setup: SetupRole?
    var cryptos: [CryptoLine] = []
    var extensionMaps: [ExtensionMap] = []
    var feedback: [String] = []

    init(profile: String, formats: [PayloadFormat], direction: MediaDirection) {
        self.profile = profile
        self.formats = formats
        self.direction = direction
    }
}

extension LocalMedia {
    /// The section's lines. c= is left out where the session's is the same.
    func section(_ content: SectionContent, sessionAddress: IPAddress?) -> MediaDescription {
        var out = MediaDescription(
            media: kind.rawValue, port: port, profile: content.profile, formats: content.formats.map { "\($0.map.payloadType)" },
            connections: sessionAddress == address ? [] : [Connection(address)])
        for format in content.formats {
            out.add("rtpmap", format.map.value)
            if let fmtp = format.fmtp { out.add("fmtp", "\(format.map.payloadType) \(fmtp)") }
        }
        if let ptime, kind == .audio { out.add("ptime", "\(ptime)") }
        out.add(content.direction.rawValue)
        if let mid = content.mid { out.add("mid", mid) }
        addRTCP(content, to: &out)
        for map in content.extensionMaps { out.add("extmap", map.value) }
        if !cname.isEmpty { out.add("ssrc", "\(ssrc) cname:\(cname)") }
        if let setup = content.setup {
            out.add("setup", setup.rawValue)
            for fingerprint in fingerprints { out.add("fingerprint", fingerprint.description) }
        }
        for crypto in content.cryptos { out.add("crypto", crypto.description) }
        if content.iceMismatch { out.add("ice-mismatch") }
        if content.hasICE { addICE(content, to: &out) }
        return out
    }

    private func addRTCP(_ content: SectionContent, to out: inout MediaDescription) {
        if let rtcpPort { out.add("rtcp", "\(rtcpPort) \(Connection(address).description)") }
        if content.rtcpMux { out.add("rtcp-mux") }
        if content.rtcpRsize { out.add("rtcp-rsize") }
        for type in content.feedback { out.add("rtcp-fb", RTCPFeedback(payloadType: nil, type: type).value) }
    }

    private func addICE(_ content: SectionContent, to out: inout MediaDescription) {
        guard let iceUfrag, let icePwd else { return }
        out.add("ice-ufrag", iceUfrag)
        out.add("ice-pwd", icePwd)
        if !iceOptions.isEmpty { out.add("ice-options", iceOptions.joined(separator: " ")) }
        for candidate in candidates { out.add("candidate", candidate.description) }
        if endOfCandidates { out.add("end-of-candidates") }
    }
}

extension MediaDescription {
    mutating func add(_ name: String, _ value: String? = nil) { attributes.append(Attribute(name, value)) }
}
