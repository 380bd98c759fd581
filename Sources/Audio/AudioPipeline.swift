import Core

/// All audio of the phone, 20 ms at a time. Used by exactly one thread; a tick does not allocate, lock or log.
public final class AudioPipeline {
    /// Samples of one tick on the devices' side (48 kHz, mono).
    public static let frameSamples = 960
    public static let sampleRate = 48000
    public static let tickDuration = Duration.milliseconds(20)

    public struct TickResult: Sendable, Equatable {
        /// Something is in an outbound ring: wake the loop.
        public var hasOutbound: Bool
        /// A stream is attached or a tone is playing.
        public var isActive: Bool

        public init(hasOutbound: Bool, isActive: Bool) {
            self.hasOutbound = hasOutbound
            self.isActive = isActive
        }
    }

    private let control: AudioPipelineControl
    private var streams: [AudioStream]
    private var focused: AudioStreamPort?
    private var tone: ToneGenerator?
    private let toneFrame: UnsafeMutableBufferPointer<Int16>

    public init(control: AudioPipelineControl) {
        self.control = control
        streams = []
        streams.reserveCapacity(control.capacity)
        toneFrame = .allocate(capacity: Self.frameSamples)
        toneFrame.initialize(repeating: 0)
    }

    deinit { toneFrame.deallocate() }

    /// One step.
    /// - Parameters:
    ///   - capture: 960 samples of the capture device, or none.
    ///   - playback: 960 samples, overwritten.
    public func tick(
        at now: Instant, capture: UnsafeBufferPointer<Int16>, playback: UnsafeMutableBufferPointer<Int16>
    ) -> TickResult {
        obey()
        playback.update(repeating: 0)
        var hasOutbound = false
        for stream in streams {
            stream.takeFormat()
            stream.takePackets()
            let hasFocus = stream.port === focused
            stream.receive(at: now, isHeard: hasFocus || stream.input.isEcho || stream.recording != nil || isPeer(stream))
            if hasFocus, !stream.port.has(.held) { Mixer.add(UnsafeBufferPointer(stream.received), to: playback) }
        }
        // Everybody has received by now: what is passed from one call to the other is no tick old.
        for stream in streams {
            let device = stream.port === focused ? capture : UnsafeBufferPointer(start: nil, count: 0)
            let isSending = stream.send(capture: device, heard: heard(by: stream), at: now)
            if isSending { hasOutbound = true }
            stream.recording?.add(sent: isSending ? stream.sending : nil, received: stream.isReceiving ? stream.received : nil)
        }
        if let tone {
            tone.fill(toneFrame)
            Mixer.add(UnsafeBufferPointer(toneFrame), to: playback)
        }
        return TickResult(hasOutbound: hasOutbound, isActive: !streams.isEmpty || tone != nil)
    }

    private func isPeer(_ stream: AudioStream) -> Bool { streams.contains { $0.input.peer === stream.port } }

    /// What the stream's source may send on: its own received audio, or its peer's; nothing when that one has left or is on hold.
    private func heard(by stream: AudioStream) -> UnsafeBufferPointer<Int16> {
        guard let peer = stream.input.peer else { return UnsafeBufferPointer(stream.received) }
        guard let other = streams.first(where: { $0.port === peer }), !peer.has(.held) else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(other.received)
    }

    /// Between two ticks, when a stream was attached or may send from now on: its first frame goes at once.
    /// It runs one frame ahead from then on, by less than a tick.
    public func begin(at now: Instant) -> TickResult {
        obey()
        var hasOutbound = false
        for stream in streams where stream.begin(at: now) { hasOutbound = true }
        return TickResult(hasOutbound: hasOutbound, isActive: !streams.isEmpty || tone != nil)
    }

    /// Streams attached, as the last tick or `begin` found them.
    public var streamCount: Int { streams.count }

    private func obey() {
        while let command = control.commands.pop() {
            switch command.action {
            case .attach(let stream):
                if streams.count < control.capacity { streams.append(stream) }
            case .detach(let port):
                if let index = streams.firstIndex(where: { $0.port === port }) {
                    let stream = streams.remove(at: index)
                    stream.sink?.finish()
                    stream.recording?.sink.finish()
                    command.spoils = stream
                }
                if focused === port { focused = nil }
            case .source(let port, let input):
                if let stream = streams.first(where: { $0.port === port }) {
                    command.spoils = stream.input
                    stream.input = input
                }
            case .focus(let port): focused = port
            case .tone(let generator):
                command.spoils = tone
                tone = generator
            }
            // The control frees what comes back; the queue is twice as long as that of the commands.
            _ = control.done.push(command)
        }
    }
}
