import Core

/// What an offer or answer decided for a section of ours.
struct SectionContent {
    var profile: String
    var formats: [PayloadFormat]
    var direction: MediaDirection
    var mid: String?
    var rtcpMux = false
    var rtcpMuxOnly = false
    var rtcpRsize = false
    var hasICE = false
    var iceMismatch = false
    /// Not nil: DTLS.
    var setup: SetupRole?
    var cryptos: [CryptoLine] = []
    var extensionMaps: [ExtensionMap] = []
    var feedback: [RTCPFeedback] = []
    var extendedReports = ExtendedReportAttribute()
    var iceOptions: [String] = []
    var tlsID: String?
    /// False: another section of the BUNDLE describes the transport.
    var hasTransport = true
    /// The fingerprints that the session level gives for all sections; others are written in the section.
    var sessionFingerprints: [Fingerprint] = []
    /// Port 0 that is no refusal.
    var isBundleOnly = false
    var hasRTX = false

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
            media: kind.rawValue, port: content.isBundleOnly ? 0 : port, profile: content.profile,
            formats: content.formats.map { "\($0.map.payloadType)" },
            connections: sessionAddress == address ? [] : [Connection(address)])
        out.bandwidths = bandwidths
        for format in content.formats {
            out.add("rtpmap", format.map.value)
            if let fmtp = format.fmtp { out.add("fmtp", "\(format.map.payloadType) \(fmtp)") }
        }
        if let ptime, kind == .audio { out.add("ptime", "\(ptime)") }
        out.add(content.direction.rawValue)
        if content.isBundleOnly { out.add("bundle-only") }
        if let mid = content.mid { out.add("mid", mid) }
        addRTCP(content, to: &out)
        for map in content.extensionMaps { out.add("extmap", map.value) }
        if let msid, kind == .audio || content.direction.sends { out.add("msid", msid.value) }
        addSources(content, to: &out)
        guard content.hasTransport || repeatsCredentials else { return out }
        if let setup = content.setup { out.add("setup", setup.rawValue) }
        if content.hasTransport {
            if content.setup != nil {
                for fingerprint in fingerprints where !content.sessionFingerprints.contains(fingerprint) {
                    out.add("fingerprint", fingerprint.description)
                }
                if let tlsID = content.tlsID { out.add("tls-id", tlsID) }
            }
            for crypto in content.cryptos { out.add("crypto", crypto.description) }
            if content.iceMismatch { out.add("ice-mismatch") }
        }
        if content.hasICE { addICE(content, to: &out) }
        return out
    }

    /// RFC 5576. Video that only comes in has no source to name.
    private func addSources(_ content: SectionContent, to out: inout MediaDescription) {
        guard !cname.isEmpty, kind == .audio || content.direction.sends else { return }
        let rtx = content.hasRTX ? rtxSSRC : nil
        if let rtx { out.add("ssrc-group", "FID \(ssrc) \(rtx)") }
        out.add("ssrc", "\(ssrc) cname:\(cname)")
        if let rtx { out.add("ssrc", "\(rtx) cname:\(cname)") }
    }

    private func addRTCP(_ content: SectionContent, to out: inout MediaDescription) {
        if let rtcpPort, content.hasTransport { out.add("rtcp", "\(rtcpPort) \(Connection(address).description)") }
        if content.rtcpMux { out.add("rtcp-mux") }
        if content.rtcpMuxOnly { out.add("rtcp-mux-only") }
        if content.rtcpRsize { out.add("rtcp-rsize") }
        for item in content.feedback { out.add("rtcp-fb", item.value) }
        if !content.extendedReports.isEmpty { out.add("rtcp-xr", content.extendedReports.value) }
    }

    private func addICE(_ content: SectionContent, to out: inout MediaDescription) {
        guard let iceUfrag, let icePwd else { return }
        out.add("ice-ufrag", iceUfrag)
        out.add("ice-pwd", icePwd)
        guard content.hasTransport else { return }
        if !content.iceOptions.isEmpty { out.add("ice-options", content.iceOptions.joined(separator: " ")) }
        for candidate in candidates { out.add("candidate", candidate.description) }
        if endOfCandidates { out.add("end-of-candidates") }
    }
}

extension MediaDescription {
    mutating func add(_ name: String, _ value: String? = nil) { attributes.append(Attribute(name, value)) }
}
