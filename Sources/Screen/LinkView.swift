import Barcode
import Interface

extension Canvas {
    /// The link as text, and as a code when there is room for it.
    func linkLines(_ link: LinkSnapshot, width: Int, rows: Int) -> [StyledLine] {
        let until = Format.localMinute(link.expiresAt, utcOffsetSeconds: model.utcOffsetSeconds).suffix(5)
        var out = [StyledLine([Span("Link for one call", .heading)], right: [Span("until \(until)", .dim)])]
        var rest = Substring(link.url)
        while !rest.isEmpty {
            out.append(StyledLine(String(rest.prefix(max(1, width))), .input))
            rest = rest.dropFirst(max(1, width))
        }
        guard let code = QRCode(link.url) else { return out }
        for zone in [QRCode.quietZone, QRCode.quietZone / 2] {
            let lines = code.lines(quietZone: zone)
            guard lines.count + out.count <= rows, code.size + 2 * zone <= width else { continue }
            return out + lines.map { StyledLine($0, .code) }
        }
        let columns = code.size + QRCode.quietZone
        out += [.empty, StyledLine("A larger window shows it as a code for a camera (\(columns) × \(columns / 2 + out.count + 1) here).", .dim)]
        return out
    }
}
