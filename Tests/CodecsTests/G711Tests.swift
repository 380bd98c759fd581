import Codecs
import TestSignal
import Testing

@Suite struct G711Tests {
    /// Known pairs of ITU-T G.711 with 16-bit samples (left-justified 14 and 13 bits).
    @Test(arguments: [
        (Int16(0), UInt8(0xFF), UInt8(0xD5)), (-1, 0x7F, 0x55), (1000, 0xCE, 0xFA), (-1000, 0x4E, 0x7A), (32767, 0x80, 0xAA), (-32768, 0x00, 0x2A),
        (8, 0xFE, 0xD5), (16, 0xFD, 0xD4), (256, 0xE7, 0xC5),
    ])
    func encodesKnownValues(sample: Int16, muLaw: UInt8, aLaw: UInt8) {
        #expect(G711.muLaw.encode(sample) == muLaw)
        #expect(G711.aLaw.encode(sample) == aLaw)
    }

    @Test(arguments: [
        (UInt8(0x00), Int16(-32124), Int16(-5504)), (0x80, 32124, 5504), (0xFF, 0, 848), (0x7F, 0, -848), (0xD5, 716, 8), (0x55, -716, -8),
        (0x2A, -5372, -32256), (0xAA, 5372, 32256),
    ])
    func decodesKnownValues(byte: UInt8, muLaw: Int16, aLaw: Int16) {
        #expect(G711.muLaw.decode(byte) == muLaw)
        #expect(G711.aLaw.decode(byte) == aLaw)
    }

    @Test func everyCodeSurvivesARoundTrip() {
        let muLaw = (0..<256).filter { G711.muLaw.encode(G711.muLaw.decode(UInt8($0))) != UInt8($0) }
        let aLaw = (0..<256).filter { G711.aLaw.encode(G711.aLaw.decode(UInt8($0))) != UInt8($0) }
        // µ-law has two zeros; the negative one comes back as the positive one.
        #expect(muLaw == [0x7F])
        #expect(aLaw.isEmpty)
    }

    /// Tables 5 and 6: these eight bytes, repeated, are 1 kHz at 0 dBm0, 3.14 dB (A) and 3.17 dB (µ) under the overload point.
    @Test(arguments: [
        (G711.aLaw, [UInt8]([0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4]), 32768.0, 3.14),
        (G711.muLaw, [0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E], 32636.0, 3.17),
    ])
    func digitalMilliwatt(law: G711, bytes: [UInt8], peak: Double, decibels: Double) {
        let samples = bytes.map { Double(law.decode($0)) }
        let power = samples.reduce(0) { $0 + $1 * $1 } / 8
        #expect(abs(decibel(power / (peak * peak / 2)) + decibels) < 0.05)
        #expect(samples.reduce(0, +) == 0)
    }

    @Test func errorStaysWithinHalfAStep() {
        var worst = 0
        for value in stride(from: -32000, through: 32000, by: 7) {
            let allowed = max(8, abs(value) / 16)
            for law in [G711.muLaw, .aLaw] {
                worst = max(worst, abs(Int(law.decode(law.encode(Int16(value)))) - value) * 100 / allowed)
            }
        }
        #expect(worst <= 100)
    }

    @Test func buffersAreEncodedUpToTheShorterLength() {
        let samples: [Int16] = [0, 1000, -1000]
        var bytes = [UInt8](repeating: 1, count: 2)
        let n = samples.withUnsafeBufferPointer { s in bytes.withUnsafeMutableBytes { G711.muLaw.encode(s, into: $0) } }
        #expect(n == 2)
        #expect(bytes == [0xFF, 0xCE])
    }
}
