import Core
import Testing

struct SanitiserTests {
    @Test(
        arguments: [
            ("plain text", "plain text"), ("", ""), ("Zoë 李 👍", "Zoë 李 👍"), ("e\u{301}", "e\u{301}"),
            ("a\u{1B}[31mred", "a\u{FFFD}[31mred"), ("a\r\nb", "a\u{FFFD}\u{FFFD}b"), ("\u{0}\u{9}\u{7F}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            // C1: the eight-bit form of ESC [ is one of them.
            ("a\u{9B}31mb", "a\u{FFFD}31mb"), ("\u{80}\u{85}\u{9F}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            // Bidirectional controls.
            ("\u{202E}evil\u{202C}", "\u{FFFD}evil\u{FFFD}"), ("\u{2066}\u{2069}\u{200E}\u{200F}\u{61C}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            // Zero width, byte order mark, soft hyphen, tags.
            ("a\u{200B}b\u{200D}c\u{2060}d\u{FEFF}e\u{AD}f", "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}e\u{FFFD}f"), ("\u{E0041}", "\u{FFFD}"),
            ("a\u{2028}b\u{2029}c", "a\u{FFFD}b\u{FFFD}c"), ("\u{E000}\u{F8FF}", "\u{FFFD}\u{FFFD}"),
        ] as [(String, String)])
    func text(wire: String, shown: String) {
        #expect(Array(Sanitiser.text(wire).unicodeScalars) == Array(shown.unicodeScalars))
    }

    @Test(
        arguments: [
            ("abc", 3, "abc"), ("abcd", 3, "abc…"), ("abc", 4, "abc"), ("a", 0, "…"), ("", 0, ""), ("\u{1B}\u{1B}\u{1B}", 2, "\u{FFFD}\u{FFFD}…"),
        ] as [(String, Int, String)])
    func limit(wire: String, limit: Int, shown: String) {
        #expect(Sanitiser.text(wire, limit: limit) == shown)
    }

    @Test func theUsualLimitHolds() {
        #expect(Sanitiser.text(String(repeating: "x", count: 256)).unicodeScalars.count == 256)
        #expect(Sanitiser.text(String(repeating: "x", count: 100_000)).unicodeScalars.count == 257)
    }

    @Test(
        arguments: [
            ([0x61, 0xFF, 0x62], "a\u{FFFD}b"), ([0xC3, 0xA9], "é"), ([0xC3], "\u{FFFD}"), ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([], ""),
            ([0x1B, 0x5B], "\u{FFFD}["),
        ] as [([UInt8], String)])
    func bytes(wire: [UInt8], shown: String) {
        #expect(Sanitiser.text(bytes: wire) == shown)
    }

    @Test(
        arguments: [
            ("alice", "alice"), ("sip:bob@192.0.2.1", "sip_bob_192.0.2.1"), ("../../etc/passwd", "_.._.._etc_passwd"), ("", "_"), (".", "_."),
            ("..", "_.."),
            (".hidden", "_.hidden"), ("a/b\\c\u{0}d\ne", "a_b_c_d_e"), ("Zoë", "Zo_"), ("-rf", "-rf"), ("A-Z_09.x", "A-Z_09.x"), ("¹²٣", "___"),
            ("[^`{", "____"),
        ] as [(String, String)])
    func fileName(wire: String, name: String) {
        #expect(Sanitiser.fileName(wire) == name)
    }

    @Test func fileNamesAreShort() {
        #expect(Sanitiser.fileName(String(repeating: "x", count: 500)).utf8.count == 64)
        #expect(Sanitiser.fileName("abcdef", limit: 3) == "abc")
    }
}
