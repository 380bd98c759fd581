import Interface

/// The picture of a model: exactly `columns` × `rows` cells.
public func render(_ model: Model) -> CellGrid {
    var canvas = Canvas(model)
    if model.isReduced { canvas.drawReduced() } else { canvas.drawZones() }
    return canvas.grid
}

/// A grid being painted for one model.
struct Canvas {
    let model: Model
    let layout: Layout
    var grid: CellGrid

    init(_ model: Model) {
        self.model = model
        layout = Layout(model)
        grid = CellGrid(columns: model.columns, rows: model.rows, style: model.theme.style(.text))
    }

    func style(_ role: Role) -> Style { model.theme.style(role) }

    /// Draws a line between two columns; the left part is cut with "…" so that the right part stays whole where it can.
    mutating func draw(_ line: StyledLine, row: Int, from column: Int = 0, to end: Int? = nil) {
        let limit = min(end ?? grid.columns, grid.columns)
        guard row >= 0, row < grid.rows, column < limit else { return }
        if let fill = line.fill { grid.fill(column: column, row: row, limit: limit, style: style(fill)) }
        let rightColumns = min(line.right.reduce(0) { $0 + TextWidth.columns($1.text) }, limit - column)
        let leftLimit = limit - rightColumns
        var at = column
        for (index, span) in line.left.enumerated() {
            let room = leftLimit - at
            if room <= 0 { break }
            let columns = TextWidth.columns(span.text)
            let isFollowed = line.left[(index + 1)...].contains { !$0.text.isEmpty }
            // The span that reaches the edge carries the ellipsis of all that is cut.
            let isCut = columns > room || (columns == room && isFollowed)
            let text = isCut ? TextWidth.fit(span.text + "…", room) : span.text
            at = grid.write(text, column: at, row: row, limit: leftLimit, style: style(role(span.role, on: line.fill)))
        }
        at = leftLimit
        for span in line.right { at = grid.write(span.text, column: at, row: row, limit: limit, style: style(role(span.role, on: line.fill))) }
    }

    /// Plain text takes the look of the line's own background.
    private func role(_ role: Role, on fill: Role?) -> Role {
        guard let fill else { return role }
        return fill == .bar && role == .key ? .key : fill
    }

    /// Draws lines from the top; when some are hidden the last row says so.
    mutating func draw(_ lines: [StyledLine], scroll: Int, rows: Range<Int>, from column: Int, to end: Int) {
        let room = Self.room(for: lines.count, rows: rows.count)
        let first = min(max(0, scroll), max(0, lines.count - room))
        let shown = lines[first..<min(lines.count, first + room)]
        for (offset, line) in shown.enumerated() { draw(line, row: rows.lowerBound + offset, from: column, to: end) }
        guard room < rows.count, let lastRow = rows.last else { return }
        let below = lines.count - first - shown.count
        let text = (first > 0 ? "▲ PgUp  " : "") + (below > 0 ? "▼ \(below) more: PgDn" : "")
        draw(StyledLine([], right: [Span(text, .dim)]), row: lastRow, from: column, to: end)
    }

    /// Rows for lines; one is kept for the hint when they are too many.
    static func room(for lines: Int, rows: Int) -> Int { lines > rows && rows > 1 ? rows - 1 : rows }

    mutating func drawZones() {
        drawTitle()
        grid.fill("─", column: 0, row: layout.bannerRow, limit: grid.columns, style: style(.dim))
        for row in layout.bodyTop..<layout.bodyBottom { grid.write("│", column: layout.separatorColumn, row: row, style: style(.dim)) }
        if let call = model.incomingCall { draw(banner(call), row: layout.bannerRow) }
        drawList()
        let body = layout.bodyTop..<layout.bodyBottom
        if model.panel == .video {
            drawVideo(rows: body, from: layout.detailColumn, to: grid.columns)
        } else {
            let (lines, scroll) = panelLines(width: layout.detailColumns, rows: body.count)
            draw(lines, scroll: scroll, rows: body, from: layout.detailColumn, to: grid.columns)
        }
        if layout.hasLowerRule { grid.fill("─", column: 0, row: layout.bodyBottom, limit: grid.columns, style: style(.dim)) }
        draw(messageLine, row: layout.messageRow)
        drawDialLine(row: layout.dialRow)
        drawBar(row: layout.barRow)
    }

    private mutating func drawTitle() {
        let accounts = model.snapshot.accounts
        var left = [Span(" Sidetone ")]
        if accounts.isEmpty { left.append(Span(" ○ no account, direct calls only ")) }
        for account in accounts { left.append(Span(" \(account.mark.shape) \(account.shortName) \(account.mark.word) ")) }
        var right: [Span] = []
        if model.isQuitting {
            right.append(Span(" ending calls, one moment… "))
        } else if accounts.isEmpty || grid.columns >= 100, let first = model.snapshot.listening.first {
            let more = model.snapshot.listening.count - 1
            right.append(Span(" \(first)\(more > 0 ? " +\(more)" : "") "))
        }
        draw(StyledLine(left, right: right, fill: .title), row: layout.titleRow)
    }

    /// Peer, what it wants, and the keys; one line, never in the way of the dial line.
    func banner(_ call: CallSnapshot) -> StyledLine {
        var keys = ""
        for command in [ScreenCommand.answer, .decline, .silence] {
            guard let key = KeyMap.key(for: command, in: model) else { continue }
            keys += "  \(key) \(command.rawValue)"
        }
        let waiting = model.snapshot.calls.count(where: \.isWaiting)
        let others = waiting > 1 ? " (+\(waiting - 1))" : ""
        let address = call.peer == call.remoteUri ? "" : " " + call.remoteUri
        let head = Span(" ▶ incoming\(others): \(call.peer) · \(call.securityMark.text) ·\(address)")
        return StyledLine([head], right: [Span(keys + " ")], fill: .banner)
    }

    var messageLine: StyledLine {
        if model.prompt == .quitQuestion {
            let calls = model.livingCalls
            let what = calls == 0 ? "Quit?" : calls == 1 ? "1 call is up. Hang up and quit?" : "\(calls) calls are up. Hang up and quit?"
            return StyledLine([Span("? " + what + "  ", .warning), Span("y yes  n no", .heading)])
        }
        if case .hint(let text) = model.prompt { return StyledLine([Span("· " + text)]) }
        guard let notice = model.snapshot.notice else { return .empty }
        return StyledLine([notice.mark.span])
    }

    /// The line scrolls sideways so that the cursor stays in sight.
    mutating func drawDialLine(row: Int) {
        let hasFocus = model.contexts.contains(.dialLine) && !model.isQuitting
        let label = hasFocus ? "▸Dial: " : " Dial: "
        let start = grid.write(label, column: 0, row: row, style: style(hasFocus ? .heading : .dim))
        let room = grid.columns - start - 1
        guard room > 0 else { return }
        let clusters = model.dialLine.characters.map { TextWidth.clusters(String($0)) }
        let widths = clusters.map { $0.reduce(0) { $0 + $1.width } }
        let cursor = min(model.dialLine.cursor, widths.count)
        var first = cursor
        var used = 0
        while first > 0, used + widths[first - 1] <= room {
            first -= 1
            used += widths[first]
        }
        var at = start
        drawing: for character in clusters[first...] {
            for cluster in character {
                if at + cluster.width > start + room { break drawing }
                at = grid.write(cluster.text, column: at, row: row, style: style(.input))
            }
        }
        if model.dialLine.isEmpty {
            let hint = hasFocus ? "sip:user@host or echo, then Enter" : KeyMap.key(for: .focusDialLine, in: model).map { "press \($0) to type here" }
            if let hint { grid.write(TextWidth.fit(hint, room), column: start + 1, row: row, style: style(.dim)) }
        }
        if hasFocus {
            grid.cursor = CellGrid.Position(column: min(start + used, grid.columns - 1), row: row)
        }
    }

    /// The keys that are valid now; what does not fit is left out, never cut.
    mutating func drawBar(row: Int) {
        grid.fill(column: 0, row: row, limit: grid.columns, style: style(.bar))
        var at = 0
        for (key, label) in KeyMap.bar(model) {
            let width = TextWidth.columns(key) + TextWidth.columns(label) + 3
            if at + width > grid.columns { continue }
            at = grid.write(" " + key, column: at, row: row, style: style(.key))
            at = grid.write(" " + label + " ", column: at, row: row, style: style(.bar))
        }
    }
}
