import Interface

/// The screen's next state for one fact, and what the world has to do about it.
public func update(_ model: inout Model, _ event: ScreenEvent) -> [Effect] {
    switch event {
    case .key(let key):
        return model.press(key)
    case .paste(let text):
        guard !model.isQuitting else { return [] }
        model.prompt = .none
        model.panel = .call(scroll: 0)
        model.focus = .dialLine
        model.dialLine.paste(text)
        return []
    case .resize(let columns, let rows):
        model.columns = Model.clamp(columns, Model.maximumColumns)
        model.rows = Model.clamp(rows, Model.maximumRows)
        return []
    case .snapshot(let snapshot):
        return model.take(snapshot)
    case .tick(let now):
        model.now = now
        return []
    }
}

extension Model {
    /// A new picture of the phone: the choice of call and the focus follow it.
    fileprivate mutating func take(_ new: Snapshot) -> [Effect] {
        let old = snapshot
        snapshot = new
        now = max(now, new.time)
        if let chosen, !new.calls.contains(where: { $0.id == chosen }) { self.chosen = nil }
        if new.focused != old.focused { chosen = nil }

        if new.calls.isEmpty {
            focus = .dialLine
            // What the question was about is over by itself: the next press quits without asking.
            if prompt == .quitQuestion { prompt = .none }
            if case .call = panel { panel = .call(scroll: 0) }
        } else if old.calls.isEmpty, dialLine.isEmpty {
            focus = .calls
        }
        let known = Set(old.calls.map(\.id))
        return new.calls.contains { $0.isWaiting && !known.contains($0.id) } ? [.bell] : []
    }

    fileprivate mutating func press(_ key: Key) -> [Effect] {
        if case .hint = prompt { prompt = .none }
        guard let binding = KeyMap.binding(for: key, in: self) else { return refuse(key) }
        return perform(binding.command, key: key)
    }

    /// A key that means nothing now says what would.
    private mutating func refuse(_ key: Key) -> [Effect] {
        if isQuitting { return [] }
        switch (prompt, contexts.first, key) {
        case (.quitQuestion, _, _):
            return [.bell]
        case (_, .dialLine, .enter), (_, .emptyDialLine, .enter):
            prompt = .hint("Type an address first: sip:user@host, or echo for the built-in echo endpoint")
            return []
        case (_, .calls, .character(let c)):
            let meaning = KeyMap.bindings.first { $0.context == .calls && $0.matches(key) }
            prompt = .hint(
                meaning.map { "\(c) (\($0.help)) is not possible now" } ?? "\(c) is no key here: press : to type an address, ? for help")
            return [.bell]
        case (_, .history, .character), (_, .devices, .character), (_, .help, .character):
            prompt = .hint("Esc closes this; then \(key.name) has its meaning again")
            return [.bell]
        case (_, _, .function):
            prompt = .hint("\(key.name) does nothing now")
            return [.bell]
        default:
            return [.bell]
        }
    }

    private mutating func perform(_ command: ScreenCommand, key: Key) -> [Effect] {
        switch command {
        case .answer, .decline, .silence, .hangUp, .hold, .mute, .dtmf, .nextCall, .previousCall:
            return performOnCall(command, key: key)
        case .dial, .redial:
            return performDial(command)
        case .devices, .inputDevices, .outputDevices, .history, .help, .close, .choose, .otherList, .scrollUp, .scrollDown, .selectPrevious,
            .selectNext, .selectFirst, .selectLast:
            return performInPanel(command)
        case .quit, .interrupt, .yes, .no:
            return performQuit(command)
        case .redraw:
            return [.redraw]
        case .focusDialLine:
            focus = .dialLine
        case .focusCalls:
            focus = .calls
        case .text, .leave, .recallOlder, .recallNewer, .deleteBackward, .deleteForward, .deleteWord, .deleteToStart, .deleteToEnd, .moveLeft,
            .moveRight, .moveHome, .moveEnd:
            return edit(command, key: key)
        }
        return []
    }

    private mutating func edit(_ command: ScreenCommand, key: Key) -> [Effect] {
        switch command {
        case .text:
            if case .character(let c) = key { dialLine.insert(c) }
        case .leave:
            if !dialLine.isEmpty {
                dialLine.clear()
            } else if !snapshot.calls.isEmpty {
                focus = .calls
            }
        case .recallOlder: return dialLine.recall(older: true, history: outgoingHistory) ? [] : [.bell]
        case .recallNewer: return dialLine.recall(older: false, history: outgoingHistory) ? [] : [.bell]
        case .deleteBackward: dialLine.deleteBackward()
        case .deleteForward: dialLine.deleteForward()
        case .deleteWord: dialLine.deleteWord()
        case .deleteToStart: dialLine.deleteToStart()
        case .deleteToEnd: dialLine.deleteToEnd()
        case .moveLeft: dialLine.moveLeft()
        case .moveRight: dialLine.moveRight()
        case .moveHome: dialLine.moveHome()
        case .moveEnd: dialLine.moveEnd()
        default: break
        }
        return []
    }

    private mutating func performQuit(_ command: ScreenCommand) -> [Effect] {
        if isLeaving { return [.quitNow] }
        switch command {
        case .no:
            prompt = .none
            return []
        case .interrupt where !dialLine.isEmpty && prompt != .quitQuestion:
            dialLine.clear()
            return []
        case .yes:
            break
        default:
            if livingCalls > 0, !isQuitting {
                prompt = .quitQuestion
                return []
            }
        }
        prompt = .none
        isLeaving = true
        return [.quit]
    }
}
