import Core

/// The name of this installation in its registrations (`+sip.instance`, RFC 5626 §4.1): made once, kept in the state folder.
enum InstanceIdentifier {
    /// `urn:uuid:…`. Without a state folder, or with `--no-config`, one for this run.
    static func load(keepsState: Bool) -> String {
        guard keepsState, let state = TextFile.xdg("XDG_STATE_HOME", fallback: ".local/state") else { return make() }
        let path = state + "/sidetone/instance"
        if let kept = TextFile.read(path, limit: 1024).flatMap(valid) { return kept }
        let made = make()
        TextFile.makeFolder(state + "/sidetone")
        _ = TextFile.writePrivate(path, Array((made + "\n").utf8))
        return made
    }

    /// A random UUID (RFC 4122 §4.4).
    private static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef")
        var text = "urn:uuid:"
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }

    /// What can be written into a header as it is; anything else in the file is replaced.
    static func valid(_ text: String) -> String? {
        let line = text.split(separator: "\n").first.map(String.init) ?? ""
        let hexadecimal = Set("0123456789abcdef-")
        return line.hasPrefix("urn:uuid:") && line.count == 45 && line.dropFirst(9).allSatisfy(hexadecimal.contains) ? line : nil
    }
}
