import Foundation

public func decibel(_ power: Double) -> Double { 10 * log10(max(power, 1e-12)) }

/// A sine with the given amplitude.
public func sine(_ hertz: Double, rate: Int, count: Int, amplitude: Double = 8000, from start: Int = 0) -> [Int16] {
    (0..<count).map { Int16((amplitude * sin(2 * .pi * hertz * Double($0 + start) / Double(rate))).rounded()) }
}

/// Something like a voice: harmonics of a moving pitch under a moving envelope, at 48 kHz.
public func vowel(count: Int) -> [Int16] {
    var phase = 0.0
    return (0..<count).map { n in
        let t = Double(n) / 48000
        phase += (130 + 25 * sin(2 * .pi * 1.3 * t)) / 48000
        let harmonics = (1...18).reduce(0.0) { $0 + sin(2 * .pi * phase * Double($1)) / Double($1) }
        return Int16(5000 * harmonics * (0.6 + 0.4 * sin(2 * .pi * 4 * t)))
    }
}

public func correlation(_ a: [Int16], _ b: [Int16]) -> Double {
    var product = 0.0
    var first = 1e-9
    var second = 1e-9
    for (x, y) in zip(a, b) {
        product += Double(x) * Double(y)
        first += Double(x) * Double(x)
        second += Double(y) * Double(y)
    }
    return product / (first * second).squareRoot()
}

/// Share of the signal's power that lies at one frequency (0…1), by one term of a DFT.
public func share(of hertz: Double, in samples: ArraySlice<Int16>, rate: Int) -> Double {
    var re = 0.0
    var im = 0.0
    var energy = 0.0
    for (n, sample) in samples.enumerated() {
        let x = Double(sample)
        let angle = 2 * .pi * hertz * Double(n) / Double(rate)
        re += x * cos(angle)
        im += x * sin(angle)
        energy += x * x
    }
    return energy > 0 ? 2 * (re * re + im * im) / (Double(samples.count) * energy) : 0
}

public func rms(_ samples: ArraySlice<Int16>) -> Double {
    samples.isEmpty ? 0 : (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
}
