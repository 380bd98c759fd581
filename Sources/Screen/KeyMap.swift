import Interface

/// Where a key counts.
public enum KeyContext: String, Sendable, CaseIterable {
    case question, emptyDialLine, dialLine, calls, history, devices, transport, video, help, everywhere
}

/// What a key does. The raw value is the command's name in the help.
public enum ScreenCommand: String, Sendable, CaseIterable {
    case answer, decline, silence
    case hangUp = "hang-up"
    case hold, mute, dtmf, dial, text, redial
    case devices
    case inputDevices = "audio-in"
    case outputDevices = "audio-out"
    case history, transport, video, link, join, help, quit, interrupt, redraw
    case focusDialLine = "dial-line"
    case focusCalls = "calls"
    case nextCall = "next-call"
    case previousCall = "previous-call"
    case recallOlder = "recall-older"
    case recallNewer = "recall-newer"
    case deleteBackward = "delete-backward"
    case deleteForward = "delete-forward"
    case deleteWord = "delete-word"
    case deleteToStart = "delete-to-start"
    case deleteToEnd = "delete-to-end"
    case moveLeft = "left"
    case moveRight = "right"
    case moveHome = "home"
    case moveEnd = "end"
    case leave
    case scrollUp = "scroll-up"
    case scrollDown = "scroll-down"
    case selectPrevious = "previous"
    case selectNext = "next"
    case selectFirst = "first"
    case selectLast = "last"
    case otherList = "other-list"
    case choose
    case close
    case yes, no
}

/// One row of the key map.
public struct Binding: Sendable {
    public enum Pattern: Sendable, Equatable {
        case key(Key)
        /// 0–9, `*`, `#` and the capitals A–D.
        case dtmf
        /// Every other character.
        case text
    }

    public var pattern: Pattern
    public var context: KeyContext
    public var command: ScreenCommand
    /// For the key bar; empty keeps the key out of it.
    public var label: String
    /// For the help panel.
    public var help: String

    func matches(_ key: Key) -> Bool {
        switch (pattern, key) {
        case (.key(let own), _): own == key
        case (.dtmf, .character(let c)): KeyMap.dtmfDigits.contains(c)
        case (.text, .character): true
        default: false
        }
    }

    public var keyName: String {
        switch pattern {
        case .key(let key): key.name
        case .dtmf: "0–9 * # A–D"
        case .text: "characters"
        }
    }
}

/// The one table from which bindings, key bar and help come.
public enum KeyMap {
    static let dtmfDigits: Set<Character> = Set("0123456789*#ABCD")

    /// The binding of a key in the nearest context that has it and in which its command makes sense now.
    public static func binding(for key: Key, in model: Model) -> Binding? {
        for context in model.contexts {
            if let found = bindings.first(where: { $0.context == context && $0.matches(key) && $0.command.isAvailable(in: model) }) { return found }
        }
        return nil
    }

    /// Key and label for the bar: what is valid now, each command once, by its nearest key.
    public static func bar(_ model: Model) -> [(key: String, label: String)] {
        var seen: Set<ScreenCommand> = []
        var out: [(rank: Int, key: String, label: String)] = []
        for context in model.contexts {
            for (rank, binding) in bindings.enumerated()
            where binding.context == context && !binding.label.isEmpty && binding.command.isAvailable(in: model) {
                guard seen.insert(binding.command).inserted else { continue }
                out.append((barRank(binding.command) ?? 1000 + rank, binding.keyName, binding.command.label(in: model) ?? binding.label))
            }
        }
        return out.sorted { $0.rank < $1.rank }.map { ($0.key, $0.label) }
    }

    /// The nearest key for a command, for the banner; nil when it is not available.
    public static func key(for command: ScreenCommand, in model: Model) -> String? {
        guard command.isAvailable(in: model) else { return nil }
        for context in model.contexts {
            if let found = bindings.first(where: { $0.context == context && $0.command == command }) { return found.keyName }
        }
        return nil
    }

    /// A short bar keeps what cannot wait: calls first, then the way to the help.
    private static func barRank(_ command: ScreenCommand) -> Int? {
        let order: [ScreenCommand] = [
            .yes, .no, .answer, .decline, .hangUp, .dial, .choose, .close, .silence, .help, .hold, .join, .mute, .video, .otherList, .dtmf,
            .focusDialLine,
            .quit,
        ]
        return order.firstIndex(of: command)
    }
}
