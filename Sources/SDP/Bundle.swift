/// BUNDLE (RFC 9143): which sections share one transport, and which of them describes it.
extension SessionDescription {
    /// The sections that the first BUNDLE group with the one at `index` names, in its order; empty when none does. A name that no section has, or
    /// that comes again, counts for nothing; of two sections with one mid the first has it. `mids`: the offer's, since an answer may leave them out.
    func bundle(with index: Int, mids: [String?]? = nil) -> [Int] {
        var known: [String: Int] = [:]
        for (index, mid) in (mids ?? sections.map(\.mid)).enumerated() {
            if let mid, known[mid] == nil, media.indices.contains(index) { known[mid] = index }
        }
        for group in groups("BUNDLE") {
            var seen: Set<Int> = []
            let members = group.mids.compactMap { known[$0] }.filter { seen.insert($0).inserted }
            if members.contains(index) { return members }
        }
        return []
    }

    /// Of an offer: the section that describes the transport of those in `accepted`. A section of port 0 has none to give (§7.3.1).
    func offererTagged(_ bundle: [Int], among accepted: [Int]) -> Int? {
        bundle.first { accepted.contains($0) && media[$0].port != 0 }
    }

    /// Of an offer: it has a section for video that is in use.
    public var offersVideo: Bool { sections.contains { $0.media.kind == .video && $0.isEnabled } }
}

extension NegotiatedMedia {
    /// What a section has in common with `audio`, whose transport it shares. Its own lines about security and addresses count for nothing
    /// (RFC 9143 §7.1.3).
    init(_ section: MediaSection, kind: MediaKind, profile: MediaProfile, sharing audio: NegotiatedMedia) {
        self.init(index: section.index, mid: section.mid, kind: kind, profile: profile.name, security: audio.security, isAVPF: profile.isAVPF)
        dtls = audio.dtls
        sdes = audio.sdes
        rtcpMux = audio.rtcpMux
        transport = audio.transport
    }

    /// In a BUNDLE a number of a header extension means one thing.
    mutating func dropExtensions(against audio: NegotiatedMedia) {
        extensionMaps.removeAll { map in audio.extensionMaps.contains { $0.id == map.id && $0.uri != map.uri } }
    }
}

extension LocalMedia {
    /// Video on the transport of `audio`. What it says of security, addresses and ICE is audio's; `rtxSSRC` is written when the codec has
    /// retransmissions.
    public static func video(
        codecs: [CodecDescription] = [.vp8], direction: MediaDirection, sharing audio: LocalMedia, use: BundleUse = .bundleOnly, mid: String = "1",
        ssrc: UInt32, rtxSSRC: UInt32?
    ) -> LocalMedia {
        var out = audio
        out.kind = .video
        out.codecs = codecs
        out.direction = direction
        out.bundle = use
        out.mid = mid
        out.ssrc = ssrc
        out.rtxSSRC = rtxSSRC
        out.ptime = nil
        out.bandwidths = []
        out.cryptoInAnswer = false
        out.extendedReports = ExtendedReportAttribute()
        out.extensionMaps = HeaderExtension.offeredForVideo
        out.feedback = RTCPFeedback.forVideo
        return out
    }

    /// The same section on the transport of `lender`.
    func sharing(_ lender: LocalMedia) -> LocalMedia {
        var out = self
        out.port = lender.port
        out.rtcpPort = lender.rtcpPort
        out.address = lender.address
        out.security = lender.security
        out.fingerprints = lender.fingerprints
        out.setup = lender.setup
        out.cryptos = lender.cryptos
        out.iceUfrag = lender.iceUfrag
        out.icePwd = lender.icePwd
        out.iceOptions = lender.iceOptions
        out.candidates = lender.candidates
        out.endOfCandidates = lender.endOfCandidates
        out.rtcpMux = lender.rtcpMux
        out.tlsID = lender.tlsID
        return out
    }
}
