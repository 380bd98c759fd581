import Interface

extension Canvas {
    /// The large area's lines and the first one to show.
    func panelLines(width: Int, rows: Int) -> (lines: [StyledLine], scroll: Int) {
        switch model.panel {
        case .call(let scroll):
            guard let call = model.selectedCall else { return (idleLines, scroll) }
            return (CallView(call: call, now: model.now).lines(width: width), scroll)
        case .history(let selected):
            return (historyLines(selected: selected), selected + 2 - rows / 2)
        case .devices(let kind, let selected):
            let lines = deviceLines(kind, selected: selected)
            return (lines.lines, lines.selectedRow - rows / 2)
        case .transport(let scroll):
            guard let call = model.selectedCall else { return (idleLines, scroll) }
            return (TransportView(call: call).lines(width: width), scroll)
        case .link:
            guard let link = model.snapshot.link else { return (idleLines, 0) }
            return (linkLines(link, width: width, rows: rows), 0)
        case .video:
            return ([], 0)
        case .help(let scroll):
            return (helpLines(width: width), scroll)
        }
    }

    private var idleLines: [StyledLine] {
        var out = [
            StyledLine("No call", .heading),
            StyledLine("Type an address and press Enter:"),
            StyledLine([Span("  sip:bob@192.0.2.7  ", .input), Span("calls directly or by your account", .dim)]),
            StyledLine([Span("  echo               ", .input), Span("calls the built-in echo endpoint", .dim)]),
            .empty,
        ]
        out += labelled("listening", model.snapshot.listening)
        out += labelled("audio in", [model.snapshot.audio.input])
        out += labelled("audio out", [model.snapshot.audio.output])
        if let last = model.snapshot.history.first {
            out.append(StyledLine([Span("last call  ", .dim), Span(last.outcome.mark.text + " ", last.outcome.mark.role), Span(name(last))]))
        }
        return out
    }

    private func labelled(_ label: String, _ values: [String]) -> [StyledLine] {
        let shown = values.isEmpty ? [Format.unknown] : values
        return shown.enumerated().map { index, value in
            StyledLine([Span(TextWidth.pad(index == 0 ? label : "", 11), .dim), Span(value)])
        }
    }

    private func name(_ entry: HistoryEntry) -> String {
        guard let display = entry.displayName, display.contains(where: { !$0.isWhitespace }) else { return entry.remoteUri }
        return "\(display) \(entry.remoteUri)"
    }

    private func historyLines(selected: Int) -> [StyledLine] {
        let entries = model.snapshot.history
        var out = [StyledLine([Span("History", .heading)], right: [Span("\(entries.count) of the last 50 calls", .dim)])]
        if entries.isEmpty { out.append(StyledLine("no calls yet", .dim)) }
        for (index, entry) in entries.enumerated() {
            let isSelected = index == min(selected, entries.count - 1)
            let mark = entry.outcome.mark
            let time = Format.localMinute(entry.startedAt, utcOffsetSeconds: model.utcOffsetSeconds)
            let length = entry.durationSeconds.map { Format.duration(seconds: $0) } ?? Format.unknown
            let arrow = entry.direction == .outgoing ? "→" : "←"
            out.append(
                StyledLine(
                    [Span(isSelected ? "▸" : " "), Span(time + " ", .dim), Span(arrow + " "), Span(name(entry))],
                    right: [Span(" " + mark.text, mark.role), Span(" " + length)], fill: isSelected ? .selected : nil))
        }
        return out
    }

    private func deviceLines(_ kind: Model.DeviceKind, selected: Int) -> (lines: [StyledLine], selectedRow: Int) {
        var out: [StyledLine] = [StyledLine([Span("Audio devices", .heading)], right: [Span("● in use", .dim)])]
        var selectedRow = 0
        for own in [Model.DeviceKind.input, .output] {
            let current = own == .input ? model.snapshot.audio.input : model.snapshot.audio.output
            out.append(StyledLine(own == .input ? "Microphone (input)" : "Loudspeaker (output)", own == kind ? .heading : .dim))
            let choices = model.devices(own)
            if choices.isEmpty { out.append(StyledLine("  none to choose from; in use: " + current, .dim)) }
            for (index, choice) in choices.enumerated() {
                let isSelected = own == kind && index == min(selected, choices.count - 1)
                if isSelected { selectedRow = out.count }
                let text = (isSelected ? "▸" : " ") + (choice == current ? "● " : "○ ") + choice
                out.append(StyledLine([Span(text)], fill: isSelected ? .selected : nil))
            }
        }
        return (out, selectedRow)
    }

    private func helpLines(width: Int) -> [StyledLine] {
        var out = [StyledLine("Keys", .heading)]
        let rule = [
            "Focus decides what a character does. Dial line: it is text. Calls: letters are commands, digits are DTMF.",
            "The first call takes the focus when the dial line is empty; the end of the last call gives it back.",
            "Tab and : change it. F-keys and Ctrl keys work always, also while you type.",
        ]
        for sentence in rule { out += wrapped(sentence, width: width) }
        let sections: [(KeyContext, String)] = [
            (.everywhere, "Always"), (.calls, "Calls"), (.dialLine, "Dial line"), (.history, "History"), (.devices, "Devices"),
            (.question, "Question"),
        ]
        for (context, title) in sections {
            out.append(.empty)
            out.append(StyledLine(title, .heading))
            let rows = KeyMap.bindings.filter { $0.context == context || (context == .dialLine && $0.context == .emptyDialLine) }
            for binding in rows where binding.help != "the same" && binding.help != "scroll" {
                let same = rows.filter { $0.command == binding.command }.map(\.keyName)
                let keys = TextWidth.pad(same.joined(separator: " "), 13)
                let name = width >= 70 ? [Span(" " + binding.command.rawValue, .dim)] : []
                out.append(StyledLine([Span(" " + keys + " ", .input), Span(binding.help)], right: name))
            }
        }
        return out
    }

    private func wrapped(_ sentence: String, width: Int) -> [StyledLine] {
        var out: [StyledLine] = []
        var line = ""
        for word in sentence.split(separator: " ") {
            if !line.isEmpty, TextWidth.columns(line) + 1 + TextWidth.columns(word) > width {
                out.append(StyledLine(line))
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        out.append(StyledLine(line))
        return out
    }
}

extension Model {
    /// How far the shown panel can scroll.
    var scrollLimit: Int {
        let canvas = Canvas(self)
        let width = isReduced ? columns : canvas.layout.detailColumns
        let visible = isReduced ? canvas.reducedPanelRows.count : canvas.layout.bodyRows
        let lines = canvas.panelLines(width: width, rows: visible).lines.count
        return max(0, lines - Canvas.room(for: lines, rows: visible))
    }
}
