import Core

/// Pictures that are known.
public enum Pictures {
    /// Y′CbCr of white, yellow, cyan, green, magenta, red, blue, black: full colours, BT.601 limited range.
    public static let bars: [(y: UInt8, blue: UInt8, red: UInt8)] = [
        (235, 128, 128), (210, 16, 146), (170, 166, 16), (145, 54, 34), (106, 202, 222), (81, 90, 240), (41, 240, 110), (16, 128, 128),
    ]
    /// The same in RGB.
    public static let barColours: [(red: UInt8, green: UInt8, blue: UInt8)] = [
        (255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0),
    ]

    /// A picture from a function of place, asked once per pixel for luma and once per four for chroma.
    public static func make(_ width: Int, _ height: Int, _ pixel: (_ x: Int, _ y: Int) -> (y: UInt8, blue: UInt8, red: UInt8)) -> VideoPicture {
        var luma: [UInt8] = []
        var blue: [UInt8] = []
        var red: [UInt8] = []
        for y in 0..<height { for x in 0..<width { luma.append(pixel(x, y).y) } }
        for y in 0..<(height + 1) / 2 {
            for x in 0..<(width + 1) / 2 {
                let value = pixel(x * 2, y * 2)
                blue.append(value.blue)
                red.append(value.red)
            }
        }
        guard let picture = VideoPicture(width: width, height: height, luma: luma, blue: blue, red: red) else { preconditionFailure("size") }
        return picture
    }

    public static func flat(_ width: Int, _ height: Int, y: UInt8, blue: UInt8 = 128, red: UInt8 = 128) -> VideoPicture {
        let chroma = ((width + 1) / 2) * ((height + 1) / 2)
        let picture = VideoPicture(
            width: width, height: height, luma: Array(repeating: y, count: width * height), blue: Array(repeating: blue, count: chroma),
            red: Array(repeating: red, count: chroma))
        guard let picture else { preconditionFailure("size") }
        return picture
    }

    /// Eight upright colour bars; the lowest quarter is a grey ramp.
    public static func colourBars(_ width: Int, _ height: Int) -> VideoPicture {
        make(width, height) { x, y in
            if y >= height * 3 / 4 { return (UInt8(16 + x * 219 / max(1, width - 1)), 128, 128) }
            return bars[min(7, x * 8 / width)]
        }
    }

    /// Colour bars with a white disc that walks to the right, 1/30 of the width a frame.
    public static func walk(_ width: Int, _ height: Int, frame: Int) -> VideoPicture {
        let bars = colourBars(width, height)
        let centre = (x: frame * width / 30 % width, y: height / 2)
        let radius = height / 5
        return make(width, height) { x, y in
            let dx = x - centre.x
            let dy = y - centre.y
            if dx * dx + dy * dy < radius * radius { return (225, 128, 128) }
            let chroma = y / 2 * bars.chromaWidth + x / 2
            return (bars.luma[y * width + x], bars.blue[chroma], bars.red[chroma])
        }
    }
}
