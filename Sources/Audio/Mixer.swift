/// Saturating sums of 16-bit samples.
enum Mixer {
    static func add(_ samples: UnsafeBufferPointer<Int16>, to mix: UnsafeMutableBufferPointer<Int16>) {
        let n = min(samples.count, mix.count)
        for i in 0..<n { mix[i] = Int16(clamping: Int(mix[i]) + Int(samples[i])) }
    }
}
