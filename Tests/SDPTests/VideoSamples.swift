import Core
import SDP

let videoSSRC: UInt32 = 11111
let rtxSSRC: UInt32 = 22222

/// Audio as the phone offers it, without RTCP's own port, and video on its transport.
func pairOfMedia(
    _ security: MediaSecurity = .dtls, _ direction: MediaDirection = .sendrecv, use: BundleUse = .bundleOnly
) -> [LocalMedia] {
    var audio = localMedia(security, ice: security == .dtls, codecs: [.opus, .pcmu, .pcma])
    audio.rtcpMux = true
    audio.rtcpPort = nil
    audio.ptime = nil
    audio.candidates = security == .dtls ? [candidate(1, 40000)] : []
    audio.endOfCandidates = false
    audio.iceOptions = security == .dtls ? ["trickle", "ice2"] : []
    audio.extensionMaps = HeaderExtension.offered
    audio.feedback = [RTCPFeedback.transportCC]
    audio.extendedReports = .supported
    audio.msid = MediaStreamIdentification(stream: "AbCdEfGh", track: "audio")
    var video = LocalMedia.video(direction: direction, sharing: audio, use: use, ssrc: videoSSRC, rtxSSRC: rtxSSRC)
    video.msid = MediaStreamIdentification(stream: "AbCdEfGh", track: "video")
    return [audio, video]
}

/// The phone's policy: everything known, and video.
func videoPolicy(_ security: SecurityPolicy = .prefer, current: NegotiatedMedia? = nil) -> AnswerPolicy {
    AnswerPolicy(
        security: security, codecs: allCodecs, iceEnabled: true, suites: CryptoSuite.allCases, extensions: HeaderExtension.known,
        feedback: [RTCPFeedback.transportCC], extendedReports: .supported, video: VideoPolicy(), current: current)
}

/// Evaluates and answers, with video where the offer's can be used.
func answeredWithVideo(
    _ offer: SessionDescription, _ policy: AnswerPolicy = videoPolicy(), _ direction: MediaDirection? = .sendrecv, previous: SessionDescription? = nil
) throws -> NegotiatedAnswer {
    let evaluation = try Negotiation.evaluate(offer: offer, policy: policy).get()
    var local = pairOfMedia(evaluation.media.security)
    local[0].rtcpPort = 40001
    if evaluation.media.ice == nil { (local[0].iceUfrag, local[0].icePwd, local[0].candidates) = (nil, nil, []) }
    if let suite = evaluation.suite { local[0].cryptos = [.generate(tag: 99, suite: suite, random: RandomSource(seed: 3))] }
    var video = local[1]
    video.direction = direction ?? .inactive
    return try Negotiation.answer(
        evaluation, session: origin, local: local[0], video: direction == nil ? nil : video, previous: previous
    ).get()
}

func applied(_ answer: SessionDescription, to offer: SessionDescription) throws -> NegotiatedSession {
    try Negotiation.apply(answer: answer, toOffer: offer, policy: videoPolicy()).get()
}

/// A description with these lines in its sections, by kind; DTLS, ICE and rtcp-mux are in those that `transport` names.
func bundledOffer(
    group: String? = "a v", order: [String] = ["audio", "video"], ports: [String: Int] = [:], transport: Set<String> = ["audio", "video"],
    audio: [String] = [], video: [String] = [], profile: String = "UDP/TLS/RTP/SAVPF", formats: String = "96 97"
) throws -> SessionDescription {
    var text = ["v=0", "o=- 7 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7", "t=0 0"] + (group.map { ["a=group:BUNDLE " + $0] } ?? [])
    for kind in order {
        let isAudio = kind == "audio"
        text.append("m=\(kind) \(ports[kind] ?? (isAudio ? 5000 : 6000)) \(profile) \(isAudio ? "111 0" : formats)")
        text +=
            isAudio ? ["a=mid:a", "a=rtpmap:111 opus/48000/2"] : ["a=mid:v", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"]
        text += ["a=rtcp-mux", "a=rtcp-rsize"]
        if transport.contains(kind), profile.contains("TLS") {
            let digit = isAudio ? "AB" : "CD"
            text += [
                "a=setup:" + (isAudio ? "actpass" : "passive"), "a=fingerprint:sha-256 " + Array(repeating: digit, count: 32).joined(separator: ":"),
                "a=ice-ufrag:\(isAudio ? "audio" : "video")", "a=ice-pwd:" + String(repeating: isAudio ? "a" : "v", count: 24),
            ]
        }
        text += (isAudio ? audio : video).map { "a=" + $0 }
    }
    return try SessionDescription(parsing: text.joined(separator: "\r\n") + "\r\n")
}
