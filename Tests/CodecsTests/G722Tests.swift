import Codecs
import TestSignal
import Testing

/// The expected bytes and samples were made with FFmpeg 5.1 (`adpcm_g722`), another implementation, from the same signals.
@Suite struct G722Tests {
    @Test func whatIsEncodedIsByteForByteTheSame() {
        let signal = sweep(count: 32000)
        #expect(hash(littleEndian(signal)) == 0x616d_e310_73c5_ad15)
        let bytes = encoded(signal)
        #expect(Array(bytes[..<32]) == start)
        #expect(Array(bytes[4000..<4032]) == middle)
        #expect(bytes.count == 16000)
        #expect(hash(bytes) == 0xab0b_4296_df15_dd48)
    }

    @Test func whatIsDecodedIsSampleForSampleTheSame() {
        let samples = decoded(encoded(sweep(count: 32000)))
        #expect(
            Array(samples[..<40]) == [
                -1, 0, 0, -1, -1, 0, 0, -1, 0, 1, -1, -6, -3, 3, 2, -20, 1, 33, 4, -83,
                -12, 149, 208, 34, -186, -270, -21, 196, 3, -403, -333, -49, 233, 129, -104, -167, 51, 124, -22, 106,
            ])
        #expect(hash(littleEndian(samples)) == 0xdb4e_67a9_2f84_d3f8)
    }

    /// The quantiser and the filters at their limits.
    @Test func overloadIsTheSame() {
        let square = (0..<16000).map { $0 / 37 % 2 == 1 ? Int16.max : .min }
        let bytes = encoded(square)
        #expect(hash(bytes) == 0xb7a7_6ce6_3037_a530)
        #expect(hash(littleEndian(decoded(bytes))) == 0xbc4f_5f4e_2e5e_94d3)
    }

    /// Bytes that no encoder makes: every sum saturates sooner or later.
    @Test func anyBytesCanBeDecoded() {
        var state: UInt32 = 7
        let bytes = (0..<16000).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
        #expect(hash(littleEndian(decoded(bytes))) == 0xe5ee_9005_73e4_a25e)
        for byte in UInt8.min...UInt8.max {
            #expect(decoded([UInt8](repeating: byte, count: 300)).count == 600)
        }
    }

    @Test(arguments: [100.0, 440, 1000, 2500, 3700, 4300, 5200, 6500, 7000])
    func sinesKeepTheirLevelAndShape(hertz: Double) {
        let signal = sine(hertz, rate: 16000, count: 16000)
        let out = decoded(encoded(signal))
        #expect(signalToNoise(signal, out) > 20)
        #expect(abs(decibel(pow2(rms(out[1600...]) / rms(signal[1600...])))) < 0.5)
    }

    @Test func somethingLikeAVoiceKeepsItsShape() {
        let wide = vowel(count: 48000 * 3)
        // Its highest harmonic lies under 2.8 kHz: every third sample is enough.
        let signal = stride(from: 0, to: wide.count, by: 3).map { wide[$0] }
        #expect(signalToNoise(signal, decoded(encoded(signal))) > 25)
        // And so does a quiet one: the step follows.
        let quiet = signal.map { $0 / 64 }
        #expect(signalToNoise(quiet, decoded(encoded(quiet))) > 20)
    }

    @Test func piecesMakeTheSameAsTheWhole() {
        let signal = sweep(count: 4000)
        let whole = encoded(signal, piece: 4000)
        #expect(encoded(signal, piece: 2) == whole)
        #expect(encoded(signal, piece: 322) == whole)
        let samples = decoded(whole, piece: 2000)
        #expect(decoded(whole, piece: 1) == samples)
        #expect(decoded(whole, piece: 161) == samples)
    }

    @Test func itStopsWhereTheShorterEnds() {
        let samples = [Int16](repeating: 1000, count: 7)
        var bytes = [UInt8](repeating: 0xEE, count: 5)
        var encoder = G722Encoder()
        let made = samples.withUnsafeBufferPointer { s in bytes.withUnsafeMutableBytes { encoder.encode(s, into: $0) } }
        #expect(made == 3)
        #expect(bytes[3...] == [0xEE, 0xEE])
        var out = [Int16](repeating: 77, count: 5)
        var decoder = G722Decoder()
        let count = bytes.withUnsafeBytes { b in out.withUnsafeMutableBufferPointer { decoder.decode(b, into: $0) } }
        #expect(count == 4)
        #expect(out[4] == 77)
        let none = [UInt8]().withUnsafeBytes { b in out.withUnsafeMutableBufferPointer { decoder.decode(b, into: $0) } }
        #expect(none == 0)
        var small = [UInt8](repeating: 0, count: 100)
        let frame = [Int16](repeating: 0, count: 320)
        let refused = try? frame.withUnsafeBufferPointer { s in
            try small.withUnsafeMutableBytes { bytes in try AudioEncoder(.g722).encode(s, into: bytes) }
        }
        #expect(refused == 0)
    }

    /// After a loss the decoder's state is not the encoder's; the leaks of the adaptation bring it back.
    @Test func aLossIsForgotten() throws {
        let signal = sine(700, rate: 16000, count: 320 * 60)
        let encoder = try AudioEncoder(.g722)
        let decoder = try AudioDecoder(.g722)
        var out: [Int16] = []
        for i in 0..<60 {
            let payload = encoder.encode(Array(signal[i * 320..<(i + 1) * 320]))
            out += (20..<23).contains(i) ? decoder.conceal(320) : decoder.decode(payload)
        }
        #expect(out.count == signal.count)
        #expect(rms(out[20 * 320..<21 * 320]) > 4000)
        #expect(signalToNoise(Array(signal[30 * 320..<45 * 320]), Array(out[30 * 320..<45 * 320])) > 20)
        decoder.reset()
        #expect(decoder.decode(encoder.encode([Int16](repeating: 0, count: 320))).count == 320)
    }

    @Test func lengthsAndClocks() {
        func samples(_ count: Int) -> Int? { [UInt8](repeating: 0, count: count).withUnsafeBytes { AudioCodecKind.g722.samples(in: $0) } }
        #expect(samples(160) == 320)
        #expect(samples(1) == 2)
        #expect(samples(960) == 1920)
        #expect(samples(0) == nil)
        #expect(samples(961) == nil)
        #expect(AudioCodecKind.g722.clockRate == 8000)
        #expect(AudioCodecKind.g722.samplesPerClockUnit == 2)
        #expect(AudioCodecKind(encodingName: "g722") == .g722)
        #expect(AudioCodecKind.g722.staticPayloadType == 9)
    }

    private let start: [UInt8] = [
        0xde, 0x3a, 0x9b, 0x27, 0x87, 0x20, 0x99, 0x10, 0xb0, 0x08, 0x37, 0xb8, 0x1b, 0xb5, 0x9c, 0x15, 0xaf, 0xec, 0x93, 0xef, 0x3e, 0x6c, 0x32,
        0x33, 0x76,
        0x59, 0x70, 0xb6, 0x6b, 0xf8, 0x78, 0x72,
    ]
    private let middle: [UInt8] = [
        0x93, 0x75, 0x99, 0xef, 0x97, 0x24, 0xa7, 0x19, 0xe2, 0x1a, 0x79, 0x6e, 0x4f, 0x95, 0x71, 0x8a, 0x6e, 0xf7, 0xd5, 0x68, 0xf6, 0x52,
        0xa9, 0xd1,
        0xd8, 0x72, 0x53, 0xdd, 0x70, 0xd1, 0xf5, 0xb5,
    ]
}

private func pow2(_ x: Double) -> Double { x * x }

private func encoded(_ samples: [Int16], piece: Int = 320) -> [UInt8] {
    var encoder = G722Encoder()
    var out = [UInt8](repeating: 0, count: samples.count / 2)
    samples.withUnsafeBufferPointer { s in
        out.withUnsafeMutableBytes { bytes in
            for from in stride(from: 0, to: s.count, by: piece) {
                let part = UnsafeBufferPointer(rebasing: s[from..<min(s.count, from + piece)])
                _ = encoder.encode(part, into: UnsafeMutableRawBufferPointer(rebasing: bytes[(from / 2)...]))
            }
        }
    }
    return out
}

private func decoded(_ bytes: [UInt8], piece: Int = 160) -> [Int16] {
    var decoder = G722Decoder()
    var out = [Int16](repeating: 0, count: 2 * bytes.count)
    bytes.withUnsafeBytes { b in
        out.withUnsafeMutableBufferPointer { samples in
            for from in stride(from: 0, to: b.count, by: piece) {
                let part = UnsafeRawBufferPointer(rebasing: b[from..<min(b.count, from + piece)])
                _ = decoder.decode(part, into: UnsafeMutableBufferPointer(rebasing: samples[(2 * from)...]))
            }
        }
    }
    return out
}

/// A rising tone (50–7500 Hz) of changing loudness with some noise, in integers alone: the same samples on every machine.
private func sweep(count: Int) -> [Int16] {
    var phase: UInt32 = 0
    var step: UInt32 = 13_421_773
    var noise: UInt32 = 1
    return (0..<count).map { n in
        phase &+= step
        step &+= 62495
        let x = Int(Int32(bitPattern: phase) >> 16)
        let y = (x * (32768 - abs(x))) >> 13
        noise = noise &* 1_664_525 &+ 1_013_904_223
        let hiss = Int(Int16(bitPattern: UInt16(truncatingIfNeeded: noise >> 16))) >> 6
        return Int16((y * (3 * n % 24000)) >> 15 + hiss)
    }
}

/// Decibel, with the delay of both filters (22 samples) taken out and the first 100 ms left out.
private func signalToNoise(_ signal: [Int16], _ out: [Int16]) -> Double {
    var power = 0.0
    var noise = 0.0
    for n in 1600..<min(signal.count, out.count) - 22 {
        power += pow2(Double(signal[n]))
        noise += pow2(Double(out[n + 22]) - Double(signal[n]))
    }
    return decibel(power / max(noise, 1))
}

private func littleEndian(_ samples: [Int16]) -> [UInt8] {
    samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
}

/// FNV-1a, 64 bits.
private func hash(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
