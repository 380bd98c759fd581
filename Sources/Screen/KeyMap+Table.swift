import Interface

extension KeyMap {
    private static func row(_ key: Key, _ context: KeyContext, _ command: ScreenCommand, _ label: String, _ help: String) -> Binding {
        Binding(pattern: .key(key), context: context, command: command, label: label, help: help)
    }

    /// In a context the first match counts.
    public static let bindings: [Binding] = everywhere + dialLine + calls + panels

    private static let everywhere: [Binding] = [
        row(.function(1), .everywhere, .help, "help", "this help, and back"),
        row(.function(2), .everywhere, .answer, "answer", "answer the incoming call"),
        row(.function(3), .everywhere, .decline, "decline", "decline the incoming call"),
        row(.function(9), .everywhere, .silence, "silence", "stop the ringing tone; the call keeps ringing"),
        row(.function(4), .everywhere, .hangUp, "hang up", "end the selected call"),
        row(.function(5), .everywhere, .hold, "hold", "hold the selected call, or take it back"),
        row(.function(6), .everywhere, .mute, "mute", "send silence, or speak again"),
        row(.function(7), .everywhere, .devices, "devices", "choose microphone and loudspeaker"),
        row(.function(8), .everywhere, .history, "history", "the last 50 calls"),
        row(.function(12), .everywhere, .transport, "", "candidates, pairs, DTLS flights, dropped packets of the call"),
        row(.function(11), .everywhere, .link, "link", "the link by which a browser may call, or back"),
        row(.control("v"), .everywhere, .video, "video", "show the picture of the selected call, or hide it"),
        row(.control("r"), .everywhere, .redial, "redial", "dial the last address again"),
        row(.function(10), .everywhere, .quit, "quit", "end calls and registrations, then the program"),
        row(.control("c"), .everywhere, .interrupt, "", "empty the dial line; when it is empty: quit"),
        row(.control("l"), .everywhere, .redraw, "", "paint the screen again"),
        row(.pageUp, .everywhere, .scrollUp, "", "scroll the statistics"),
        row(.pageDown, .everywhere, .scrollDown, "", "scroll the statistics"),
    ]

    private static let dialLine: [Binding] = [
        row(.enter, .dialLine, .dial, "dial", "dial the address: sip:user@host, user@host, or echo"),
        row(.character("?"), .emptyDialLine, .help, "", "this help, when the line is empty"),
        row(.character(":"), .emptyDialLine, .focusDialLine, "", "stay in the line when a call begins"),
        Binding(pattern: .text, context: .dialLine, command: .text, label: "", help: "are typed into the line"),
        row(.up, .dialLine, .recallOlder, "recall", "an address dialled before"),
        row(.control("p"), .dialLine, .recallOlder, "", "the same"),
        row(.down, .dialLine, .recallNewer, "", "back towards what was typed"),
        row(.control("n"), .dialLine, .recallNewer, "", "the same"),
        row(.tab, .dialLine, .focusCalls, "to the calls", "give the focus to the calls"),
        row(.escape, .dialLine, .leave, "", "empty the line; when it is empty: to the calls"),
        row(.backspace, .dialLine, .deleteBackward, "", "delete to the left"),
        row(.delete, .dialLine, .deleteForward, "", "delete to the right"),
        row(.control("d"), .dialLine, .deleteForward, "", "the same"),
        row(.control("w"), .dialLine, .deleteWord, "", "delete a word"),
        row(.control("u"), .dialLine, .deleteToStart, "", "delete to the start"),
        row(.control("k"), .dialLine, .deleteToEnd, "", "delete to the end"),
        row(.left, .dialLine, .moveLeft, "", "move"),
        row(.control("b"), .dialLine, .moveLeft, "", "the same"),
        row(.right, .dialLine, .moveRight, "", "move"),
        row(.control("f"), .dialLine, .moveRight, "", "the same"),
        row(.home, .dialLine, .moveHome, "", "to the start"),
        row(.control("a"), .dialLine, .moveHome, "", "the same"),
        row(.end, .dialLine, .moveEnd, "", "to the end"),
        row(.control("e"), .dialLine, .moveEnd, "", "the same"),
    ]

    private static let calls: [Binding] = [
        row(.character("a"), .calls, .answer, "answer", "answer the incoming call"),
        row(.character("d"), .calls, .decline, "decline", "decline the incoming call"),
        row(.character("s"), .calls, .silence, "silence", "stop the ringing tone"),
        row(.character("x"), .calls, .hangUp, "hang up", "end the selected call"),
        row(.character("h"), .calls, .hold, "hold", "hold, or take back"),
        row(.character("j"), .calls, .join, "join", "join the selected call with the next one, or part them"),
        row(.character("m"), .calls, .mute, "mute", "mute, or speak again"),
        Binding(pattern: .dtmf, context: .calls, command: .dtmf, label: "DTMF", help: "send digits to the peer"),
        row(.character(":"), .calls, .focusDialLine, "dial line", "give the focus to the dial line"),
        row(.character("/"), .calls, .focusDialLine, "", "the same"),
        row(.tab, .calls, .focusDialLine, "", "the same"),
        row(.enter, .calls, .focusDialLine, "", "the same"),
        row(.down, .calls, .nextCall, "next call", "select the next call; sound and microphone follow"),
        row(.up, .calls, .previousCall, "", "select the previous call"),
        row(.character("i"), .calls, .inputDevices, "", "choose the microphone"),
        row(.character("o"), .calls, .outputDevices, "", "choose the loudspeaker"),
        row(.character("l"), .calls, .history, "history", "the last 50 calls"),
        row(.character("t"), .calls, .transport, "transport", "candidates, pairs, DTLS flights, dropped packets"),
        row(.character("k"), .calls, .link, "link", "the link for a browser"),
        row(.character("v"), .calls, .video, "video", "show the picture, or hide it"),
        row(.character("r"), .calls, .redial, "", "dial the last address again"),
        row(.character("?"), .calls, .help, "help", "this help"),
        row(.character("q"), .calls, .quit, "quit", "quit; asks when calls are up"),
    ]

    private static let panels: [Binding] = [
        row(.character("y"), .question, .yes, "yes", "quit and end the calls"),
        row(.enter, .question, .yes, "", "the same"),
        row(.control("c"), .question, .yes, "", "the same"),
        row(.function(10), .question, .yes, "", "the same"),
        row(.character("n"), .question, .no, "no", "go on"),
        row(.escape, .question, .no, "", "the same"),

        row(.up, .history, .selectPrevious, "", "a newer call"),
        row(.down, .history, .selectNext, "select", "an older call"),
        row(.pageUp, .history, .scrollUp, "", "a page up"),
        row(.pageDown, .history, .scrollDown, "", "a page down"),
        row(.home, .history, .selectFirst, "", "the newest"),
        row(.end, .history, .selectLast, "", "the oldest"),
        row(.enter, .history, .choose, "dial", "dial the selected address"),
        row(.escape, .history, .close, "close", "back to the call"),
        row(.character("q"), .history, .close, "", "the same"),
        row(.character("l"), .history, .close, "", "the same"),

        row(.up, .devices, .selectPrevious, "", "the device above"),
        row(.down, .devices, .selectNext, "select", "the device below"),
        row(.home, .devices, .selectFirst, "", "the first"),
        row(.end, .devices, .selectLast, "", "the last"),
        row(.tab, .devices, .otherList, "input/output", "the other list"),
        row(.left, .devices, .inputDevices, "", "microphones"),
        row(.right, .devices, .outputDevices, "", "loudspeakers"),
        row(.character("i"), .devices, .inputDevices, "", "microphones"),
        row(.character("o"), .devices, .outputDevices, "", "loudspeakers"),
        row(.enter, .devices, .choose, "use it", "use the selected device from now on"),
        row(.escape, .devices, .close, "close", "back to the call"),
        row(.character("q"), .devices, .close, "", "the same"),

        row(.up, .transport, .scrollUp, "", "scroll"),
        row(.down, .transport, .scrollDown, "scroll", "scroll"),
        row(.escape, .transport, .close, "close", "back to the call"),
        row(.character("q"), .transport, .close, "", "the same"),
        row(.character("t"), .transport, .close, "", "the same"),

        row(.escape, .video, .close, "", "hide the picture"),

        row(.up, .help, .scrollUp, "", "scroll"),
        row(.down, .help, .scrollDown, "scroll", "scroll"),
        row(.pageUp, .help, .scrollUp, "", "scroll"),
        row(.pageDown, .help, .scrollDown, "", "scroll"),
        row(.escape, .help, .close, "close", "back to the call"),
        row(.character("q"), .help, .close, "", "the same"),
        row(.character("?"), .help, .close, "", "the same"),
    ]
}

extension ScreenCommand {
    /// Whether the command would do anything now; the bar and the help show only what does.
    func isAvailable(in model: Model) -> Bool {
        if model.isQuitting { return [.quit, .interrupt, .redraw].contains(self) }
        switch self {
        case .answer, .decline: return model.incomingCall != nil
        case .silence: return model.incomingCall?.isSilenced == false
        case .hangUp: return model.selectedCall.map { $0.state != .ended } ?? false
        case .join: return model.selectedCall.map { $0.joinedWith != nil || model.partner(for: $0) != nil } ?? false
        case .hold, .mute, .dtmf: return model.selectedCall?.isUp ?? false
        case .dial: return !model.dialLine.isEmpty
        case .redial: return model.dialLine.latest(history: model.outgoingHistory) != nil
        case .recallOlder: return model.dialLine.canRecall(history: model.outgoingHistory)
        case .focusCalls: return !model.snapshot.calls.isEmpty
        case .transport: return model.selectedCall != nil
        case .link: return model.snapshot.link != nil
        case .video: return model.panel == .video || model.selectedCall.map(Model.canShow) ?? false
        case .nextCall, .previousCall: return model.snapshot.calls.count > 1
        case .choose:
            if case .history = model.panel { return !model.snapshot.history.isEmpty }
            return true
        default: return true
        }
    }

    /// A label that follows the state of the call; nil when the table's own is right.
    func label(in model: Model) -> String? {
        switch self {
        case .hold: model.selectedCall?.isHeldHere == true ? "resume" : nil
        case .join: model.selectedCall?.joinedWith == nil ? nil : "part"
        case .mute: model.selectedCall?.isMuted == true ? "unmute" : nil
        case .video: model.panel == .video ? "hide video" : nil
        case .quit: model.isQuitting ? "quit at once" : nil
        default: nil
        }
    }
}
