import Barcode

/// A code for a camera as lines of a terminal, dark on light whatever the terminal's own colours are.
enum TerminalCode {
    static func lines(_ text: String) -> [String] {
        guard let code = QRCode(text) else { return [] }
        // Black on white of the 256 colours: themes change the first sixteen.
        return code.lines().map { "\u{1B}[38;5;16;48;5;231m\($0)\u{1B}[0m" }
    }
}
