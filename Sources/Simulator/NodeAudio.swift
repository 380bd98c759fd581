import Audio
import Core
import Engine
import Interface

/// What was heard in one call, in the codec's rate.
public struct Heard: Sendable {
    public var samples: [Int16] = []
    public var rate = 0
    /// The newest second, or what there is.
    public var latest: ArraySlice<Int16> { samples.suffix(max(1, rate)) }

    /// The loudest sample.
    public var peak: Int { samples.reduce(0) { max($0, abs(Int($1))) } }

    /// The share (0…1) of the power of the newest second that lies at this frequency, by Goertzel's algorithm in windows of 20 ms.
    public func share(of hertz: Double) -> Double { Tone.share(of: hertz, in: Array(latest), rate: rate) }
}

/// The audio thread of a node, in virtual time: a pipeline ticked every 20 ms while it has something to do.
public final class NodeAudio {
    public static let limit = 20 * 48_000

    private let control = AudioPipelineControl()
    private let pipeline: AudioPipeline
    private var ports: [CallID: AudioStreamPort] = [:]
    private var sinks: [CallID: PCMSink] = [:]
    /// Whose audio a call sends, where it is another call's.
    private var joins: [CallID: CallID] = [:]
    private let playback = UnsafeMutableBufferPointer<Int16>.allocate(capacity: AudioPipeline.frameSamples)
    public private(set) var source: AudioSource
    public private(set) var heard: [CallID: Heard] = [:]
    /// What the loudspeaker of the focused call played, at 48 kHz: the last two seconds.
    public private(set) var speaker: [Int16] = []
    public private(set) var tones: [LocalTone?] = []
    public private(set) var focused: CallID?
    public private(set) var ticks = 0
    private(set) var nextTick: Instant?
    /// While the thread stands still nothing is encoded or played: hours of a call cost little.
    private var isPaused = false
    public var keepsSpeaker = false

    /// 20 ms of the sound device's own clock.
    private let tickDuration: Duration

    /// - Parameter drift: parts per million by which a tick is longer than 20 ms.
    init(source: AudioSource, drift: Double = 0) {
        self.source = source
        tickDuration = AudioPipeline.tickDuration + .nanoseconds(Int64(Double(AudioPipeline.tickDuration.totalNanoseconds) * drift / 1_000_000))
        pipeline = AudioPipeline(control: control)
        playback.initialize(repeating: 0)
    }

    deinit { playback.deallocate() }

    /// What was heard in a call; nothing when there was none.
    public subscript(id: CallID) -> Heard { heard[id] ?? Heard() }

    public var attachedCount: Int { control.attachedCount }

    func obey(_ request: AudioRequest, at now: Instant) {
        switch request {
        case .attach(let id, let port):
            let sink = PCMSink()
            guard control.attach(port, source: source, sink: sink) else { return }
            ports[id] = port
            sinks[id] = sink
            if focused == id { control.focus(port) }
            joinStreams { $0 == id || $1 == id }
            if nextTick == nil, !isPaused { nextTick = now + tickDuration }
        case .detach(let id):
            collect(id)
            sinks.removeValue(forKey: id)
            joins[id] = nil
            if let port = ports.removeValue(forKey: id) { control.detach(port) }
        case .join(let id, let other):
            joins[id] = other
            if other == nil, let port = ports[id] { control.setSource(source, of: port) } else { joinStreams { one, _ in one == id } }
        case .focus(let id):
            focused = id
            control.focus(id.flatMap { ports[$0] })
        case .tone(let tone): tones.append(tone)
        case .selectInput, .selectOutput: break
        }
    }

    /// Joins those streams of the chosen joined calls that are there.
    private func joinStreams(where isChosen: (CallID, CallID) -> Bool) {
        for (one, other) in joins where isChosen(one, other) {
            if let port = ports[one], let peer = ports[other] { control.setSource(.peer(peer), of: port) }
        }
    }

    public func pause() {
        isPaused = true
        nextTick = nil
    }

    public func resume(at now: Instant) {
        isPaused = false
        if control.isActive { nextTick = now + tickDuration }
    }

    /// - Returns: whether something was encoded.
    func tick(at now: Instant) -> Bool {
        let result = pipeline.tick(at: now, capture: UnsafeBufferPointer(start: nil, count: 0), playback: playback)
        ticks += 1
        for id in sinks.keys { collect(id) }
        if keepsSpeaker { speaker = (speaker + playback).suffix(96_000) }
        control.collect()
        nextTick = control.isActive && !isPaused ? now + tickDuration : nil
        return result.hasOutbound
    }

    private func collect(_ id: CallID) {
        guard let sink = sinks[id], let rate = sink.rate else { return }
        var known = heard.removeValue(forKey: id) ?? Heard()
        known.rate = rate
        sink.drain { piece in if known.samples.count < Self.limit { known.samples.append(contentsOf: piece) } }
        heard[id] = known
    }

    /// The figures of a call's stream.
    public func statistics(_ id: CallID) -> AudioStreamStatistics? { ports[id]?.statistics }
}

/// Looks for a tone in samples.
public enum Tone {
    /// The share (0…1) of the power at `hertz`: 1 for a clean sine, near 0 for silence, noise or another tone.
    public static func share(of hertz: Double, in samples: [Int16], rate: Int) -> Double {
        let window = rate / 50
        guard window > 0, samples.count >= window else { return 0 }
        var inTone = 0.0
        var inAll = 0.0
        // The increment of the phase, and its cosine by the half-angle recursion of the first sample.
        let coefficient = 2 * cosine(2 * Double.pi * hertz / Double(rate))
        var start = 0
        while start + window <= samples.count {
            var s1 = 0.0
            var s2 = 0.0
            var energy = 0.0
            for i in start..<start + window {
                let x = Double(samples[i])
                let s0 = x + coefficient * s1 - s2
                s2 = s1
                s1 = s0
                energy += x * x
            }
            inTone += (s1 * s1 + s2 * s2 - coefficient * s1 * s2) * 2 / Double(window)
            inAll += energy
            start += window
        }
        return inAll > 0 ? min(1, inTone / inAll) : 0
    }

    /// Taylor's series: pure targets have no C library, and 0…π needs some terms only.
    private static func cosine(_ x: Double) -> Double {
        var term = 1.0
        var sum = 1.0
        for n in 1...14 {
            term *= -x * x / Double((2 * n - 1) * (2 * n))
            sum += term
        }
        return sum
    }
}
