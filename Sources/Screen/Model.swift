import Core
import Interface

/// Everything that the screen shows and remembers. Changed only by `update`, read only by `render`.
public struct Model: Sendable, Equatable {
    /// Who gets the characters that are typed.
    public enum Focus: Sendable, Equatable { case dialLine, calls }

    public enum DeviceKind: Sendable, Equatable { case input, output }

    /// What the large area shows.
    public enum Panel: Sendable, Equatable {
        case call(scroll: Int)
        case history(selected: Int)
        case devices(DeviceKind, selected: Int)
        /// Everything about the selected call's transports.
        case transport(scroll: Int)
        /// The link for a browser, with its code. The dial line and the calls keep their keys.
        case link
        /// The selected call's picture.
        case video
        case help(scroll: Int)

        /// The call with its statistics.
        var isCall: Bool { if case .call = self { true } else { false } }
    }

    /// What the message line shows before the phone's own notice.
    public enum Prompt: Sendable, Equatable {
        case none
        /// An answer to the last key, until the next one.
        case hint(String)
        /// Quit with calls up?
        case quitQuestion
    }

    public static let maximumColumns = 1000
    public static let maximumRows = 500

    public internal(set) var columns: Int
    public internal(set) var rows: Int
    public var theme: Theme
    /// Local time minus UTC, for the times in the history.
    public var utcOffsetSeconds: Int

    public internal(set) var snapshot: Snapshot
    public internal(set) var now: WallTime
    public internal(set) var dialLine = DialLine()
    public internal(set) var focus = Focus.dialLine
    /// The line was asked for: a call that begins before the first character leaves the focus in it.
    var keepsDialLine = false
    public internal(set) var panel = Panel.call(scroll: 0)
    public internal(set) var prompt = Prompt.none
    /// What the terminal can paint pictures with.
    public var pictureColours: PictureColours
    /// The newest picture of the call that is looked at.
    public internal(set) var picture: VideoPicture?
    /// The call whose picture is looked at: what the phone was told last.
    public internal(set) var watched: CallID?
    var rates = VideoRates()
    /// The call that was chosen here; the phone's own choice counts until then.
    var chosen: CallID?
    var isLeaving = false

    public init(
        columns: Int = 80, rows: Int = 24, theme: Theme = .standard, pictureColours: PictureColours = .indexed, utcOffsetSeconds: Int = 0,
        snapshot: Snapshot = Snapshot(time: WallTime(milliseconds: 0))
    ) {
        self.columns = Self.clamp(columns, Self.maximumColumns)
        self.rows = Self.clamp(rows, Self.maximumRows)
        self.theme = theme
        self.pictureColours = pictureColours
        self.utcOffsetSeconds = utcOffsetSeconds
        self.snapshot = snapshot
        now = snapshot.time
    }

    static func clamp(_ size: Int, _ maximum: Int) -> Int { min(max(1, size), maximum) }

    /// Under 60 × 16 there is one short view instead of the zones.
    public var isReduced: Bool { columns < 60 || rows < 16 }

    /// Asked to end, here or by somebody else.
    public var isQuitting: Bool { isLeaving || snapshot.isQuitting }

    /// The call that statistics, hold, mute, DTMF and hang up are about.
    public var selectedCall: CallSnapshot? {
        if let chosen, let call = snapshot.calls.first(where: { $0.id == chosen }) { return call }
        if let focused = snapshot.focused, let call = snapshot.calls.first(where: { $0.id == focused }) { return call }
        return snapshot.calls.first
    }

    /// The ringing call of the banner: the selected one, else the oldest.
    public var incomingCall: CallSnapshot? {
        if let selected = selectedCall, selected.isWaiting { return selected }
        return snapshot.calls.first(where: \.isWaiting)
    }

    /// Calls that quitting would end, ended ones not counted.
    var livingCalls: Int { snapshot.calls.count { $0.state != .ended } }

    /// Whether a timer on the screen runs.
    public var needsTick: Bool { !snapshot.calls.isEmpty }

    /// Addresses called before this run, newest first.
    var outgoingHistory: [String] { snapshot.history.filter { $0.direction == .outgoing }.map(\.remoteUri) }

    /// Where a key is looked up, nearest first.
    var contexts: [KeyContext] {
        if prompt == .quitQuestion { return [.question, .everywhere] }
        switch panel {
        case .history: return [.history, .everywhere]
        case .devices: return [.devices, .everywhere]
        case .help: return [.help, .everywhere]
        case .transport: return [.transport, .everywhere]
        case .video where focus == .calls:
            return [.calls, .video, .everywhere]
        case .call, .video, .link:
            if focus == .calls { return [.calls, .everywhere] }
            return dialLine.isEmpty ? [.emptyDialLine, .dialLine, .everywhere] : [.dialLine, .everywhere]
        }
    }

    /// The devices that a panel lists.
    func devices(_ kind: DeviceKind) -> [String] { kind == .input ? snapshot.audio.inputs : snapshot.audio.outputs }
}

extension CallSnapshot {
    /// Rings here and waits for an answer.
    var isWaiting: Bool { direction == .incoming && [.calling, .ringing, .early].contains(state) }

    /// Has been answered and is not over.
    var isUp: Bool { [.answered, .media, .held].contains(state) }

    var isHeldHere: Bool { heldBy == .local || heldBy == .both }

    /// The name that people read: the display name, else the address.
    var peer: String {
        if let displayName, displayName.contains(where: { !$0.isWhitespace }) { return displayName }
        return remoteUri
    }
}
