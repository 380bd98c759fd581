import Interface

extension Canvas {
    /// Calls from the top, accounts below them.
    mutating func drawList() {
        let calls = model.snapshot.calls
        let end = layout.listColumns
        var row = layout.bodyTop
        draw(StyledLine([Span("Calls", .heading)], right: calls.isEmpty ? [] : [Span("\(calls.count) ", .dim)]), row: row, to: end)
        row += 1
        let accounts = model.snapshot.accounts
        let accountRows = accounts.isEmpty ? 0 : min(accounts.count + 2, layout.bodyRows / 3)
        let bottom = layout.bodyBottom - accountRows
        if calls.isEmpty { draw(StyledLine(" none", .dim), row: row, to: end) }

        // Two rows a call while they fit, then one; the selected call stays in sight.
        let perCall = calls.count * 2 <= bottom - row ? 2 : 1
        let capacity = max(1, (bottom - row) / perCall)
        let selected = calls.firstIndex { $0.id == model.selectedCall?.id } ?? 0
        let first = max(0, min(selected - capacity / 2, calls.count - capacity))
        for call in calls[min(first, calls.count)...].prefix(capacity) {
            let isSelected = call.id == model.selectedCall?.id
            let hasFocus = isSelected && model.focus == .calls
            let mark = call.stateMark
            let warning = call.securityDowngraded || call.security == .some(.none) || call.keysInClear ? "▲" : ""
            draw(
                StyledLine(
                    [Span(isSelected ? "▸" : " "), Span(mark.shape + " ", mark.role), Span(call.peer, isSelected ? .heading : .text)],
                    right: [Span(" " + call.timer(now: model.now) + " ")], fill: hasFocus ? .selected : nil),
                row: row, to: end)
            row += 1
            if perCall == 2 {
                let flags = (call.isMuted ? " muted" : "") + (warning.isEmpty ? "" : " " + warning)
                draw(StyledLine([Span("   "), Span(mark.word, .dim), Span(flags, .warning)]), row: row, to: end)
                row += 1
            }
        }

        guard accountRows >= 2 else { return }
        row = bottom
        draw(StyledLine("Accounts", .heading), row: row + 1, to: end)
        let shown = accountRows - 2
        for (offset, account) in accounts.prefix(shown).enumerated() {
            draw(StyledLine([Span(" "), Span(account.mark.shape + " ", account.mark.role), Span(account.shortName)]), row: row + 2 + offset, to: end)
        }
        if accounts.count > shown, shown > 0 {
            draw(StyledLine("   +\(accounts.count - shown + 1) more", .dim), row: row + 1 + shown, to: end)
        }
    }
}
