import Core
import Engine
import Interface
import Simulator

extension Node {
    /// What of the contract's order of events was not kept: states, and the result as the last line of each call.
    var disorder: [String] {
        var problems: [String] = []
        var last: [CallID: CallState] = [:]
        var directions: [CallID: CallDirection] = [:]
        var done: Set<CallID> = []
        for (at, event) in events {
            guard let id = event.call else { continue }
            if done.contains(id) { problems.append("\(name) \(at): after the result of call \(id): \(event)") }
            switch event {
            case .callIncoming:
                if last[id] != nil || directions[id] != nil { problems.append("\(name) \(at): call \(id) comes in twice") }
                directions[id] = .incoming
            case .callState(_, let state, let heldBy, _):
                if !Node.isAllowed(from: last[id], to: state, isIncoming: directions[id] == .incoming) {
                    problems.append("\(name) \(at): call \(id) from \(last[id]?.rawValue ?? "nothing") to \(state)")
                }
                if (state == .held) != (heldBy != nil) { problems.append("\(name) \(at): call \(id) is \(state) by \(String(describing: heldBy))") }
                last[id] = state
            case .result:
                if last[id] != .ended { problems.append("\(name) \(at): result of call \(id) before its end") }
                done.insert(id)
            default: break
            }
        }
        for (id, state) in last where state == .ended && !done.contains(id) { problems.append("\(name): call \(id) has no result") }
        return problems
    }

    private static func isAllowed(from old: CallState?, to new: CallState, isIncoming: Bool) -> Bool {
        switch (old, new) {
        case (nil, .calling): !isIncoming
        case (nil, .ringing): isIncoming
        // A call that could not begin.
        case (nil, .ended): !isIncoming
        case (.calling, .ringing), (.calling, .early), (.calling, .answered), (.calling, .ended): true
        case (.ringing, .early), (.ringing, .answered), (.ringing, .ended), (.early, .answered), (.early, .ended): true
        case (.early, .ringing): true
        case (.answered, .media), (.answered, .held), (.answered, .ended): true
        case (.media, .held), (.media, .ended), (.held, .media), (.held, .answered), (.held, .held), (.held, .ended): true
        default: false
        }
    }
}
