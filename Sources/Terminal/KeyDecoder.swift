import Screen

/// What curses reads, as events of the screen. Between the marks of a bracketed paste characters are text.
public struct KeyDecoder: Sendable {
    /// One answer of curses: a character, or the code of a key.
    public enum Code: Sendable, Equatable {
        case character(UInt32)
        case key(Int32)
    }

    private enum State {
        case keys
        case pasting([Character])
    }

    /// Codes given to `ESC [ 200 ~` and `ESC [ 201 ~`; above all of curses' own.
    public static let pasteStart: Int32 = 0x1F00
    public static let pasteEnd: Int32 = 0x1F01
    /// A paste is cut here, so that a terminal which never ends one cannot fill the memory.
    public static let maximumPaste = 4096

    private var state = State.keys

    public init() {}

    public mutating func decode(_ code: Code) -> ScreenEvent? {
        switch (state, code) {
        case (_, .key(Self.pasteStart)):
            state = .pasting([])
            return nil
        case (.keys, .key(Self.pasteEnd)):
            return nil
        case (.pasting(let text), .key(Self.pasteEnd)):
            state = .keys
            return .paste(String(text))
        case (.pasting, .character(3)):
            // Ctrl-C: the end mark got lost.
            state = .keys
            return .key(.control("c"))
        case (.pasting(var text), .character(let value)):
            if text.count < Self.maximumPaste, let scalar = Unicode.Scalar(value) { text.append(Character(scalar)) }
            state = .pasting(text)
            return nil
        case (.pasting, .key):
            return nil
        case (.keys, .character(let value)):
            return Self.character(value).map(ScreenEvent.key)
        case (.keys, .key(let code)):
            return Self.key(code).map(ScreenEvent.key)
        }
    }

    private static func character(_ value: UInt32) -> Key? {
        switch value {
        case 9: return .tab
        case 10, 13: return .enter
        case 27: return .escape
        case 8, 127: return .backspace
        case 1...26: return Unicode.Scalar(value + 0x60).map { .control(Character($0)) }
        case 0..<32: return nil
        default: return Unicode.Scalar(value).map { .character(Character($0)) }
        }
    }

    /// Codes of `curses.h`, which are the same on every Linux.
    private static func key(_ code: Int32) -> Key? {
        switch code {
        case 0o402: .down
        case 0o403: .up
        case 0o404: .left
        case 0o405: .right
        case 0o406: .home
        case 0o407: .backspace
        case 0o411...0o424: .function(Int(code - 0o410))
        case 0o512: .delete
        case 0o522: .pageDown
        case 0o523: .pageUp
        case 0o527: .enter
        case 0o541: .backTab
        case 0o550: .end
        default: nil
        }
    }
}
