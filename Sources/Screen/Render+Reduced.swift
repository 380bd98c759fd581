import Interface

extension Canvas {
    /// Rows of a panel on a small terminal: all but the message, the dial line and the keys.
    var reducedPanelRows: Range<Int> { 0..<max(1, grid.rows - 3) }

    /// A small terminal: state, peer, timer, security word, then what else there is room for; the keys stay on the last row.
    mutating func drawReduced() {
        let lastRow = grid.rows - 1
        if model.panel == .video || model.panel.isCall {
            for (row, line) in reducedLines.prefix(max(1, lastRow - (lastRow >= 3 ? 2 : 0))).enumerated() { draw(line, row: row) }
        } else {
            let rows = reducedPanelRows
            let (lines, scroll) = panelLines(width: grid.columns, rows: rows.count)
            draw(lines, scroll: scroll, rows: rows, from: 0, to: grid.columns)
        }
        if lastRow >= 3 {
            let other = model.incomingCall.flatMap { $0.id == model.selectedCall?.id ? nil : $0 }
            draw(model.prompt == .none ? (other.map(shortBanner) ?? messageLine) : messageLine, row: lastRow - 2)
            drawDialLine(row: lastRow - 1)
        } else if lastRow >= 2, model.prompt != .none {
            draw(messageLine, row: lastRow - 1)
        }
        if lastRow >= 1 { drawBar(row: lastRow) }
    }

    private func shortBanner(_ call: CallSnapshot) -> StyledLine {
        StyledLine([Span(" ▶ incoming: \(call.peer)")], fill: .banner)
    }

    private var reducedLines: [StyledLine] {
        guard let call = model.selectedCall else {
            var out = [StyledLine([Span("Sidetone", .heading), Span(model.isQuitting ? "  ending…" : "  no call")])]
            for account in model.snapshot.accounts { out.append(StyledLine([account.mark.span, Span(" " + account.shortName)])) }
            out += model.snapshot.listening.map { StyledLine($0, .dim) }
            return out
        }
        // One row has to say it all.
        if grid.rows == 1 {
            let mark = call.securityMark
            return [
                StyledLine([call.stateMark.span, Span(" " + call.timer(now: model.now) + " "), Span(mark.text + " ", mark.role), Span(call.peer)])
            ]
        }
        var out = [
            StyledLine([call.stateMark.span], right: [Span(" " + call.timer(now: model.now), .heading)]),
            StyledLine(call.peer, .heading),
            StyledLine([call.securityMark.span], right: call.isMuted ? [Span(" ⊘ muted", .warning)] : []),
        ]
        if model.panel == .video { out.append(StyledLine("○ a picture needs 60 × 16 characters", .warning)) }
        if call.securityDowngraded { out.append(StyledLine([CallSnapshot.downgradeMark.span])) }
        let others = model.snapshot.calls.count - 1
        if others > 0 { out.append(StyledLine("+\(others) more call\(others == 1 ? "" : "s")", .dim)) }
        if let stream = call.streams.first {
            let inbound = stream.inbound
            let packets = "in \(Format.count(inbound.packetsReceived))  out \(Format.count(stream.outbound.packetsSent))"
            out.append(StyledLine("\(stream.codec)  \(packets)  lost \(Format.count(inbound.packetsLost))"))
            out.append(
                StyledLine("jitter \(Format.milliseconds(inbound.jitterMs))  RTT \(Format.milliseconds(stream.outbound.roundTripTimeMs))"))
        }
        return out
    }
}
