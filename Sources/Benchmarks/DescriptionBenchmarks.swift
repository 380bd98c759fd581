import Core
import SDP

/// One offer and answer with ICE and DTLS: what both ends of a call do.
enum DescriptionBenchmarks {
    static func run() throws {
        Report.head("SDP")
        let local = media(port: 40000, address: .v4(0xC000_0201))
        let remote = media(port: 40002, address: .v4(0xC000_0207))
        let origin = SessionOrigin(id: 1, address: local.address)
        let other = SessionOrigin(id: 2, address: remote.address)
        let policy = AnswerPolicy(security: .prefer, codecs: local.codecs, iceEnabled: true)
        let offered = Negotiation.offer(session: origin, media: [local]).bytes
        let count = 200

        let offering = try Measure.alone(items: count) { for _ in 0..<count { keep(Negotiation.offer(session: origin, media: [local]).bytes) } }
        Report.line("offer made and written (\(offered.count) bytes)", offering, rate: "offer")
        let parsing = try Measure.alone(items: count) { for _ in 0..<count { keep(try SessionDescription(parsing: offered)) } }
        Report.line("offer parsed", parsing, rate: "offer")
        let exchange = try Measure.alone(items: count) {
            for _ in 0..<count {
                let offer = Negotiation.offer(session: origin, media: [local])
                let heard = try SessionDescription(parsing: offer.bytes)
                let evaluation = try Negotiation.evaluate(offer: heard, policy: policy).get()
                let answer = try Negotiation.answer(evaluation, session: other, local: remote).get()
                let back = try SessionDescription(parsing: answer.description.bytes)
                keep(try Negotiation.apply(answer: back, toOffer: offer, policy: policy).get())
            }
        }
        Report.line("offer, parse, answer, parse, apply", exchange, rate: "exchange")
    }

    private static func media(port: UInt16, address: IPAddress) -> LocalMedia {
        LocalMedia(
            codecs: [.opus, .pcmu, .pcma], port: port, address: address, security: .dtls,
            fingerprints: [Fingerprint(algorithm: "sha-256", bytes: (0..<32).map { UInt8($0) })], iceUfrag: "aB3dE6gH",
            icePwd: "abcdefghijklmnopqrstuvwx",
            candidates: (0..<3).map { n in
                SDPCandidate(
                    foundation: "\(n)", component: 1, priority: 2_130_706_431 - UInt32(n), host: "192.0.2.\(n + 1)", port: port, type: "host",
                    relatedAddress: nil, relatedPort: nil)
            }, cname: "benchmark", ssrc: 1)
    }
}
