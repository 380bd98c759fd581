import Core
import Glibc

/// Something like speech: syllables of a gliding voice with three formants, and pauses. The same on each run.
enum Voice {
    static func samples(seconds: Int, rate: Int = 48000) -> [Int16] {
        let random = RandomSource(seed: 7)
        var out = [Int16](repeating: 0, count: seconds * rate)
        var phase = 0.0
        var low = 0.0
        for i in out.indices {
            let t = Double(i) / Double(rate)
            let syllable = t.truncatingRemainder(dividingBy: 0.24) / 0.24
            let isPause = Int(t / 0.24) % 6 == 5
            let envelope = isPause ? 0 : sin(.pi * syllable)
            phase += (120 + 30 * sin(2 * t)) / Double(rate)
            if phase >= 1 { phase -= 1 }
            // A pulse train, coloured by the formants of a vowel that changes with the syllable.
            let vowel = Double(Int(t / 0.24) % 3)
            var voiced = 0.0
            for (formant, width) in [(500 + 150 * vowel, 0.5), (1500 - 300 * vowel, 0.3), (2500.0, 0.15)] {
                voiced += width * sin(2 * .pi * formant * phase / 120) * exp(-4 * phase)
            }
            low = 0.7 * low + 0.3 * (random.uniform() - 0.5)
            out[i] = Int16(clamping: Int((voiced * envelope + low * 0.02) * 9000))
        }
        return out
    }
}
