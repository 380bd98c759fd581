/// One decoded picture: 8-bit Y′CbCr 4:2:0 in three planes without padding, row by row from the top.
///
/// Values are BT.601 in limited range (luma 16–235, chroma 16–240), which is what VP8 carries (RFC 6386 §9.2).
public struct VideoPicture: Sendable, Equatable {
    /// Pixels, at least 1.
    public let width: Int
    public let height: Int
    /// `width` × `height` bytes.
    public let luma: [UInt8]
    /// Cb and Cr: `chromaWidth` × `chromaHeight` bytes each.
    public let blue: [UInt8]
    public let red: [UInt8]

    /// Half of the width, rounded up.
    public var chromaWidth: Int { (width + 1) / 2 }
    public var chromaHeight: Int { (height + 1) / 2 }

    public static let maximumPixels = 1920 * 1200

    /// Nil when a side is under 1, the picture has over 1920 × 1200 pixels, or a plane has another size than it must have.
    public init?(width: Int, height: Int, luma: [UInt8], blue: [UInt8], red: [UInt8]) {
        guard Self.isAcceptable(width: width, height: height) else { return nil }
        let chroma = ((width + 1) / 2) * ((height + 1) / 2)
        guard luma.count == width * height, blue.count == chroma, red.count == chroma else { return nil }
        self.width = width
        self.height = height
        self.luma = luma
        self.blue = blue
        self.red = red
    }

    /// Whether a picture of this size is taken: 1920 × 1200 pixels at most, in whatever shape.
    public static func isAcceptable(width: Int, height: Int) -> Bool {
        guard width > 0, height > 0, width <= maximumPixels, height <= maximumPixels else { return false }
        return width * height <= maximumPixels
    }
}
