import Core
import Foundation
import Testing

@testable import SIP

/// Seeded mutations of real and tortured messages: nothing traps, and what is read can be written and read again.
struct SIPFuzzTests {
    private static let fragments = [
        "\r\n", "\r\n ", "\r\n\r\n", ":", ";", ",", "<", ">", "\"", "\\", "@", "%", "%4", "=",
        "[", "]", "::", "?", "&", "(", ")", " ", "\u{00}", "\u{FF}",
        "SIP/2.0", "Content-Length: ", "99999999999999999999", "-1", "Via: ", "*", "sip:", "tel:", "CSeq: 4294967296 ", "l:", "m:",
    ].map { Array($0.utf8) }

    private func mutate(_ bytes: [UInt8], _ random: RandomSource) -> [UInt8] {
        var out = bytes
        for _ in 0..<Int(1 + random.next() % 4) where !out.isEmpty {
            let at = Int(random.next() % UInt64(out.count))
            switch random.next() % 6 {
            case 0: out[at] = UInt8(truncatingIfNeeded: random.next())
            case 1: out.remove(at: at)
            case 2: out.insert(contentsOf: SIPFuzzTests.fragments[Int(random.next() % UInt64(SIPFuzzTests.fragments.count))], at: at)
            case 3: out.removeSubrange(at..<min(out.count, at + Int(random.next() % 40)))
            case 4: out.insert(contentsOf: out[at..<min(out.count, at + Int(random.next() % 60))], at: Int(random.next() % UInt64(out.count)))
            default: out.removeLast(min(out.count, Int(random.next() % 200)))
            }
        }
        return out
    }

    private func corpus() throws -> [[UInt8]] {
        try Fixture.names("rfc4475").map { try Fixture.bytes("rfc4475/\($0)") } + Fixture.names("peers").map { try Fixture.bytes("peers/\($0)") }
    }

    /// As many as `SIDETONE_SEEDS` says.
    static let seeds = Array(1...max(5, ProcessInfo.processInfo.environment["SIDETONE_SEEDS"].flatMap { UInt64($0) } ?? 5))

    @Test(arguments: seeds)
    func mutatedMessages(_ seed: UInt64) throws {
        let corpus = try corpus()
        let random = RandomSource(seed: seed)
        var parsed = 0
        var refused = 0
        var broken: [String] = []
        for _ in 0..<1_000 {
            let bytes = mutate(corpus[Int(random.next() % UInt64(corpus.count))], random)
            do {
                let message = try SIPMessage.parse(bytes)
                parsed += 1
                touch(message.headers)
                let written = message.serialize()
                guard let again = try? SIPMessage.parse(written), again.serialize() == written, again.body == message.body else {
                    broken.append(String(decoding: bytes, as: UTF8.self))
                    continue
                }
            } catch {
                refused += 1
                guard let answer = error.rejection(toTag: "t") else { continue }
                if (try? SIPMessageParser.parsed(answer.serialize())) == nil { broken.append(String(decoding: bytes, as: UTF8.self)) }
            }
        }
        #expect(broken.isEmpty, "\(broken.first ?? "")")
        #expect(parsed > 50 && refused > 50, "\(parsed) read, \(refused) refused")
    }

    /// Typed values of a mutated message survive their own round trip.
    @Test(arguments: seeds)
    func mutatedValues(_ seed: UInt64) throws {
        let corpus = try corpus()
        let random = RandomSource(seed: seed)
        var compared = 0
        var broken: [String] = []
        for _ in 0..<1_000 {
            guard let headers = try? SIPMessage.parse(mutate(corpus[Int(random.next() % UInt64(corpus.count))], random)).headers else { continue }
            for value in headers.vias where Via(value.description) != value { broken.append(value.description) }
            for value in [headers.from, headers.to].compactMap({ $0 }) + headers.contacts {
                compared += 1
                if NameAddress(value.description)?.uri != value.uri { broken.append(value.description) }
            }
        }
        #expect(broken.isEmpty, "\(broken.first ?? "")")
        #expect(compared > 100)
    }

    @Test(arguments: seeds)
    func mutatedStreams(_ seed: UInt64) throws {
        let corpus = try corpus()
        let random = RandomSource(seed: seed)
        var messages = 0
        for _ in 0..<300 {
            var framer = SIPStreamFramer()
            let stream = corpus[Int(random.next() % UInt64(corpus.count))] + mutate(corpus[Int(random.next() % UInt64(corpus.count))], random)
            var position = 0
            do {
                while position < stream.count {
                    let end = min(stream.count, position + 1 + Int(random.next() % 300))
                    framer.append(stream[position..<end])
                    position = end
                    while let item = try framer.next() { if case .message = item { messages += 1 } }
                }
            } catch { continue }
        }
        #expect(messages > 100)
    }

    private func touch(_ headers: SIPHeaders) {
        for field in headers.fields {
            _ = headers.values(field.name)
            _ = AuthenticationParameters.parse(field.value)
        }
        _ = DigestChallenge.challenges(in: headers)
        _ = (headers.routes, headers.recordRoutes, headers.expires, headers.retryAfter, headers.mediaType, headers.supported, headers.allow)
        _ = headers.contacts.map { ($0.expires, $0.q, $0.uri.user, $0.uri.isEquivalent(to: $0.uri)) }
    }
}

extension SIPMessageParser {
    fileprivate static func parsed(_ bytes: [UInt8]) throws(SIPParseError) -> SIPMessage {
        var parser = SIPMessageParser(bytes)
        return try parser.parse()
    }
}
