import Foundation
import TestSignal
import Testing

@testable import Audio

private func run(_ resampler: Resampler, _ input: [Int16], piece: Int) -> [Int16] {
    var out: [Int16] = []
    var scratch = [Int16](repeating: 0, count: 2000)
    for start in stride(from: 0, to: input.count, by: piece) {
        let part = Array(input[start..<min(input.count, start + piece)])
        let n = part.withUnsafeBufferPointer { p in scratch.withUnsafeMutableBufferPointer { resampler.process(p, into: $0) } }
        out += scratch[..<n]
    }
    return out
}

@Suite struct ResamplerTests {
    @Test(arguments: [100.0, 300, 1000, 2000, 3000, 3400])
    func passBandIsFlat(hertz: Double) {
        let up = run(Resampler(from: 8000, to: 48000, largestInput: 160), sine(hertz, rate: 8000, count: 8000), piece: 160)
        #expect(up.count == 48000)
        #expect(abs(decibel(pow(rms(up[4800...]) / (8000 / 2.0.squareRoot()), 2))) < 0.5)
        #expect(share(of: hertz, in: up[4800...], rate: 48000) > 0.999)
        let down = run(Resampler(from: 48000, to: 8000, largestInput: 960), sine(hertz, rate: 48000, count: 48000), piece: 960)
        #expect(down.count == 8000)
        #expect(abs(decibel(pow(rms(down[800...]) / (8000 / 2.0.squareRoot()), 2))) < 0.5)
    }

    @Test(arguments: [(16000, 48000), (48000, 16000), (8000, 16000), (16000, 8000)], [200.0, 1000, 3400])
    func wideBandIsFlatAndATickStaysATick(rates: (from: Int, to: Int), hertz: Double) throws {
        let table = ResamplerTable(from: [8000, 16000, 48000], to: [8000, 16000, 48000])
        let resampler = try #require(table[rates.from, rates.to])
        let piece = rates.from / 50
        let signal = sine(hertz, rate: rates.from, count: rates.from)
        for start in stride(from: 0, to: piece * 10, by: piece) {
            #expect(run(resampler, Array(signal[start..<start + piece]), piece: piece).count == rates.to / 50)
        }
        resampler.reset()
        let out = run(resampler, signal, piece: piece)
        #expect(out.count == rates.to)
        #expect(abs(decibel(pow(rms(out[(rates.to / 10)...]) / (8000 / 2.0.squareRoot()), 2))) < 0.5)
        #expect(share(of: hertz, in: out[(rates.to / 10)...], rate: rates.to) > 0.999)
        #expect(table[rates.from, rates.from] == nil)
    }

    @Test(arguments: [4600.0, 6000, 12000, 20000])
    func whatWouldFoldIsRemoved(hertz: Double) {
        let down = run(Resampler(from: 48000, to: 8000, largestInput: 960), sine(hertz, rate: 48000, count: 48000), piece: 960)
        #expect(decibel(pow(rms(down[800...]) / (8000 / 2.0.squareRoot()), 2)) < -50)
    }

    @Test func everyTickIsAWholeTick() {
        let up = Resampler(from: 8000, to: 48000, largestInput: 160)
        let down = Resampler(from: 48000, to: 8000, largestInput: 960)
        var counts: Set<[Int]> = []
        for _ in 0..<20 {
            let wide = run(up, [Int16](repeating: 5, count: 160), piece: 160).count
            let narrow = run(down, [Int16](repeating: 5, count: 960), piece: 960).count
            counts.insert([wide, narrow])
        }
        #expect(counts == [[960, 160]])
    }

    @Test(arguments: [44100, 16000, 8000, 22050, 96000, 11025])
    func clipsKeepLengthFrequencyAndPlace(rate: Int) {
        let clip = Resampler.convert(sine(440, rate: rate, count: rate), from: rate, to: 48000)
        #expect(clip.count == 48000)
        #expect(share(of: 440, in: clip[4800..<43200], rate: 48000) > 0.999)
        let wanted = sine(440, rate: 48000, count: 48000)
        #expect(correlation(Array(clip[4800..<43200]), Array(wanted[4800..<43200])) > 0.99)
    }
}

@Suite struct SignalPathTests {
    @Test func sineAndDecibelAreRight() {
        var worst = 0.0
        for i in -1000...1000 {
            let turns = Double(i) / 317
            worst = max(worst, abs(Sine.ofTurns(turns) - sin(2 * .pi * turns)))
        }
        #expect(worst < 1e-9)
        var worstDecibel = 0.0
        for x in [1e-9, 0.001, 0.5, 1, 1.9, 2, 3, 1e6] { worstDecibel = max(worstDecibel, abs(Decibel.ofPower(x) - 10 * log10(x))) }
        #expect(worstDecibel < 1e-5)
    }

    @Test(arguments: [(32767.0, -3.01), (8230.0, -15.01), (0, -127)])
    func levels(amplitude: Double, dBov: Double) {
        var meter = LevelMeter()
        for i in 0..<60 { sine(1000, rate: 48000, count: 960, amplitude: amplitude, from: i * 960).withUnsafeBufferPointer { meter.add($0) } }
        #expect(abs(meter.dBov - dBov) < 0.05)
    }

    @Test func levelForgetsAfterASecond() {
        var meter = LevelMeter()
        sine(1000, rate: 48000, count: 960).withUnsafeBufferPointer { meter.add($0) }
        #expect(meter.dBov > -60)
        for _ in 0..<50 { [Int16](repeating: 0, count: 960).withUnsafeBufferPointer { meter.add($0) } }
        #expect(meter.dBov == -127)
    }

    @Test(arguments: [8000, 48000], [180.0, 440])
    func stretchingKeepsTheTone(rate: Int, hertz: Double) {
        let n = rate / 50
        var frame = sine(hertz, rate: rate, count: n) + [Int16](repeating: 0, count: n)
        let c = frame.withUnsafeMutableBufferPointer { TimeStretch.compress($0, count: n, rate: rate, urgent: false) }
        let shorter = Array(frame[..<c])
        frame = sine(hertz, rate: rate, count: n) + [Int16](repeating: 0, count: n)
        let e = frame.withUnsafeMutableBufferPointer { TimeStretch.expand($0, count: n, rate: rate) }
        let longer = Array(frame[..<e])
        #expect(shorter.count < n)
        #expect(shorter.count >= n / 2)
        #expect(longer.count > n)
        #expect(longer.count <= n * 2)
        #expect(correlation(longer, sine(hertz, rate: rate, count: longer.count)) > 0.95)
        #expect(correlation(shorter, sine(hertz, rate: rate, count: shorter.count)) > 0.95)
    }

    @Test func noiseIsStretchedOnlyInNeed() {
        var state: UInt32 = 1
        var frame: [Int16] = (0..<960).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Int16(truncatingIfNeeded: state >> 16) / 2
        }
        let count = frame.withUnsafeMutableBufferPointer { TimeStretch.compress($0, count: 960, rate: 48000, urgent: false) }
        #expect(count == 960)
        var silence = [Int16](repeating: 3, count: 960)
        let least = silence.withUnsafeMutableBufferPointer { TimeStretch.compress($0, count: 960, rate: 48000, urgent: false) }
        #expect(least == 480)
    }

    @Test func mixingSaturates() {
        var mix: [Int16] = [30000, -30000, 1]
        mix.withUnsafeMutableBufferPointer { m in [Int16]([10000, -10000, 2]).withUnsafeBufferPointer { Mixer.add($0, to: m) } }
        #expect(mix == [32767, -32768, 3])
    }

    @Test func toneHasItsLevelAndContinuousPhase() {
        let generator = ToneGenerator(hertz: 440)
        var out: [Int16] = []
        var frame = [Int16](repeating: 0, count: 960)
        for _ in 0..<50 {
            frame.withUnsafeMutableBufferPointer { generator.fill($0) }
            out += frame
        }
        #expect(share(of: 440, in: out[...], rate: 48000) > 0.9999)
        #expect(abs(decibel(pow(Double(out.max() ?? 0) / 32767, 2)) + 12) < 0.01)
    }

    @Test func cadenceOfBusy() {
        let generator = ToneGenerator(.busy)
        var out = [Int16](repeating: 0, count: 96000)
        out.withUnsafeMutableBufferPointer { generator.fill($0) }
        #expect(share(of: 425, in: out[..<24000], rate: 48000) > 0.95)
        #expect(out[24000..<48000].allSatisfy { $0 == 0 })
        #expect(share(of: 425, in: out[48000..<72000], rate: 48000) > 0.95)
    }

    @Test func patternsAreReadFromText() {
        #expect(TonePattern("425/500 0/500") == .busy)
        #expect(TonePattern("425+450/100")?.steps.first?.frequencies == [425, 450])
    }

    @Test(arguments: ["", "425", "425/", "/5", "a/100", "425/5", "1+2+3+4+5/100", "-1/100", "nan/100", "1/99999999"])
    func badPatternsAreRefused(text: String) {
        #expect(TonePattern(text) == nil)
    }

    /// The file that ships is the same as what is built in.
    @Test func resourceFileMatches() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Resources/tones.conf").standardizedFileURL
        let table = try #require(TonePattern.table(String(decoding: Data(contentsOf: file), as: UTF8.self)))
        #expect(table == ["ring": .ring, "ringback": .ringback, "busy": .busy, "failure": .failure])
    }

    @Test func fifoWrapsAround() {
        let fifo = SampleFIFO(capacity: 10)
        var next: Int16 = 0
        var expected: Int16 = 0
        var out = [Int16](repeating: 0, count: 7)
        for _ in 0..<20 {
            let piece = (0..<7).map { _ in
                next += 1
                return next
            }
            #expect(piece.withUnsafeBufferPointer { fifo.append($0) } == 7)
            let n = out.withUnsafeMutableBufferPointer { fifo.take(into: $0) }
            let isRight = out[..<n].allSatisfy {
                expected += 1
                return $0 == expected
            }
            #expect(isRight)
        }
        #expect(fifo.count == 0)
    }
}
