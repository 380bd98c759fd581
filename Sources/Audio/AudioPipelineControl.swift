import Core
import Synchronization

/// The loop's side of an `AudioPipeline`. All methods belong to the loop's thread; none blocks.
///
/// What a command brings is allocated here, and what the tick took out of use is freed here.
public final class AudioPipelineControl: @unchecked Sendable {
    let commands = ObjectQueue<AudioCommand>(capacity: 256)
    let done = ObjectQueue<AudioCommand>(capacity: 512)
    private var attached: [ObjectIdentifier: AudioStreamPort] = [:]
    private var focused: ObjectIdentifier?
    private var tone: TonePattern?
    /// Streams at most at the same time.
    public let capacity: Int

    public init(capacity: Int = 64) { self.capacity = max(1, capacity) }

    /// The number of attached streams.
    public var attachedCount: Int { attached.count }
    /// Whether a tick has anything to do.
    public var isActive: Bool { !attached.isEmpty || tone != nil }
    public var localTone: TonePattern? { tone }

    /// False when the port is attached already or no more streams are possible.
    /// - Parameter recording: takes both sides, interleaved: left what is sent, right what is received, at 48 kHz.
    @discardableResult
    public func attach(_ port: AudioStreamPort, source: AudioSource, sink: PCMSink? = nil, recording: PCMSink? = nil) -> Bool {
        let id = ObjectIdentifier(port)
        guard attached[id] == nil, attached.count < capacity, port.prepareForAttaching() else { return false }
        guard send(.attach(AudioStream(port: port, source: source, sink: sink, recording: recording))) else { return false }
        attached[id] = port
        return true
    }

    /// The stream's sink is finished once the tick has let go of it.
    public func detach(_ port: AudioStreamPort) {
        guard attached.removeValue(forKey: ObjectIdentifier(port)) != nil else { return }
        if focused == ObjectIdentifier(port) { focused = nil }
        send(.detach(port))
    }

    public func setSource(_ source: AudioSource, of port: AudioStreamPort) {
        guard attached[ObjectIdentifier(port)] != nil else { return }
        send(.source(port, AudioInput(source)))
    }

    /// The stream that owns the devices; nil: none.
    public func focus(_ port: AudioStreamPort?) {
        let id = port.map(ObjectIdentifier.init)
        guard id != focused else { return }
        focused = id
        send(.focus(port))
    }

    /// A tone on the playback device, repeated until replaced; nil: quiet.
    public func play(_ pattern: TonePattern?) {
        guard pattern != tone else { return }
        tone = pattern
        send(.tone(pattern.map { ToneGenerator($0) }))
    }

    /// Frees what the tick gave back.
    public func collect() { while done.pop() != nil {} }

    @discardableResult
    private func send(_ action: AudioCommand.Action) -> Bool {
        collect()
        return commands.push(AudioCommand(action))
    }
}

/// One change on its way to the tick; on its way back it carries what the tick no longer uses.
final class AudioCommand {
    enum Action {
        case attach(AudioStream)
        case detach(AudioStreamPort)
        case source(AudioStreamPort, AudioInput)
        case focus(AudioStreamPort?)
        case tone(ToneGenerator?)
    }
    let action: Action
    var spoils: AnyObject?

    init(_ action: Action) { self.action = action }
}
