/// A piece of text with what it means.
struct Span: Equatable {
    var text: String
    var role: Role

    init(_ text: String, _ role: Role = .text) {
        self.text = text
        self.role = role
    }
}

/// One line of a panel before it meets its width.
struct StyledLine: Equatable {
    var left: [Span]
    /// Kept whole when the left part has to be cut.
    var right: [Span] = []
    /// Background of the whole line.
    var fill: Role?

    init(_ left: [Span], right: [Span] = [], fill: Role? = nil) {
        self.left = left
        self.right = right
        self.fill = fill
    }

    init(_ text: String, _ role: Role = .text) { left = [Span(text, role)] }

    static let empty = StyledLine([])
}

/// A named group of values that wraps at the width of its panel.
struct Flow {
    struct Item {
        var spans: [Span]
        /// Reserved columns, so that a growing number moves nothing.
        var reserve: Int
    }

    static let labelWidth = 7

    var label: String
    var items: [Item] = []

    init(_ label: String) { self.label = label }

    mutating func add(_ text: String, _ role: Role = .text, reserve: Int = 0) { items.append(Item(spans: [Span(text, role)], reserve: reserve)) }

    /// A value with its name before it.
    mutating func add(name: String, _ value: String, _ role: Role = .text, reserve: Int = 0) {
        items.append(Item(spans: [Span(name + " ", .dim), Span(value, value == Format.unknown ? .dim : role)], reserve: reserve))
    }

    func lines(width: Int) -> [StyledLine] {
        let indent = Span(String(repeating: " ", count: Self.labelWidth))
        var out: [StyledLine] = []
        var line: [Span] = [Span(TextWidth.pad(label, Self.labelWidth), .heading)]
        var used = Self.labelWidth
        var isFirst = true
        for item in items {
            let natural = item.spans.reduce(0) { $0 + TextWidth.columns($1.text) }
            let columns = max(natural, item.reserve)
            if !isFirst, used + 2 + columns > width {
                out.append(StyledLine(line))
                line = [indent]
                used = Self.labelWidth
                isFirst = true
            }
            if !isFirst {
                line.append(Span("  "))
                used += 2
            }
            line += item.spans
            if columns > natural { line.append(Span(String(repeating: " ", count: columns - natural))) }
            used += columns
            isFirst = false
        }
        out.append(StyledLine(line))
        return out
    }
}
