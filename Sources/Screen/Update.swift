import Interface

/// The screen's next state for one fact, and what the world has to do about it.
public func update(_ model: inout Model, _ event: ScreenEvent) -> [Effect] { model.take(event) + model.followVideo() }

extension Model {
    fileprivate mutating func take(_ event: ScreenEvent) -> [Effect] {
        switch event {
        case .key(let key):
            return press(key)
        case .paste(let text):
            guard !isQuitting else { return [] }
            prompt = .none
            if panel != .video { panel = .call(scroll: 0) }
            focus = .dialLine
            dialLine.paste(text)
        case .resize(let newColumns, let newRows):
            columns = Self.clamp(newColumns, Self.maximumColumns)
            rows = Self.clamp(newRows, Self.maximumRows)
        case .snapshot(let snapshot):
            let effects = take(snapshot)
            takeVideo()
            return effects
        case .picture(let new):
            take(new)
        case .tick(let time):
            now = time
        }
        return []
    }

    /// A new picture of the phone: the choice of call and the focus follow it.
    fileprivate mutating func take(_ new: Snapshot) -> [Effect] {
        let old = snapshot
        snapshot = new
        now = max(now, new.time)
        followLink(from: old)
        if let chosen, !new.calls.contains(where: { $0.id == chosen }) { self.chosen = nil }
        if new.focused != old.focused { chosen = nil }

        if new.calls.isEmpty {
            focus = .dialLine
            // What the question was about is over by itself: the next press quits without asking.
            if prompt == .quitQuestion { prompt = .none }
            switch panel {
            case .call, .transport, .video: panel = .call(scroll: 0)
            case .history, .devices, .help, .link: break
            }
        } else if old.calls.isEmpty, dialLine.isEmpty, !keepsDialLine {
            focus = .calls
        }
        let known = Set(old.calls.map(\.id))
        return new.calls.contains { $0.isWaiting && !known.contains($0.id) } ? [.bell] : []
    }

    /// A new link shows itself when nothing else is going on, and makes place for the call.
    private mutating func followLink(from old: Snapshot) {
        switch panel {
        case .call where snapshot.calls.isEmpty && snapshot.link != nil && old.link == nil: panel = .link
        case .link where snapshot.link == nil || old.calls.isEmpty && !snapshot.calls.isEmpty: panel = .call(scroll: 0)
        default: break
        }
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
        case (_, .history, .character), (_, .devices, .character), (_, .help, .character), (_, .transport, .character):
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
        case .answer, .decline, .silence, .hangUp, .hold, .join, .mute, .dtmf, .nextCall, .previousCall:
            return performOnCall(command, key: key)
        case .dial, .redial:
            return performDial(command)
        case .video:
            return performVideo()
        case .devices, .inputDevices, .outputDevices, .history, .transport, .link, .help, .close, .choose, .otherList, .scrollUp, .scrollDown,
            .selectPrevious,
            .selectNext, .selectFirst, .selectLast:
            return performInPanel(command)
        case .quit, .interrupt, .yes, .no:
            return performQuit(command)
        case .redraw:
            return [.redraw]
        case .focusDialLine:
            focus = .dialLine
            keepsDialLine = true
        case .focusCalls:
            focus = .calls
            keepsDialLine = false
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
            } else {
                keepsDialLine = false
                if !snapshot.calls.isEmpty { focus = .calls }
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
