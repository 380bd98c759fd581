import Audio
import CPlatform
import Core
import Glibc

/// The tones that the phone plays to its own user.
public enum LocalTone: String, Sendable, CaseIterable {
    /// An incoming call.
    case ring
    /// An outgoing call rings and no early media comes.
    case ringback
    case busy
    /// The call failed.
    case failure
}

/// The phone's audio: devices, thread and files behind one door. All methods belong to the loop's thread.
///
/// With no stream and no tone there is no thread, no timer and no open device.
public final class AudioEngine: @unchecked Sendable {
    /// Becomes readable when an attached port has encoded frames or a warning waits. Drain it, then `popEncoded` and `takeWarnings`.
    public let outboundEventFD: Int32
    public private(set) var input: AudioDeviceSpec
    public private(set) var output: AudioDeviceSpec
    public let echo: Bool

    let control: AudioPipelineControl
    private let pipeline: AudioPipeline
    private let notices: AudioNotices
    private let files: FileDrain
    private var thread: AudioThread?
    private var clip: AudioClip?
    /// Made at the start, so that a path that cannot be written is told before anything is sent; the first call takes it.
    private var firstFile: WAVWriter?
    private var filesMade = 0
    /// The first call's recording, made at the start for the same reason.
    private var recorder: WAVWriter?
    private var ports: [ObjectIdentifier: (port: AudioStreamPort, sink: PCMSink?)] = [:]
    /// Streams whose source is another call's: a change of the input is not for them.
    private var joined: [ObjectIdentifier: AudioStreamPort] = [:]
    private var tones: [String: TonePattern]
    private var isShutDown: Bool { if case .shutDown = life { true } else { false } }
    private enum Life {
        case open
        case shutDown
    }
    private var life = Life.open

    /// Reads the input file, makes the output file and tries the cards, so that a mistake is told at once.
    ///
    /// `alsa` without a name falls back to `null` with a warning; `alsa:NAME` that does not open is an error.
    /// - Parameter tones: other patterns for `LocalTone`s, by their raw values (`TonePattern.table`).
    public init(
        input: AudioDeviceSpec, output: AudioDeviceSpec, echo: Bool = false, tones: [String: TonePattern] = [:], capacity: Int = 64
    ) throws(AudioDeviceError) {
        self.echo = echo
        self.tones = tones
        self.input = .null
        self.output = .null
        outboundEventFD = platform_eventfd()
        guard outboundEventFD >= 0 else { throw AudioDeviceError(.unavailable, "eventfd: \(errorText(errno))") }
        control = AudioPipelineControl(capacity: capacity)
        pipeline = AudioPipeline(control: control)
        notices = AudioNotices(eventFD: outboundEventFD)
        files = FileDrain(notices: notices)
        self.input = try checked(echo ? .null : input, .input)
        self.output = try checked(output, .output)
    }

    deinit {
        shutdown()
        if outboundEventFD >= 0 { close(outboundEventFD) }
    }

    // MARK: Calls

    /// Gives a call's stream to the audio thread. `callLabel` names its output file from the second call on.
    /// False when it is attached already or no more are possible.
    @discardableResult
    public func attach(_ port: AudioStreamPort, callLabel: String) -> Bool {
        guard !isShutDown, ports[ObjectIdentifier(port)] == nil else { return false }
        let sink = makeSink(label: callLabel)
        let recording = makeRecording()
        guard control.attach(port, source: source, sink: sink, recording: recording) else {
            sink?.finish()
            recording?.finish()
            return false
        }
        ports[ObjectIdentifier(port)] = (port, sink)
        port.onSendAllowed = { [weak self] in self?.thread?.wake() }
        keepRunning()
        return true
    }

    /// What `port` sends is what `peer` receives; nil: the input again.
    public func join(_ port: AudioStreamPort, to peer: AudioStreamPort?) {
        guard ports[ObjectIdentifier(port)] != nil else { return }
        joined[ObjectIdentifier(port)] = peer
        control.setSource(peer.map { .peer($0) } ?? source, of: port)
    }

    public func detach(_ port: AudioStreamPort) {
        joined[ObjectIdentifier(port)] = nil
        guard ports.removeValue(forKey: ObjectIdentifier(port)) != nil else { return }
        port.onSendAllowed = nil
        control.detach(port)
        rest()
    }

    /// The call that owns the devices; nil: none.
    public func focus(_ port: AudioStreamPort?) { control.focus(port) }

    /// A tone on the playback device until replaced; nil: quiet. Without a card nobody would hear it: nothing happens.
    public func localTone(_ tone: LocalTone?) {
        guard !isShutDown else { return }
        guard let tone, case .alsa = output else {
            control.play(nil)
            return rest()
        }
        control.play(tones[tone.rawValue] ?? tone.pattern)
        keepRunning()
    }

    // MARK: Devices

    /// Another input for all calls, now.
    public func setInput(_ spec: AudioDeviceSpec) throws(AudioDeviceError) {
        guard !echo else { return }
        input = try checked(spec, .input)
        for (port, _) in ports.values where joined[ObjectIdentifier(port)] == nil { control.setSource(source, of: port) }
        thread?.use(plan)
    }

    /// Another output, now. A file takes the calls that are attached from now on.
    public func setOutput(_ spec: AudioDeviceSpec) throws(AudioDeviceError) {
        output = try checked(spec, .output)
        thread?.use(plan)
        guard case .alsa = output else { return localTone(nil) }
    }

    /// What happened since the last call of this.
    public func takeWarnings() -> [AudioWarning] {
        control.collect()
        return notices.take()
    }

    /// Whether the audio thread exists.
    public var isRunning: Bool { thread != nil && control.isActive }

    /// Ends the thread, completes and closes all files. Blocks for some 20 ms. A second call does nothing.
    public func shutdown() {
        guard !isShutDown else { return }
        for (port, _) in ports.values { control.detach(port) }
        control.play(nil)
        thread?.requestStop()
        thread?.join()
        thread = nil
        for (_, sink) in ports.values { sink?.finish() }
        ports = [:]
        files.finish()
        firstFile?.finish()
        recorder?.finish()
        control.collect()
        life = .shutDown
    }

    // MARK: Inside

    private var source: AudioSource {
        if echo { return .echo }
        switch input {
        case .alsa: return .device
        case .null: return .silence
        case .tone(let hertz): return .tone(hertz)
        case .file: return clip.map { .file($0) } ?? .silence
        }
    }

    private var plan: AudioDevicePlan {
        var plan = AudioDevicePlan()
        if case .alsa(let name) = input { plan.capture = .alsa(name: name) }
        if case .alsa(let name) = output { plan.playback = .alsa(name: name) }
        return plan
    }

    private func checked(_ spec: AudioDeviceSpec, _ direction: AudioDeviceSpec.Direction) throws(AudioDeviceError) -> AudioDeviceSpec {
        switch spec {
        case .alsa(let name):
            guard let error = AudioDevices.probe(name: name, direction: direction) else { return spec }
            if name != nil { throw error }
            let word = direction == .input ? "input" : "output"
            notices.add(AudioWarning(code: "no-audio-\(word)", message: "no sound card for \(word); going on without it"))
            return .null
        case .file(let path):
            if direction == .input {
                let audio = try WAVAudio(path: path)
                clip = AudioClip(samples: audio.samples, rate: audio.rate)
            } else {
                firstFile = try WAVWriter(path: path)
                filesMade = 0
            }
        case .tone, .null: break
        }
        return spec
    }

    /// Both sides of the next call, at 48 kHz: left what is sent, right what is received. Makes the file now.
    public func record(path: String) throws(AudioDeviceError) { recorder = try WAVWriter(path: path, rate: 48000, channels: 2) }

    private func makeRecording() -> PCMSink? {
        guard let writer = recorder else { return nil }
        recorder = nil
        let sink = PCMSink(capacity: 192_000)
        files.add(sink, writer: writer)
        return sink
    }

    private func makeSink(label: String) -> PCMSink? {
        guard case .file(let path) = output else { return nil }
        filesMade += 1
        var writer = firstFile
        firstFile = nil
        if writer == nil || filesMade > 1 {
            do throws(AudioDeviceError) {
                writer = try WAVWriter(path: Self.path(path, label: label))
            } catch {
                notices.add(AudioWarning(code: "audio-file", message: error.message))
                return nil
            }
        }
        guard let writer else { return nil }
        let sink = PCMSink()
        files.add(sink, writer: writer)
        return sink
    }

    /// "a/b.wav" and "2" make "a/b-2.wav".
    public static func path(_ path: String, label: String) -> String {
        let name = Sanitiser.fileName(label)
        let slash = path.lastIndex(of: "/")
        let start = slash.map { path.index(after: $0) } ?? path.startIndex
        guard let dot = path[start...].lastIndex(of: "."), dot > start else { return "\(path)-\(name)" }
        return "\(path[..<dot])-\(name)\(path[dot...])"
    }

    private func keepRunning() {
        if let thread {
            if thread.resume() { return thread.wake() }
            thread.join()
        }
        let new = AudioThread(pipeline: pipeline, plan: plan, notices: notices, outboundFD: outboundEventFD)
        thread = new
        new.start()
    }

    private func rest() { if !control.isActive { thread?.requestStop() } }
}

extension LocalTone {
    /// The pattern that is used when none is given.
    public var pattern: TonePattern {
        switch self {
        case .ring: .ring
        case .ringback: .ringback
        case .busy: .busy
        case .failure: .failure
        }
    }
}
