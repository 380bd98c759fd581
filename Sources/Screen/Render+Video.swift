import Core
import Interface

extension Canvas {
    /// The call in a line or two, its video's figures in one, and the picture below.
    mutating func drawVideo(rows: Range<Int>, from column: Int, to end: Int) {
        guard let call = model.selectedCall else { return }
        var row = rows.lowerBound
        for line in videoLines(of: call, width: end - column).prefix(max(1, rows.count - 1)) {
            draw(line, row: row, from: column, to: end)
            row += 1
        }
        let area = PictureCells.Area(column: column, row: row, columns: end - column, rows: rows.upperBound - row)
        guard area.rows > 0 else { return }
        if let picture = model.picture {
            PictureCells.draw(picture, into: &grid, area: area, colours: model.pictureColours)
        } else {
            let word = Self.waitingWord(call)
            let indent = max(0, (area.columns - TextWidth.columns(word.text)) / 2)
            draw(StyledLine([word.span]), row: row + area.rows / 2, from: column + indent, to: end)
        }
    }

    /// Why there is no picture yet.
    private static func waitingWord(_ call: CallSnapshot) -> Mark {
        if call.state == .held { return Mark(shape: "‖", word: "no picture while the call is held", role: .warning) }
        if let direction = call.videoStream?.direction, direction == "sendonly" || direction == "inactive" {
            return Mark(shape: "○", word: "the peer sends no picture", role: .warning)
        }
        return Mark(shape: "◌", word: "waiting for a key frame", role: .warning)
    }

    private func videoLines(of call: CallSnapshot, width: Int) -> [StyledLine] {
        let security = call.securityMark
        let muted = call.isMuted ? [Span(" ⊘ muted", .warning)] : []
        var out = [
            StyledLine([call.stateMark.span, Span("  "), Span(call.peer, .heading)], right: [Span(" " + call.timer(now: model.now), .heading)])
        ]
        let figures = videoFigures(of: call)
        if width >= 50 {
            out.append(StyledLine(figures, right: muted + [Span(" " + security.text, security.role)]))
        } else {
            out.append(StyledLine([security.span], right: muted))
            out.append(StyledLine(figures))
        }
        if call.securityDowngraded { out.append(StyledLine([CallSnapshot.downgradeMark.span])) }
        return out
    }

    /// "640×480 · 15/s · 420 kbit/s"; what was lost only when something was.
    private func videoFigures(of call: CallSnapshot) -> [Span] {
        let stream = call.videoStream
        var size = Format.unknown
        if let picture = model.picture {
            size = "\(picture.width)×\(picture.height)"
        } else if let video = stream?.inbound.video, let width = video.frameWidth, let height = video.frameHeight {
            size = "\(width)×\(height)"
        }
        let parts = [size, Format.frameRate(model.rates.framesPerSecond), Format.bitrate(model.rates.bitsPerSecond)]
        let lost = stream?.inbound.packetsLost ?? 0
        return [Span(parts.joined(separator: " · "))] + (lost > 0 ? [Span(" · lost " + Format.count(lost), .warning)] : [])
    }
}
