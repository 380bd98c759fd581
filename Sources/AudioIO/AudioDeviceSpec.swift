/// What `--audio-in` and `--audio-out` name.
public enum AudioDeviceSpec: Sendable, Equatable, CustomStringConvertible {
    /// An ALSA PCM; nil is the system's default.
    case alsa(name: String?)
    /// A WAV file.
    case file(path: String)
    /// A sine at −12 dBFS; input only.
    case tone(hertz: Double)
    /// Input: digital silence in real time. Output: thrown away at the same pace.
    case null

    public enum Direction: String, Sendable {
        case input = "--audio-in"
        case output = "--audio-out"
    }

    /// Reads "alsa", "alsa:NAME", "file:PATH.wav", "tone:HZ" or "null".
    public init(_ text: String, direction: Direction) throws(AudioDeviceError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let kind = parts.first.map(String.init) ?? ""
        let value = parts.count > 1 ? String(parts[1]) : nil
        switch (kind, value) {
        case ("alsa", nil): self = .alsa(name: nil)
        case ("alsa", let name?) where !name.isEmpty: self = .alsa(name: name)
        case ("file", let path?) where !path.isEmpty: self = .file(path: path)
        case ("null", nil): self = .null
        case ("tone", let text?) where direction == .input:
            guard let hertz = Double(text), hertz >= 1, hertz <= 20000 else {
                throw AudioDeviceError(.specification, "\(direction.rawValue): tone needs a frequency of 1 to 20000 Hz, not \"\(text)\"")
            }
            self = .tone(hertz: hertz)
        case ("tone", _) where direction == .output:
            throw AudioDeviceError(.specification, "\(direction.rawValue): a tone cannot be an output")
        default:
            let tone = direction == .input ? ", tone:HZ" : ""
            throw AudioDeviceError(
                .specification, "\(direction.rawValue): \"\(text)\" is not one of alsa, alsa:NAME, file:PATH.wav\(tone), null")
        }
    }

    public var description: String {
        switch self {
        case .alsa(nil): "alsa"
        case .alsa(let name?): "alsa:\(name)"
        case .file(let path): "file:\(path)"
        case .tone(let hertz): hertz == hertz.rounded() ? "tone:\(Int(hertz))" : "tone:\(hertz)"
        case .null: "null"
        }
    }
}

/// What went wrong with a device or file, as one line for a person.
public struct AudioDeviceError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// The text names no device.
        case specification
        /// The device or file cannot be opened, read or made.
        case unavailable
        /// The file is not what it should be.
        case format
    }
    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}
