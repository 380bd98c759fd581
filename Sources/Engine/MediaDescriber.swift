import Core
import ICE
import Interface
import SDP
import Secure

/// The SDP side of one call: what we have, what was offered, answered and agreed on. Knows no socket and no packet.
struct MediaDescriber {
    let cname: String
    let ssrc: UInt32
    /// Of our video, and of its retransmissions.
    let videoSSRC: UInt32
    let rtxSSRC: UInt32
    private let origin: UInt64
    private let codecs: [CodecDescription]
    private let fingerprints: [Fingerprint]
    private let random: RandomSource
    private let policy: SDP.SecurityPolicy
    private let profile: String
    /// What the account's peers need; set before the first description.
    var quirks = AccountQuirks()
    /// Candidates may be told one by one (RFC 8838).
    private let canTrickle: Bool
    /// Video is only what came, sent back.
    private let isEcho: Bool
    /// Bytes that an offer should not exceed; nil over a connection.
    var offerLimit: Int? = MediaDescriber.datagramLimit

    /// Our last description of the session, offered or answered.
    private(set) var local: SessionDescription?
    /// Our last offer, which answers are held against: a re-offer of the peer's may have been answered in between.
    private var lastOffer: SessionDescription?
    private(set) var negotiated: NegotiatedMedia?
    /// Video on audio's transport; nil while there is none.
    private(set) var negotiatedVideo: NegotiatedMedia?
    /// What our outstanding offer is secured with.
    private(set) var offered: SecurityMode?
    /// The keys of our SDES lines, kept for re-offers: a new key would be a new stream.
    private var cryptos: [CryptoLine] = []
    var direction = MediaDirection.sendrecv
    /// What we want to do with video. Nil: none is offered, and an offer's is refused. A change shows in the next description.
    var videoDirection: MediaDirection?
    /// Set once media with ICE is up: `prefer` never steps down by a re-offer.
    private let acceptsIce: Bool

    init(configuration: PhoneConfiguration, identity: CertificateIdentity, random: RandomSource) {
        cname = random.token(16)
        ssrc = UInt32(truncatingIfNeeded: random.next())
        origin = random.next() >> 2
        (videoSSRC, rtxSSRC) = MediaDescriber.sources(beside: ssrc, random)
        self.random = random
        codecs = configuration.codecs.compactMap(MediaDescriber.codec(named:))
        let fingerprint = identity.fingerprint(.sha256)
        fingerprints = [Fingerprint(algorithm: fingerprint.algorithm.rawValue, bytes: fingerprint.bytes)]
        policy = SDP.SecurityPolicy(rawValue: configuration.security.rawValue) ?? .prefer
        acceptsIce = configuration.acceptsIce
        profile = configuration.offeredProfile
        canTrickle = configuration.trickle
        isEcho = configuration.isEcho
    }

    /// An INVITE over UDP should stay under 1300 bytes (RFC 3261 §18.1.1), of which its headers take some 500.
    static let datagramLimit = 800
    /// A video section does not fit in there. A request that grows beyond 1300 bytes by it goes over TCP where the next hop leaves the choice, and in
    /// fragments where it does not.
    static let videoAllowance = 424

    /// Two more that differ from each other and from audio's: they share a transport.
    private static func sources(beside audio: UInt32, _ random: RandomSource) -> (UInt32, UInt32) {
        let video = UInt32(truncatingIfNeeded: random.next())
        let rtx = UInt32(truncatingIfNeeded: random.next())
        return Set([audio, video, rtx]).count == 3 ? (video, rtx) : (audio ^ 1, audio ^ 2)
    }

    static func codec(named name: String) -> CodecDescription? {
        switch name.lowercased() {
        case "opus": .opus
        case "g722": .g722
        case "pcmu": .pcmu
        case "pcma": .pcma
        default: nil
        }
    }

    /// What the call's sockets and ICE agent give to a description.
    struct Ground {
        var address: SocketAddress
        var rtcpPort: UInt16?
        var ice: (credentials: IceCredentials, candidates: [IceCandidate])?
        /// No more candidates will come.
        var isGathered = true
    }

    /// An offer: the first one, after a step down, or a re-offer.
    mutating func offer(_ mode: SecurityMode, ground: Ground) -> [UInt8] {
        var media = localMedia(mode, ground: ground)
        if mode == .sdes {
            if cryptos.isEmpty {
                let suites: [CryptoSuite] = [.aeadAES256GCM, .aeadAES128GCM, .aesCM80]
                cryptos = suites.enumerated().map { CryptoLine.generate(tag: UInt32($0.offset + 1), suite: $0.element, random: random) }
            }
            media.cryptos = cryptos
        }
        // A re-offer keeps the DTLS roles: actpass lets the peer keep its own (RFC 8842 §5.3).
        let session = SessionOrigin(id: origin, address: ground.address.ip)
        let video = localVideo(sharing: media)
        let sections = [media] + (video.map { [$0] } ?? [])
        let limit = offerLimit.map { video == nil ? $0 : $0 + MediaDescriber.videoAllowance }
        let description =
            limit.map { Negotiation.offer(session: session, media: sections, previous: local, maximumBytes: $0) }
            ?? Negotiation.offer(session: session, media: sections, previous: local)
        local = description
        lastOffer = description
        offered = mode
        return description.bytes
    }

    /// What an answer to our last offer comes to.
    mutating func apply(answer: SessionDescription) -> Result<NegotiatedSession, NegotiationError> {
        guard let lastOffer, let offered else { return .failure(.refused) }
        var policy = answerPolicy
        // An answer must keep what was offered, whatever else we would take when called.
        policy.security = SDP.SecurityPolicy(rawValue: offered.rawValue) ?? policy.security
        let result = Negotiation.apply(answer: answer, toOffer: lastOffer, policy: policy)
        if case .success(let session) = result {
            negotiated = session.audio
            negotiatedVideo = session.video
        }
        return result
    }

    func evaluate(offer: SessionDescription) -> Result<OfferEvaluation, NegotiationError> {
        Negotiation.evaluate(offer: offer, policy: answerPolicy)
    }

    mutating func answer(_ evaluation: OfferEvaluation, ground: Ground) -> Result<NegotiatedAnswer, NegotiationError> {
        let mode = SecurityMode(rawValue: evaluation.media.security.rawValue) ?? .none
        var media = localMedia(mode, ground: ground)
        if mode == .dtls, quirks.cryptoInAnswer {
            media.cryptoInAnswer = true
            media.cryptos = CryptoSuite.preferred.map { CryptoLine.generate(tag: 1, suite: $0, random: random) }
        }
        if let suite = evaluation.suite {
            let known = cryptos.first { $0.suite == suite }
            let line = known ?? CryptoLine.generate(tag: 1, suite: suite, random: random)
            if known == nil { cryptos = [line] }
            media.cryptos = [line]
        }
        var video = localVideo(sharing: media)
        // An echo of nothing sends nothing.
        if isEcho, evaluation.video?.localDirection.receives == false { video?.direction = .inactive }
        let result = Negotiation.answer(
            evaluation, session: SessionOrigin(id: origin, address: ground.address.ip), local: media, video: video, previous: local)
        if case .success(let answer) = result {
            local = answer.description
            negotiated = answer.media
            negotiatedVideo = answer.video
        }
        return result
    }

    private var answerPolicy: AnswerPolicy {
        AnswerPolicy(
            security: policy, codecs: codecs, iceEnabled: acceptsIce, acceptsSHA1: quirks.acceptsSHA1Fingerprint, extensions: HeaderExtension.known,
            feedback: [RTCPFeedback.transportCC], extendedReports: .supported,
            video: videoDirection.map { _ in VideoPolicy() }, current: negotiated)
    }

    private func localVideo(sharing audio: LocalMedia) -> LocalMedia? {
        guard let videoDirection else { return nil }
        // On hold nothing is wanted of the peer, whatever the kind.
        var video = LocalMedia.video(
            direction: videoDirection.intersection(direction), sharing: audio, use: negotiatedVideo == nil ? .bundleOnly : .shared, ssrc: videoSSRC,
            rtxSSRC: rtxSSRC)
        video.msid = MediaStreamIdentification(stream: cname, track: "video")
        return video
    }

    private func localMedia(_ mode: SecurityMode, ground: Ground) -> LocalMedia {
        var media = LocalMedia(
            codecs: codecs, direction: direction, port: ground.address.port, rtcpPort: ground.rtcpPort, address: ground.address.ip,
            security: MediaSecurity(rawValue: mode.rawValue) ?? .none, cname: cname, ssrc: ssrc)
        // What is the default need not be said: an offer has to fit a datagram.
        if ground.rtcpPort == ground.address.port &+ 1 { media.rtcpPort = nil }
        media.ptime = nil
        // One stream, so that a browser keeps voice and picture together (RFC 8830).
        if videoDirection != nil { media.msid = MediaStreamIdentification(stream: cname, track: "audio") }
        media.profileForDTLS = profile
        media.extendedReports = .supported
        if mode != .none {
            media.extensionMaps = HeaderExtension.offered
            media.feedback = [RTCPFeedback.transportCC]
        }
        if mode == .dtls { media.fingerprints = fingerprints }
        if let ice = ground.ice {
            media.iceUfrag = ice.credentials.ufrag
            media.icePwd = ice.credentials.pwd
            media.candidates = ice.candidates.map(SDPCandidate.init)
            media.endOfCandidates = canTrickle && ground.isGathered
            media.iceOptions = canTrickle ? ["trickle", "ice2"] : ["ice2"]
        }
        return media
    }
}

extension SDPCandidate {
    init(_ candidate: IceCandidate) {
        self.init(
            foundation: candidate.foundation, component: candidate.component, priority: candidate.priority, host: candidate.address.ip.description,
            port: candidate.address.port, type: candidate.kind.rawValue, relatedAddress: candidate.relatedAddress?.ip.description,
            relatedPort: candidate.relatedAddress?.port)
    }
}

extension SDPCandidate {
    /// A browser hides its address behind such a name (RFC 6762, draft-ietf-mmusic-mdns-ice-candidates).
    var isMDNS: Bool { host.lowercased().hasSuffix(".local") }
}

extension IceCandidate {
    /// nil for what we cannot use: TCP, names (`….local`), unknown kinds.
    init?(_ candidate: SDPCandidate) {
        guard candidate.isUDP, candidate.port != 0, let ip = IPAddress(candidate.host), let kind = IceCandidateKind(rawValue: candidate.type) else {
            return nil
        }
        self.init(
            foundation: candidate.foundation, component: candidate.component, priority: candidate.priority,
            address: SocketAddress(ip, candidate.port), kind: kind)
    }
}
