/// What `--video-in` and `--video-out` name.
enum VideoSpec: Sendable, Equatable {
    /// An IVF file with VP8.
    case file(path: String)
    /// The picture drawn with characters; output only.
    case terminal
    case none

    enum Direction: String, Sendable {
        case input = "video-in"
        case output = "video-out"
    }

    /// Reads "file:PATH.ivf", "terminal" or "none".
    static func read(_ given: Given, _ direction: Direction) throws -> VideoSpec {
        let parts = given.text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count > 1 ? parts[1] : nil) {
        case ("file", let path?) where !path.isEmpty: return .file(path: TextFile.expanded(path))
        case ("terminal", nil) where direction == .output: return .terminal
        case ("none", nil): return .none
        case ("terminal", nil): throw given.error("a terminal cannot be an input; name file:PATH.ivf or none")
        default:
            throw given.error("\(quoted(given.text)) is not one of file:PATH.ivf\(direction == .output ? ", terminal" : ""), none")
        }
    }
}
