/// The terminal's own colour (`standard`), the eight that every terminal with colours has, and what pictures are painted with.
public enum Colour: Sendable, Hashable {
    case standard, black, red, green, yellow, blue, magenta, cyan, white
    /// Of the terminal's palette; 16–231 a cube of 6 × 6 × 6, 232–255 greys, as xterm has them.
    case indexed(UInt8)
    case rgb(UInt8, UInt8, UInt8)
}

/// How one cell looks.
public struct Style: Sendable, Hashable {
    public struct Attributes: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let bold = Attributes(rawValue: 1)
        public static let dim = Attributes(rawValue: 2)
        public static let reverse = Attributes(rawValue: 4)
        public static let underline = Attributes(rawValue: 8)
    }

    public var foreground: Colour
    public var background: Colour
    public var attributes: Attributes

    public init(_ foreground: Colour = .standard, on background: Colour = .standard, _ attributes: Attributes = []) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
    }
}

/// What a piece of text means; the theme says how that looks. A role never carries a meaning that the text itself lacks.
public enum Role: String, Sendable, CaseIterable {
    case text, dim, heading, title, good, warning, bad, banner, bar, key, selected, input, meter
    /// A code that cameras read: dark on light.
    case code
}

/// A table from roles to styles.
public struct Theme: Sendable, Equatable {
    public let name: String
    private let styles: [Role: Style]

    public init(name: String, styles: [Role: Style]) {
        self.name = name
        self.styles = styles
    }

    public func style(_ role: Role) -> Style { styles[role] ?? Style() }

    public static let standard = Theme(
        name: "default",
        styles: [
            .dim: Style(.standard, .dim),
            .heading: Style(.cyan, .bold),
            .title: Style(.white, on: .blue, .bold),
            .good: Style(.green, .bold),
            .warning: Style(.yellow, .bold),
            .bad: Style(.red, .bold),
            .banner: Style(.black, on: .yellow, .bold),
            .bar: Style(.white, on: .blue),
            .key: Style(.yellow, on: .blue, .bold),
            .selected: Style(.standard, .reverse),
            .input: Style(.standard, .bold),
            .meter: Style(.green),
            .code: Style(.black, on: .white),
        ])

    /// Without colour: for NO_COLOR and terminals that have none.
    public static let mono = Theme(
        name: "mono",
        styles: [
            .dim: Style(.standard, .dim),
            .heading: Style(.standard, .bold),
            .title: Style(.standard, [.reverse, .bold]),
            .good: Style(.standard, .bold),
            .warning: Style(.standard, .bold),
            .bad: Style(.standard, [.bold, .underline]),
            .banner: Style(.standard, [.reverse, .bold]),
            .bar: Style(.standard, .reverse),
            .key: Style(.standard, [.reverse, .bold]),
            .selected: Style(.standard, .reverse),
            .input: Style(.standard, .bold),
            .code: Style(.standard, .reverse),
        ])

    /// The wished theme, or the one without colours when the terminal has none or NO_COLOR is set.
    public static func fitting(_ wish: Theme = .standard, hasColours: Bool, noColour: Bool) -> Theme { hasColours && !noColour ? wish : mono }

    /// The theme of that name, nil when there is none.
    public static func named(_ name: String) -> Theme? { [standard, mono].first { $0.name == name } }
}

extension Style {
    fileprivate init(_ foreground: Colour, _ attributes: Attributes) { self.init(foreground, on: .standard, attributes) }
}
