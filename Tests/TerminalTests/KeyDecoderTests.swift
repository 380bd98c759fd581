import Screen
import Testing

@testable import Terminal

@Suite struct KeyDecoderTests {
    @Test(arguments: [
        (UInt32(3), Key.control("c")), (9, .tab), (10, .enter), (13, .enter), (27, .escape), (8, .backspace), (127, .backspace), (1, .control("a")),
        (26, .control("z")), (0x61, .character("a")), (0x20, .character(" ")), (0x5C71, .character("山")),
    ]) func characters(_ value: UInt32, _ key: Key) {
        var decoder = KeyDecoder()
        #expect(decoder.decode(.character(value)) == .key(key))
    }

    @Test(arguments: [
        (Int32(0o402), Key.down), (0o403, .up), (0o404, .left), (0o405, .right), (0o406, .home), (0o550, .end), (0o407, .backspace), (0o512, .delete),
        (0o522, .pageDown), (0o523, .pageUp), (0o411, .function(1)), (0o422, .function(10)), (0o424, .function(12)), (0o527, .enter),
        (0o541, .backTab),
    ]) func codes(_ value: Int32, _ key: Key) {
        var decoder = KeyDecoder()
        #expect(decoder.decode(.key(value)) == .key(key))
    }

    @Test func strangeInputIsNothing() {
        var decoder = KeyDecoder()
        #expect(decoder.decode(.character(0)) == nil)
        #expect(decoder.decode(.character(28)) == nil)
        #expect(decoder.decode(.character(0xD800)) == nil)
        #expect(decoder.decode(.character(.max)) == nil)
        #expect(decoder.decode(.key(0o632)) == nil)
        #expect(decoder.decode(.key(KeyDecoder.pasteEnd)) == nil)
    }

    private func feed(_ text: String, to decoder: inout KeyDecoder) -> [ScreenEvent] {
        text.unicodeScalars.compactMap { decoder.decode(.character($0.value)) }
    }

    @Test func aPasteIsOneText() {
        var decoder = KeyDecoder()
        #expect(decoder.decode(.key(KeyDecoder.pasteStart)) == nil)
        #expect(feed("sip:x@y\rq", to: &decoder).isEmpty)
        #expect(decoder.decode(.key(0o403)) == nil)
        #expect(decoder.decode(.key(KeyDecoder.pasteEnd)) == .paste("sip:x@y\rq"))
        #expect(feed("q", to: &decoder) == [.key(.character("q"))])
    }

    @Test func aPasteWithoutAnEndIsCutAndLeftByControlC() {
        var decoder = KeyDecoder()
        _ = decoder.decode(.key(KeyDecoder.pasteStart))
        #expect(feed(String(repeating: "a", count: 2 * KeyDecoder.maximumPaste), to: &decoder).isEmpty)
        #expect(decoder.decode(.character(3)) == .key(.control("c")))
        #expect(feed("q", to: &decoder) == [.key(.character("q"))])
    }
}
