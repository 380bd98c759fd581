import Core
import Glibc
import Interface

/// The last calls, kept from run to run: one line each, fields apart by tabs, mode 0600 in the state folder.
struct HistoryFile: Sendable {
    private static let limit = 50
    let path: String

    /// nil without a state folder.
    init?() {
        guard let state = TextFile.xdg("XDG_STATE_HOME", fallback: ".local/state") else { return nil }
        path = state + "/sidetone/history.tsv"
    }

    /// Newest first; lines that cannot be read are passed over.
    func read() -> [HistoryEntry] {
        guard let text = TextFile.read(path, limit: 1 << 16) else { return [] }
        return text.split(separator: "\n").suffix(HistoryFile.limit).reversed().compactMap { HistoryFile.entry($0) }
    }

    /// The newest goes last. The file never grows beyond the limit.
    func add(_ entry: HistoryEntry) {
        TextFile.makeFolder(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)))
        let kept = Array(read().reversed().suffix(HistoryFile.limit - 1)) + [entry]
        _ = TextFile.writePrivate(path, Array((kept.map { HistoryFile.line($0) }.joined(separator: "\n") + "\n").utf8))
    }

    private static func line(_ entry: HistoryEntry) -> String {
        [
            String(entry.startedAt.milliseconds), entry.direction.rawValue, entry.outcome.rawValue, entry.durationSeconds.map(String.init) ?? "",
            Sanitiser.text(entry.remoteUri), Sanitiser.text(entry.displayName ?? ""),
        ].joined(separator: "\t")
    }

    private static func entry(_ line: Substring) -> HistoryEntry? {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, let time = Int64(fields[0]), let direction = CallDirection(rawValue: fields[1]),
            let outcome = Outcome(rawValue: fields[2])
        else { return nil }
        return HistoryEntry(
            direction: direction, remoteUri: Sanitiser.text(fields[4]), displayName: fields[5].isEmpty ? nil : Sanitiser.text(fields[5]),
            startedAt: WallTime(milliseconds: time), durationSeconds: Int(fields[3]), outcome: outcome)
    }
}
