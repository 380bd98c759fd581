/// The colours that a picture may be painted with.
public enum PictureColours: String, Sendable, Equatable, CaseIterable {
    /// Shades of the terminal's own colour: ░▒▓█.
    case monochrome
    case eight
    case sixteen
    /// The cube and the greys of xterm's 256 colours; the first 16 are left out, for people change them.
    case indexed
    case trueColour

    /// What a terminal with that many colours and colour pairs can show.
    /// - Parameter isDirect: a colour's number is its RGB value.
    public static func fitting(colours: Int, pairs: Int, isDirect: Bool, noColour: Bool = false) -> PictureColours {
        if noColour || colours < 8 || pairs < 64 { return .monochrome }
        if isDirect, colours >= 1 << 24, pairs >= 32767 { return .trueColour }
        if colours >= 256, pairs >= 32767 { return .indexed }
        return colours >= 16 && pairs >= 256 ? .sixteen : .eight
    }
}

/// 8 bits a channel.
struct RGB: Equatable {
    var red: Int
    var green: Int
    var blue: Int

    /// From BT.601 Y′CbCr in limited range, by the usual factors in 1/256.
    init(luma: Int, cb: Int, cr: Int) {
        let c = 298 * (luma - 16) + 128
        let d = cb - 128
        let e = cr - 128
        red = Self.clamp((c + 409 * e) >> 8)
        green = Self.clamp((c - 100 * d - 208 * e) >> 8)
        blue = Self.clamp((c + 516 * d) >> 8)
    }

    init(_ red: Int, _ green: Int, _ blue: Int) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    private static func clamp(_ value: Int) -> Int { min(max(0, value), 255) }

    /// The square of the distance.
    func distance(to other: RGB) -> Int {
        let r = red - other.red
        let g = green - other.green
        let b = blue - other.blue
        return r * r + g * g + b * b
    }
}

/// The nearest colour of a palette, by the distance in RGB.
enum Palette {
    static let cubeLevels = [0, 95, 135, 175, 215, 255]

    /// The nearest of the six levels of a channel: their borders lie half way.
    private static func cubeIndex(_ value: Int) -> Int {
        value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40
    }

    /// 16–255 of xterm's colours. What the cube and the greys have both comes from the cube.
    static func indexed(_ colour: RGB) -> UInt8 {
        let red = cubeIndex(colour.red)
        let green = cubeIndex(colour.green)
        let blue = cubeIndex(colour.blue)
        // Greys are 8, 18, … 238: the nearest one to a colour is the nearest one to its mean.
        let step = min(max(0, (colour.red + colour.green + colour.blue - 9) / 30), 23)
        let grey = 8 + 10 * step
        let cube = RGB(cubeLevels[red], cubeLevels[green], cubeLevels[blue])
        if colour.distance(to: RGB(grey, grey, grey)) < colour.distance(to: cube) { return UInt8(clamping: 232 + step) }
        return UInt8(clamping: 16 + 36 * red + 6 * green + blue)
    }

    /// xterm's first 16 colours; other terminals differ a little.
    static let sixteen: [RGB] = [
        RGB(0, 0, 0), RGB(205, 0, 0), RGB(0, 205, 0), RGB(205, 205, 0), RGB(0, 0, 238), RGB(205, 0, 205), RGB(0, 205, 205), RGB(229, 229, 229),
        RGB(127, 127, 127), RGB(255, 0, 0), RGB(0, 255, 0), RGB(255, 255, 0), RGB(92, 92, 255), RGB(255, 0, 255), RGB(0, 255, 255),
        RGB(255, 255, 255),
    ]

    static func basic(_ colour: RGB, count: Int) -> UInt8 {
        var best = 0
        for index in 1..<min(count, sixteen.count) where colour.distance(to: sixteen[index]) < colour.distance(to: sixteen[best]) { best = index }
        return UInt8(clamping: best)
    }

    /// The name of one of the eight, else its number.
    static func named(_ index: UInt8) -> Colour {
        let names: [Colour] = [.black, .red, .green, .yellow, .blue, .magenta, .cyan, .white]
        return index < 8 ? names[Int(index)] : .indexed(index)
    }
}
