import Foundation
import SDP

/// Session descriptions that real programs sent: `*.sdp` files hold one, `*.sip` and `*.txt` whole SIP messages.
struct Fixture: Sendable, CustomStringConvertible {
    var file: String
    var index: Int
    /// A request's method or a response's code; "" in a bare .sdp file.
    var start: String
    /// Call-ID and CSeq: a request and its responses have the same.
    var transaction: String
    var text: String

    var description: String { "\(file)#\(index)" }
    var isRequest: Bool { start == "INVITE" || start == "UPDATE" }

    func parse() throws -> SessionDescription { try SessionDescription(parsing: text) }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")

    static let all: [Fixture] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().filter { !$0.hasSuffix(".tsv") }.flatMap { load($0) }
    }()

    static func named(_ file: String, _ index: Int = 0) throws -> SessionDescription {
        guard let fixture = all.first(where: { $0.file == file && $0.index == index }) else { throw CocoaError(.fileNoSuchFile) }
        return try fixture.parse()
    }

    static func text(_ file: String) -> String {
        (try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)) ?? ""
    }

    private static func load(_ file: String) -> [Fixture] {
        var out: [Fixture] = []
        var start = ""
        var call = ""
        var sequence = ""
        var inBody = false
        for raw in Array(text(file).utf8).split(separator: 10, omittingEmptySubsequences: false) {
            let hasCR = raw.last == 13
            let line = String(decoding: hasCR ? raw.dropLast() : raw, as: UTF8.self)
            let isField = line.utf8.count >= 2 && line.utf8.first.map { $0 >= 97 && $0 <= 122 } == true && Array(line.utf8)[1] == 61
            if line == "v=0" {
                inBody = true
                out.append(Fixture(file: file, index: out.count, start: start, transaction: call + " " + sequence, text: ""))
            }
            if inBody, isField {
                out[out.count - 1].text += line + (hasCR ? "\r\n" : "\n")
                continue
            }
            inBody = false
            let words = line.split(separator: " ")
            if line.hasPrefix("SIP/2.0 "), words.count > 1 { start = String(words[1]) }
            if line.hasSuffix(" SIP/2.0"), words.count == 3 { start = String(words[0]) }
            if line.lowercased().hasPrefix("cseq:") { sequence = String(line.dropFirst(5)).trimmingCharacters(in: .whitespaces) }
            if line.lowercased().hasPrefix("call-id:") { call = String(line.dropFirst(8)).trimmingCharacters(in: .whitespaces) }
        }
        return out
    }
}

/// A recorded offer and the answer that it got.
struct RecordedExchange: Sendable, CustomStringConvertible {
    var offer: Fixture
    var answer: Fixture

    var description: String { "\(offer) -> \(answer)" }

    static let all: [RecordedExchange] = inOneFile + inTwoFiles

    private static let inOneFile: [RecordedExchange] = {
        var out: [RecordedExchange] = []
        for answer in Fixture.all where answer.start == "200" {
            let offer = Fixture.all.last {
                $0.file == answer.file && $0.isRequest && $0.transaction == answer.transaction && $0.index < answer.index
            }
            if let offer { out.append(RecordedExchange(offer: offer, answer: answer)) }
        }
        return out
    }()

    private static let pairs: [(String, String)] = [
        ("chromium-to-aiortc-audio.offer.sdp", "aiortc-answer-to-chromium-audio.sdp"),
        ("chromium-to-aiortc-av.offer.sdp", "aiortc-answer-to-chromium-av.sdp"),
        ("firefox-to-aiortc-audio.offer.sdp", "aiortc-answer-to-firefox-audio.sdp"),
        ("firefox-to-aiortc-av.offer.sdp", "aiortc-answer-to-firefox-av.sdp"),
        ("aiortc-offer-audio.sdp", "chromium-answer-to-aiortc-audio.sdp"),
        ("aiortc-offer-av.sdp", "chromium-answer-to-aiortc-av.sdp"),
        ("aiortc-offer-audio.sdp", "firefox-answer-to-aiortc-audio.sdp"),
        ("aiortc-offer-av.sdp", "firefox-answer-to-aiortc-av.sdp"),
        ("softphone-minimal-offer.sdp", "chromium-answer-to-minimal-audio.sdp"),
        ("softphone-minimal-offer.sdp", "firefox-answer-to-minimal-audio.sdp"),
        ("softphone-minimal-offer.sdp", "chromium-answer-to-minimal-savpf.sdp"),
        ("softphone-minimal-offer.sdp", "firefox-answer-to-minimal-savpf.sdp"),
        ("softphone-bundle-only-offer-av.sdp", "chromium-answer-to-bundle-only-av.sdp"),
        ("softphone-bundle-only-offer-av.sdp", "firefox-answer-to-bundle-only-av.sdp"),
        ("chromium-ws-invite.sip", "baresip-1.0-answer-to-chromium.sip"),
        ("firefox-ws-invite.sip", "baresip-1.0-answer-to-firefox.sip"),
        ("baresip-1.0-invite-udp-to-chromium.sip", "chromium-ws-200-to-baresip.sip"),
        ("baresip-1.0-invite-udp-to-firefox.sip", "firefox-ws-200-to-baresip.sip"),
    ]

    private static let inTwoFiles: [RecordedExchange] = pairs.compactMap { (pair: (String, String)) -> RecordedExchange? in
        let offer = Fixture.all.first { $0.file == pair.0 }
        let answer = Fixture.all.first { $0.file == pair.1 }
        guard let offer, let answer else { return nil }
        return RecordedExchange(offer: offer, answer: answer)
    }
}
