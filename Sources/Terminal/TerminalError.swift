/// Why there can be no full screen; each is one line for a person.
public enum TerminalError: Error, Equatable, CustomStringConvertible {
    case notATerminal
    /// TERM is not set, "dumb", or not in the terminfo database.
    case unusableTerm(String)
    case failed(String)

    public var description: String {
        switch self {
        case .notATerminal: "sidetone needs a terminal; use `sidetone call …` without a screen"
        case .unusableTerm(""): "sidetone needs a terminal, but TERM is not set; use `sidetone call …` without a screen"
        case .unusableTerm(let name): "sidetone cannot draw on a terminal of type \"\(name)\" (TERM); use `sidetone call …` without a screen"
        case .failed(let reason): "the screen cannot be opened: \(reason)"
        }
    }
}
