import Codecs
import TestSignal
import Testing

@Suite struct OpusTests {
    @Test(arguments: AudioCodecKind.allCases)
    func toneSurvivesARoundTrip(kind: AudioCodecKind) throws {
        let encoder = try AudioEncoder(kind)
        let decoder = try AudioDecoder(kind)
        let n = kind.samplesPerTick
        let signal = sine(440, rate: kind.sampleRate, count: 50 * n)
        var out: [Int16] = []
        for i in 0..<50 { out += decoder.decode(encoder.encode(Array(signal[i * n..<(i + 1) * n]))) }
        #expect(out.count == signal.count)
        let tail = out[(10 * n)...]
        #expect(share(of: 440, in: tail, rate: kind.sampleRate) > 0.98)
        #expect(abs(rms(tail) / (8000 / 2.0.squareRoot()) - 1) < 0.1)
    }

    @Test func aLostFrameIsRestoredFromTheCopyInTheNext() throws {
        let encoder = try AudioEncoder(.opus, opus: .init(bitrate: 32000, expectedLossPercent: 20))
        let signal = vowel(count: 960 * 60)
        let packets = (0..<60).map { encoder.encode(Array(signal[$0 * 960..<($0 + 1) * 960])) }
        let carriers = packets.indices.filter { i in packets[i].withUnsafeBytes { AudioCodecKind.opus.carriesRedundancy($0) } }
        #expect(carriers.count > 20)
        let lost = try #require(carriers.last { $0 > 20 }) - 1
        let decoder = try AudioDecoder(.opus)
        let complete = try AudioDecoder(.opus)
        var out: [Int16] = []
        var reference: [Int16] = []
        for i in 0...lost {
            reference = complete.decode(packets[i])
            out = i == lost ? decoder.redundancy(of: packets[lost + 1], 960) : decoder.decode(packets[i])
        }
        #expect(out.count == 960)
        #expect(correlation(out, reference) > 0.8)
    }

    @Test func withoutExpectedLossThereIsNoCopy() throws {
        let encoder = try AudioEncoder(.opus, opus: .init(expectedLossPercent: 0))
        let packets = (0..<20).map { encoder.encode(sine(300, rate: 48000, count: 960, from: $0 * 960)) }
        #expect(!packets.contains { packet in packet.withUnsafeBytes { AudioCodecKind.opus.carriesRedundancy($0) } })
    }

    @Test(arguments: AudioCodecKind.allCases)
    func concealmentGoesOnAndFades(kind: AudioCodecKind) throws {
        let encoder = try AudioEncoder(kind)
        let decoder = try AudioDecoder(kind)
        let n = kind.samplesPerTick
        for i in 0..<20 { _ = decoder.decode(encoder.encode(sine(200, rate: kind.sampleRate, count: n, from: i * n))) }
        let first = decoder.conceal(n)
        #expect(first.count == n)
        #expect(rms(first[...]) > 2500)
        var last: [Int16] = []
        for _ in 0..<20 { last = decoder.conceal(n) }
        #expect(rms(last[...]) < 600)
    }

    @Test func concealmentKeepsThePitch() throws {
        let encoder = try AudioEncoder(.pcma)
        let decoder = try AudioDecoder(.pcma)
        for i in 0..<10 { _ = decoder.decode(encoder.encode(sine(200, rate: 8000, count: 160, from: i * 160))) }
        #expect(share(of: 200, in: decoder.conceal(160)[...], rate: 8000) > 0.9)
    }

    @Test(arguments: [[UInt8](), [0xFF], [0x03], [0x03, 0x00], [0xFB, 0x3F, 1, 2], [UInt8](repeating: 0xAA, count: 3)])
    func badPacketsAreRefused(packet: [UInt8]) throws {
        let decoder = try AudioDecoder(.opus)
        let length = packet.withUnsafeBytes { AudioCodecKind.opus.samples(in: $0) }
        let decoded = decoder.decode(packet)
        #expect(decoded.isEmpty || decoded.count == length)
    }

    /// Any bytes: no trap, and the length that is announced is the length that comes out.
    @Test(arguments: AudioCodecKind.allCases)
    func arbitraryBytesNeverTrap(kind: AudioCodecKind) throws {
        var state: UInt64 = 7
        func byte() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let decoder = try AudioDecoder(kind)
        var wrong = 0
        for _ in 0..<2000 {
            let packet = (0..<Int(byte() % 60)).map { _ in byte() }
            let length = packet.withUnsafeBytes { kind.samples(in: $0) } ?? 0
            _ = packet.withUnsafeBytes { kind.carriesRedundancy($0) }
            let count = decoder.decode(packet).count
            if count != 0, count != length { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func versionsAreKnown() {
        #expect(opusVersion.contains("opus"))
        #expect(!vpxVersion.isEmpty)
    }

    @Test func names() {
        #expect(AudioCodecKind(encodingName: "OPUS") == .opus)
        #expect(AudioCodecKind(encodingName: "pcma") == .pcma)
        #expect(AudioCodecKind(encodingName: "speex") == nil)
    }
}
