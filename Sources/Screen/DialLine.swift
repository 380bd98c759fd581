/// The line in which an address is typed: editing, a cursor, and recall of what was dialled before.
public struct DialLine: Sendable, Equatable {
    /// Recall starts from the newest; the text that was being typed comes back below it.
    private enum Recall: Sendable, Equatable {
        case typing
        case recalling(index: Int, draft: [Character])
    }

    public static let maximumLength = 512
    private static let maximumRemembered = 100

    public private(set) var characters: [Character] = []
    /// Before which character the cursor stands, 0 … `characters.count`.
    public private(set) var cursor = 0
    /// Newest first.
    public private(set) var dialled: [String] = []
    private var recall = Recall.typing

    public init() {}

    public var text: String { String(characters) }
    public var isEmpty: Bool { characters.isEmpty }

    public mutating func insert(_ character: Character) {
        guard characters.count < Self.maximumLength, character.unicodeScalars.allSatisfy(TextWidth.isPrintable) else { return }
        characters.insert(character, at: min(cursor, characters.count))
        cursor += 1
        recall = .typing
    }

    /// Spaces and line ends around a pasted address are not part of it.
    public mutating func paste(_ text: String) {
        for character in trimmed(text.drop(while: \.isWhitespace).prefix { !$0.isNewline }).prefix(Self.maximumLength) { insert(character) }
    }

    public mutating func clear() {
        characters = []
        cursor = 0
        recall = .typing
    }

    public mutating func deleteBackward() {
        guard cursor > 0, cursor <= characters.count else { return }
        characters.remove(at: cursor - 1)
        cursor -= 1
        recall = .typing
    }

    public mutating func deleteForward() {
        guard cursor < characters.count else { return }
        characters.remove(at: cursor)
        recall = .typing
    }

    public mutating func deleteToStart() {
        characters.removeFirst(min(cursor, characters.count))
        cursor = 0
        recall = .typing
    }

    public mutating func deleteToEnd() {
        characters.removeLast(max(0, characters.count - cursor))
        recall = .typing
    }

    /// Back to the character after the last space, `@`, `:`, `;` or `.`.
    public mutating func deleteWord() {
        let separators: Set<Character> = [" ", "@", ":", ";", "."]
        repeat { deleteBackward() } while cursor > 0 && !separators.contains(characters[cursor - 1])
    }

    public mutating func moveLeft() { cursor = max(0, cursor - 1) }
    public mutating func moveRight() { cursor = min(characters.count, cursor + 1) }
    public mutating func moveHome() { cursor = 0 }
    public mutating func moveEnd() { cursor = characters.count }

    /// Takes the line as dialled: remembers it, empties the line.
    public mutating func take() -> String {
        let taken = trimmed(text[...])
        remember(taken)
        clear()
        return taken
    }

    /// Puts an address on top of what ↑ recalls.
    public mutating func remember(_ address: String) {
        guard !address.isEmpty else { return }
        dialled.removeAll { $0 == address }
        dialled.insert(address, at: 0)
        if dialled.count > Self.maximumRemembered { dialled.removeLast() }
    }

    /// One step back (`older` true) or forward in this run's dialled addresses, then in `history` (newest first).
    /// False when there is nothing further.
    public mutating func recall(older: Bool, history: [String]) -> Bool {
        let choices = recallable(history)
        switch (recall, older) {
        case (.typing, true):
            guard let first = choices.first else { return false }
            let draft = characters
            show(Array(first))
            recall = .recalling(index: 0, draft: draft)
        case (.typing, false):
            return false
        case (.recalling(let index, let draft), true):
            guard index + 1 < choices.count else { return false }
            show(Array(choices[index + 1]))
            recall = .recalling(index: index + 1, draft: draft)
        case (.recalling(let index, let draft), false):
            if index > 0, index - 1 < choices.count {
                show(Array(choices[index - 1]))
                recall = .recalling(index: index - 1, draft: draft)
            } else {
                show(draft)
                recall = .typing
            }
        }
        return true
    }

    /// What redial calls.
    public func latest(history: [String]) -> String? { recallable(history).first }

    func canRecall(history: [String]) -> Bool { !recallable(history).isEmpty }

    private func recallable(_ history: [String]) -> [String] {
        var seen = Set(dialled)
        return dialled + history.filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    private func trimmed(_ text: Substring) -> String {
        var out = text.drop(while: \.isWhitespace)
        while out.last?.isWhitespace == true { out.removeLast() }
        return String(out)
    }

    private mutating func show(_ text: [Character]) {
        characters = Array(text.prefix(Self.maximumLength))
        cursor = characters.count
    }
}
