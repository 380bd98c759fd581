import CNcurses
import Screen

/// The colour pairs of one terminal, made when first needed. When there are no more, all are given up and the next picture is
/// painted anew: changing the colours of single pairs makes curses search the whole screen each time.
struct ColourPairs {
    private let limit: Int32
    private var numbers: [UInt64: Int32] = [:]

    /// - Parameter limit: the terminal's pairs, number 0 included; 0 for a terminal without colours.
    init(limit: Int32) { self.limit = limit }

    /// The pair for a style: 0 stands for the terminal's own colours. Nil when no pair is left.
    mutating func number(_ style: Style) -> Int32? {
        guard limit > 1, style.foreground != .standard || style.background != .standard else { return 0 }
        let foreground = code(style.foreground)
        let background = code(style.background)
        let key = UInt64(UInt32(bitPattern: foreground)) << 32 | UInt64(UInt32(bitPattern: background))
        if let known = numbers[key] { return known }
        let new = Int32(clamping: numbers.count + 1)
        guard new < limit else { return nil }
        let made = init_extended_pair(new, foreground, background) == OK ? new : 0
        numbers[key] = made
        return made
    }

    /// Gives up all pairs. Curses paints the screen anew with its next refresh.
    mutating func reset() {
        numbers.removeAll(keepingCapacity: true)
        reset_color_pairs()
        use_default_colors()
    }

    /// Curses' number of a colour.
    private func code(_ colour: Colour) -> Int32 {
        switch colour {
        case .standard: -1
        case .black: 0
        case .red: 1
        case .green: 2
        case .yellow: 3
        case .blue: 4
        case .magenta: 5
        case .cyan: 6
        case .white: 7
        case .indexed(let index): Int32(index)
        case .rgb(let red, let green, let blue):
            // Values under 8 are the first eight colours also where numbers are RGB: 8 looks the same.
            max(8, Int32(red) << 16 | Int32(green) << 8 | Int32(blue))
        }
    }
}
