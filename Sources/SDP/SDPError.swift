/// Why a text is not a session description (RFC 8866). Line numbers start at 1.
public enum SDPError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooLong(Int)
    case tooManyMediaSections
    case tooManyAttributes
    case tooManyFormats(line: Int)
    case forbiddenByte(line: Int)
    case malformedLine(Int)
    case malformedField(Character, line: Int)
    case missing(Character)
    case unsupportedVersion

    public var description: String {
        switch self {
        case .tooLong(let count): "the session description has \(count) bytes, more than \(SessionDescription.maximumLength)"
        case .tooManyMediaSections: "more than \(SessionDescription.maximumMediaSections) m= lines"
        case .tooManyAttributes: "more than \(SessionDescription.maximumAttributes) a= lines"
        case .tooManyFormats(let line): "more than \(SessionDescription.maximumFormats) formats on line \(line)"
        case .forbiddenByte(let line): "NUL or a lone CR on line \(line)"
        case .malformedLine(let line): "line \(line) is not of the form x=…"
        case .malformedField(let field, let line): "\(field)= on line \(line) cannot be read"
        case .missing(let field): "\(field)= is missing"
        case .unsupportedVersion: "v= is not 0"
        }
    }
}
