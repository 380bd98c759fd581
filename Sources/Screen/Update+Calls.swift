import Interface

extension Model {
    mutating func performOnCall(_ command: ScreenCommand, key: Key) -> [Effect] {
        switch command {
        case .answer:
            guard let call = incomingCall else { return [.bell] }
            chosen = call.id
            panel = .call(scroll: 0)
            return [.command(.answer(call.id))]
        case .decline:
            return incomingCall.map { [.command(.decline($0.id))] } ?? [.bell]
        case .silence:
            return incomingCall.map { [.command(.silence($0.id))] } ?? [.bell]
        case .nextCall:
            return chooseCall(offset: 1)
        case .previousCall:
            return chooseCall(offset: -1)
        default:
            guard let call = selectedCall else { return [.bell] }
            switch (command, key) {
            case (.hangUp, _): return [.command(.hangUp(call.id))]
            case (.hold, _): return [.command(.setHeld(call.id, !call.isHeldHere))]
            case (.join, _):
                if call.joinedWith != nil { return [.command(.part(call.id))] }
                return partner(for: call).map { [.command(.join(call.id, $0.id))] } ?? [.bell]
            case (.mute, _): return [.command(.setMuted(call.id, !call.isMuted))]
            case (.dtmf, .character(let digit)): return [.command(.sendDTMF(call.id, digits: String(digit)))]
            default: return []
            }
        }
    }

    /// The next call in the list that can be joined with this one.
    func partner(for call: CallSnapshot) -> CallSnapshot? {
        let calls = snapshot.calls
        guard call.isUp, call.joinedWith == nil, let place = calls.firstIndex(where: { $0.id == call.id }) else { return nil }
        return (calls[(place + 1)...] + calls[..<place]).first { $0.isUp && $0.joinedWith == nil }
    }

    private mutating func chooseCall(offset: Int) -> [Effect] {
        let calls = snapshot.calls
        guard calls.count > 1, let current = calls.firstIndex(where: { $0.id == selectedCall?.id }) else { return [.bell] }
        let next = calls[(current + offset + calls.count) % calls.count].id
        chosen = next
        // The picture stays on when the next call has one too.
        if panel != .video || !Self.canShow(calls[(current + offset + calls.count) % calls.count]) { panel = .call(scroll: 0) }
        return [.command(.focus(next))]
    }

    mutating func performDial(_ command: ScreenCommand) -> [Effect] {
        let address: String
        if command == .dial {
            address = dialLine.take()
        } else {
            guard let last = dialLine.latest(history: outgoingHistory) else { return [.bell] }
            address = last
            dialLine.remember(last)
        }
        return dial(address)
    }

    private mutating func dial(_ address: String) -> [Effect] {
        guard !address.isEmpty else { return [.bell] }
        panel = .call(scroll: 0)
        chosen = nil
        keepsDialLine = false
        if !snapshot.calls.isEmpty, dialLine.isEmpty { focus = .calls }
        return [.command(.dial(uri: address))]
    }

    mutating func performInPanel(_ command: ScreenCommand) -> [Effect] {
        switch (command, panel) {
        case (.help, .help), (.history, .history), (.devices, .devices), (.transport, .transport), (.link, .link), (.close, _):
            panel = .call(scroll: 0)
        case (.help, _):
            panel = .help(scroll: 0)
        case (.history, _):
            panel = .history(selected: 0)
        case (.transport, _):
            panel = .transport(scroll: 0)
        case (.link, _):
            panel = .link
        case (.devices, _), (.inputDevices, _):
            openDevices(.input)
        case (.outputDevices, _):
            openDevices(.output)
        case (.otherList, .devices(let kind, _)):
            openDevices(kind == .input ? .output : .input)
        case (.choose, .history(let selected)):
            guard let entry = entry(selected) else { return [.bell] }
            dialLine.remember(entry.remoteUri)
            return dial(entry.remoteUri)
        case (.choose, .devices(let kind, let selected)):
            let choices = devices(kind)
            guard choices.indices.contains(selected) else { return [.bell] }
            return [.command(kind == .input ? .selectAudioInput(choices[selected]) : .selectAudioOutput(choices[selected]))]
        default:
            return move(command)
        }
        return []
    }

    private func entry(_ index: Int) -> HistoryEntry? { snapshot.history.indices.contains(index) ? snapshot.history[index] : nil }

    /// Opens on the device in use.
    private mutating func openDevices(_ kind: DeviceKind) {
        let current = kind == .input ? snapshot.audio.input : snapshot.audio.output
        panel = .devices(kind, selected: devices(kind).firstIndex(of: current) ?? 0)
    }

    /// Scrolls or moves a selection; ends of lists stop it.
    private mutating func move(_ command: ScreenCommand) -> [Effect] {
        let page = max(1, rows / 2)
        func moved(_ index: Int, count: Int, by step: Int) -> Int {
            switch command {
            case .selectPrevious: max(0, index - 1)
            case .selectNext: min(max(0, count - 1), index + 1)
            case .selectFirst: 0
            case .selectLast: max(0, count - 1)
            case .scrollUp: max(0, index - step)
            case .scrollDown: min(max(0, count - 1), index + step)
            default: index
            }
        }
        switch panel {
        case .call(let scroll): panel = .call(scroll: moved(scroll, count: scrollLimit + 1, by: page / 2 + 1))
        case .transport(let scroll): panel = .transport(scroll: moved(scroll, count: scrollLimit + 1, by: page / 2 + 1))
        case .help(let scroll): panel = .help(scroll: moved(scroll, count: scrollLimit + 1, by: page / 2 + 1))
        case .link: break
        case .history(let selected): panel = .history(selected: moved(selected, count: snapshot.history.count, by: page))
        case .video: break
        case .devices(let kind, let selected): panel = .devices(kind, selected: moved(selected, count: devices(kind).count, by: page))
        }
        return []
    }
}
