import Core
import Testing

@testable import RTP

/// Whose packet it is, on one transport (RFC 9143 §9.2).
@Suite struct BundleDemultiplexerTests {
    private func packet(_ payloadType: UInt8, ssrc: UInt32, mid: String? = nil, id: UInt8 = 4) -> [UInt8] {
        var out: [UInt8] = [mid == nil ? 0x80 : 0x90, payloadType, 0, 1, 0, 0, 0, 1]
        out += (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * $0)) }
        if let mid {
            var elements = [id << 4 | UInt8(mid.utf8.count - 1)] + Array(mid.utf8)
            while elements.count % 4 != 0 { elements.append(0) }
            out += [0xBE, 0xDE, 0, UInt8(elements.count / 4)] + elements
        }
        return out + [1, 2, 3]
    }

    private func section(_ bundle: inout BundleDemultiplexer, _ packet: [UInt8]) throws -> BundleDemultiplexer.Section {
        bundle.section(of: try RTPHeader(packet.span.bytes), in: packet.span.bytes)
    }

    private let audio = BundleDemultiplexer.Description(mid: "0", midExtension: 4, payloadTypes: [111, 101, 100])
    private let video = BundleDemultiplexer.Description(mid: "1", midExtension: 4, payloadTypes: [96, 97, 100], sources: [500])

    @Test func withoutVideoEverythingIsAudio() throws {
        var bundle = BundleDemultiplexer()
        #expect(try section(&bundle, packet(96, ssrc: 1, mid: "1")) == .audio)
        bundle.adopt(audio: audio, video: nil)
        #expect(try section(&bundle, packet(96, ssrc: 500, mid: "1")) == .audio)
    }

    @Test func midThenSourceThenPayloadType() throws {
        var bundle = BundleDemultiplexer()
        bundle.adopt(audio: audio, video: video)
        // MID counts for more than the payload type, and the source is known from then on.
        #expect(try section(&bundle, packet(111, ssrc: 1, mid: "1")) == .video && section(&bundle, packet(111, ssrc: 1)) == .video)
        #expect(try section(&bundle, packet(111, ssrc: 1, mid: "0")) == .audio && section(&bundle, packet(96, ssrc: 1)) == .audio)
        // A source of the description, whatever its type.
        #expect(try section(&bundle, packet(100, ssrc: 500)) == .video)
        // By type; one that both have is audio's.
        #expect(try section(&bundle, packet(97, ssrc: 2)) == .video && section(&bundle, packet(100, ssrc: 3)) == .audio)
        #expect(try section(&bundle, packet(13, ssrc: 4)) == .audio)
        // Another extension's number, and a name that nobody has, say nothing.
        #expect(try section(&bundle, packet(96, ssrc: 5, mid: "0", id: 5)) == .video && section(&bundle, packet(96, ssrc: 6, mid: "zz")) == .video)
    }

    @Test func aNewDescriptionForgetsWhatWasLearnt() throws {
        var bundle = BundleDemultiplexer()
        bundle.adopt(audio: audio, video: video)
        #expect(try section(&bundle, packet(96, ssrc: 1)) == .video)
        bundle.adopt(audio: audio, video: video)
        #expect(try section(&bundle, packet(111, ssrc: 1)) == .video)
        var other = video
        other.payloadTypes = [98]
        bundle.adopt(audio: audio, video: other)
        #expect(try section(&bundle, packet(111, ssrc: 1)) == .audio && section(&bundle, packet(98, ssrc: 2)) == .video)
    }

    /// Thousands of sources: those that are known stay known, the others go by what they carry.
    @Test func strangersAreCapped() throws {
        var bundle = BundleDemultiplexer()
        bundle.adopt(audio: audio, video: video)
        #expect(try section(&bundle, packet(96, ssrc: 7, mid: "1")) == .video)
        for ssrc in UInt32(1000)..<6000 { _ = try section(&bundle, packet(ssrc % 2 == 0 ? 96 : 111, ssrc: ssrc)) }
        #expect(try section(&bundle, packet(111, ssrc: 7)) == .video && section(&bundle, packet(111, ssrc: 500)) == .video)
        #expect(try section(&bundle, packet(96, ssrc: 5001)) == .video && section(&bundle, packet(111, ssrc: 5001)) == .audio)
        let known = Mirror(reflecting: bundle).children.compactMap { $0.value as? [UInt32: BundleDemultiplexer.Section] }.first
        #expect(known?.count == 64)
    }
}
