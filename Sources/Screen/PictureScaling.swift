import Core

/// A picture made small (or large) by averaging the pixels that fall on each new one. Averages are of the coded values.
struct PictureScaling {
    let width: Int
    let height: Int
    /// Row by row, `width` × `height`.
    private(set) var luma: [UInt8]
    private(set) var blue: [UInt8]
    private(set) var red: [UInt8]

    init(_ picture: VideoPicture, width: Int, height: Int) {
        self.width = max(1, width)
        self.height = max(1, height)
        luma = Self.scaled(picture.luma, picture.width, picture.height, to: self.width, self.height)
        blue = Self.scaled(picture.blue, picture.chromaWidth, picture.chromaHeight, to: self.width, self.height)
        red = Self.scaled(picture.red, picture.chromaWidth, picture.chromaHeight, to: self.width, self.height)
    }

    /// The largest size within `limit` that has the picture's shape and an even height, for two rows go into one row of characters.
    static func size(of picture: VideoPicture, within limit: (width: Int, height: Int)) -> (width: Int, height: Int) {
        let limit = (width: max(1, limit.width), height: max(2, limit.height & ~1))
        if picture.width * limit.height >= limit.width * picture.height {
            let height = (limit.width * picture.height + picture.width / 2) / picture.width
            return (limit.width, min(limit.height, max(2, (height + 1) & ~1)))
        }
        let width = (limit.height * picture.width + picture.height / 2) / picture.height
        return (min(limit.width, max(1, width)), limit.height)
    }

    /// Sums columns over the rows of a target row first: that loop is the one over all pixels, and it is a plain one.
    private static func scaled(_ source: [UInt8], _ width: Int, _ height: Int, to targetWidth: Int, _ targetHeight: Int) -> [UInt8] {
        guard source.count == width * height else { return [UInt8](repeating: 16, count: targetWidth * targetHeight) }
        var sums = [UInt32](repeating: 0, count: width)
        let edges = (0...targetWidth).map { $0 * width / targetWidth }
        return [UInt8](unsafeUninitializedCapacity: targetWidth * targetHeight) { target, count in
            source.withUnsafeBufferPointer { source in
                sums.withUnsafeMutableBufferPointer { sums in
                    for y in 0..<targetHeight {
                        let top = y * height / targetHeight
                        let bottom = max(top + 1, (y + 1) * height / targetHeight)
                        for x in 0..<width { sums[x] = UInt32(source[top * width + x]) }
                        for row in top + 1..<max(top + 1, bottom) {
                            let start = row * width
                            for x in 0..<width { sums[x] &+= UInt32(source[start &+ x]) }
                        }
                        for x in 0..<targetWidth {
                            let left = edges[x]
                            let right = max(left + 1, edges[x + 1])
                            var sum: UInt32 = 0
                            for column in left..<right { sum &+= sums[column] }
                            let pixels = UInt32(truncatingIfNeeded: (right - left) * (bottom - top))
                            target.initializeElement(at: y * targetWidth + x, to: UInt8(truncatingIfNeeded: (sum &+ pixels / 2) / pixels))
                        }
                    }
                }
            }
            count = targetWidth * targetHeight
        }
    }
}
