import Core
import SDP

let opus = CodecDescription.opus
let allCodecs: [CodecDescription] = [.opus, .g722, .pcmu, .pcma]
let ourAddress = IPAddress.v4(0xC000_0201)
let ourFingerprint = Fingerprint(algorithm: "sha-256", bytes: Array(0..<32))
let origin = SessionOrigin(id: 4242, version: 1, address: ourAddress)
let hex32 = Array(repeating: "ab", count: 32).joined(separator: ":")

func candidate(_ component: Int, _ port: UInt16, host: String = "192.0.2.1", priority: UInt32 = 2_130_706_431) -> SDPCandidate {
    SDPCandidate(foundation: "1", component: component, priority: priority, host: host, port: port, type: "host")
}

func localMedia(_ security: MediaSecurity, ice: Bool = true, codecs: [CodecDescription] = allCodecs) -> LocalMedia {
    var cryptos: [CryptoLine] = []
    let random = RandomSource(seed: 7)
    if security == .sdes {
        for (index, suite) in CryptoSuite.preferred.prefix(3).enumerated() {
            cryptos.append(.generate(tag: UInt32(index + 1), suite: suite, random: random))
        }
    }
    return LocalMedia(
        codecs: codecs, port: 40000, rtcpPort: 40001, address: ourAddress, security: security,
        fingerprints: security == .dtls ? [ourFingerprint] : [], cryptos: cryptos, iceUfrag: ice ? "abcdefgh" : nil,
        icePwd: ice ? "ABCDEFGHIJKLMNOPQRSTUVWX" : nil,
        candidates: ice ? [candidate(1, 40000), candidate(2, 40001, priority: 2_130_706_430)] : [], endOfCandidates: ice,
        rtcpMux: security == .dtls, cname: "AbCdEfGh", ssrc: 305_419_896)
}

func policy(_ security: SecurityPolicy = .prefer, ice: Bool = true, codecs: [CodecDescription] = allCodecs) -> AnswerPolicy {
    AnswerPolicy(security: security, codecs: codecs, iceEnabled: ice)
}

/// An offer for one audio section; `lines` are written as they are.
func sdp(
    _ profile: String, _ lines: [String] = [], formats: String = "96 0 101", port: Int = 5000, c: String = "IN IP4 198.51.100.7"
) throws -> SessionDescription {
    let text =
        ["v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", "c=\(c)", "t=0 0", "m=audio \(port) \(profile) \(formats)"]
        + ["a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000"] + lines.map { "a=" + $0 }
    return try SessionDescription(parsing: text.joined(separator: "\r\n") + "\r\n")
}

func evaluated(_ offer: SessionDescription, _ policy: AnswerPolicy = policy()) throws(NegotiationError) -> NegotiatedMedia {
    try Negotiation.evaluate(offer: offer, policy: policy).get().media
}

func failure(_ offer: SessionDescription, _ policy: AnswerPolicy = policy()) -> NegotiationError? {
    if case .failure(let error) = Negotiation.evaluate(offer: offer, policy: policy) { return error }
    return nil
}

/// Evaluates and answers with media to fit.
func answered(
    _ offer: SessionDescription, _ policy: AnswerPolicy = policy(), adjust: (inout LocalMedia) -> Void = { _ in }
) throws -> NegotiatedAnswer {
    let evaluation = try Negotiation.evaluate(offer: offer, policy: policy).get()
    var local = localMedia(evaluation.media.security)
    if let suite = evaluation.suite { local.cryptos = [.generate(tag: 99, suite: suite, random: RandomSource(seed: 3))] }
    adjust(&local)
    return try Negotiation.answer(evaluation, session: origin, local: local).get()
}
