/// The few functions that audio needs, without a C library.
enum Sine {
    /// sin(2π·turns) by its series after folding to ±1/4 turn; error below 1e-9.
    static func ofTurns(_ turns: Double) -> Double {
        var t = turns - turns.rounded(.down)
        if t > 0.75 { t -= 1 } else if t > 0.25 { t = 0.5 - t }
        let x = t * 2 * Double.pi
        let s = x * x
        let a = s * (1.0 / 362_880 - s * (1.0 / 39_916_800 - s / 6_227_020_800))
        return x * (1 - s * (1.0 / 6 - s * (1.0 / 120 - s * (1.0 / 5040 - a))))
    }
}

enum Decibel {
    /// 10·log10(x) for x > 0.
    static func ofPower(_ x: Double) -> Double {
        guard x > 0, x.isFinite else { return -.infinity }
        // ln(x) = exponent·ln 2 + 2·artanh((m−1)/(m+1)), with the significand m folded around 1.
        var m = x.significand
        var e = Double(x.exponent)
        if m > 1.4142135623730951 {
            m /= 2
            e += 1
        }
        let y = (m - 1) / (m + 1)
        let s = y * y
        let artanh = y * (1 + s * (1.0 / 3 + s * (1.0 / 5 + s * (1.0 / 7 + s * (1.0 / 9 + s / 11)))))
        return 10 * (e * 0.6931471805599453 + 2 * artanh) / 2.302585092994046
    }
}
