/// ITU-T G.711 by tables: one byte a sample at 8 kHz.
public enum G711: Sendable {
    case muLaw
    case aLaw

    /// Encodes as many samples as fit and returns their number.
    public func encode(_ samples: UnsafeBufferPointer<Int16>, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(samples.count, bytes.count)
        switch self {
        case .muLaw:
            Self.muLawCodes.withUnsafeBufferPointer { table in
                for i in 0..<count { bytes[i] = table[Int(samples[i] >> 2) + 8192] }
            }
        case .aLaw:
            Self.aLawCodes.withUnsafeBufferPointer { table in
                for i in 0..<count { bytes[i] = table[Int(samples[i] >> 4) + 2048] }
            }
        }
        return count
    }

    /// Decodes as many bytes as fit and returns their number.
    public func decode(_ bytes: UnsafeRawBufferPointer, into samples: UnsafeMutableBufferPointer<Int16>) -> Int {
        let count = min(samples.count, bytes.count)
        (self == .muLaw ? Self.muLawSamples : Self.aLawSamples).withUnsafeBufferPointer { table in
            for i in 0..<count { samples[i] = table[Int(bytes[i])] }
        }
        return count
    }

    public func encode(_ sample: Int16) -> UInt8 {
        self == .muLaw ? Self.muLawCodes[Int(sample >> 2) + 8192] : Self.aLawCodes[Int(sample >> 4) + 2048]
    }

    public func decode(_ byte: UInt8) -> Int16 { (self == .muLaw ? Self.muLawSamples : Self.aLawSamples)[Int(byte)] }

    /// Builds the tables now, so that no later call does.
    public static func prepare() {
        _ = muLawCodes.count + aLawCodes.count + muLawSamples.count + aLawSamples.count
    }

    // Indexed by the 14-bit (µ-law) and 12-bit (A-law) value that the compression looks at, moved to start at 0.
    private static let muLawCodes: [UInt8] = (-8192..<8192).map { compressMuLaw($0) }
    private static let aLawCodes: [UInt8] = (-2048..<2048).map { compressALaw($0) }
    private static let muLawSamples: [Int16] = (0..<256).map { expandMuLaw(UInt8($0)) }
    private static let aLawSamples: [Int16] = (0..<256).map { expandALaw(UInt8($0)) }

    /// Table 2a/2b: magnitude + 33 lies in segment k when its highest bit is bit k + 5; all bits are sent inverted.
    private static func compressMuLaw(_ value: Int) -> UInt8 {
        let magnitude = min((value < 0 ? -1 - value : value) + 33, 8191)
        var segment = 0
        while magnitude >> (segment + 6) != 0 { segment += 1 }
        let code = segment << 4 | (magnitude >> (segment + 1) & 15) | (value < 0 ? 0x80 : 0)
        return ~UInt8(truncatingIfNeeded: code)
    }

    /// Table 1a/1b: the two lowest segments share one step; every second bit is sent inverted.
    private static func compressALaw(_ value: Int) -> UInt8 {
        let magnitude = value < 0 ? -1 - value : value
        var segment = 0
        while magnitude >> (segment + 4) != 0 { segment += 1 }
        // Below 16 the magnitude is the mantissa itself; from 16 on its highest bit is implied by the segment.
        let mantissa = segment == 0 ? magnitude : magnitude >> (segment - 1) & 15
        let code = segment << 4 | mantissa | (value < 0 ? 0 : 0x80)
        return UInt8(truncatingIfNeeded: code) ^ 0x55
    }

    private static func expandMuLaw(_ byte: UInt8) -> Int16 {
        let code = Int(~byte)
        let segment = code >> 4 & 7
        let magnitude = ((2 * (code & 15) + 33) << segment) - 33
        return Int16(clamping: 4 * (code & 0x80 != 0 ? -magnitude : magnitude))
    }

    private static func expandALaw(_ byte: UInt8) -> Int16 {
        let code = Int(byte ^ 0x55)
        let segment = code >> 4 & 7
        let mantissa = 2 * (code & 15) + 1
        let magnitude = segment == 0 ? mantissa : (mantissa + 32) << (segment - 1)
        return Int16(clamping: 8 * (code & 0x80 != 0 ? magnitude : -magnitude))
    }
}
