import Audio
import CPlatform
import Core
import Glibc
import Synchronization

/// Which ALSA devices the thread holds open. A file, a tone and null need none.
struct AudioDevicePlan: Sendable, Equatable {
    enum Card: Sendable, Equatable {
        case none
        /// Nil: ALSA's "default".
        case alsa(name: String?)
    }
    var capture: Card = .none
    var playback: Card = .none
}

/// Runs one `AudioPipeline`: paced by the card's clock when there is a card, else by a monotonic timer of 20 ms.
final class AudioThread: @unchecked Sendable {
    /// The life of the thread. `stopping` may be taken back until the thread itself has gone on to `ended`.
    private enum Life: UInt8 {
        case running = 1
        case stopping = 2
        case ended = 3
    }

    private let pipeline: AudioPipeline
    private let notices: AudioNotices
    private let outboundFD: Int32
    /// Ends the timer's wait: a stream may begin.
    private let wakeFD: Int32
    private let life = Atomic<UInt8>(Life.running.rawValue)
    private let plan: Mutex<AudioDevicePlan>
    private let planGeneration = Atomic<Int>(1)
    private let ticksDone = Atomic<Int>(0)
    private var thread: PlatformThread?

    // The thread's own from here on.
    private var knownGeneration = 0
    private var capture: ALSAStream?
    private var playback: ALSAStream?
    private let captured: CaptureFIFO
    private let input: UnsafeMutableBufferPointer<Int16>
    private let output: UnsafeMutableBufferPointer<Int16>
    private var nextTick: UInt64 = 0
    private var stalled = 0
    private static let period: UInt64 = 20_000_000

    init(pipeline: AudioPipeline, plan: AudioDevicePlan, notices: AudioNotices, outboundFD: Int32) {
        self.pipeline = pipeline
        self.plan = Mutex(plan)
        self.notices = notices
        self.outboundFD = outboundFD
        wakeFD = platform_eventfd()
        captured = CaptureFIFO()
        input = .allocate(capacity: AudioPipeline.frameSamples)
        input.initialize(repeating: 0)
        output = .allocate(capacity: AudioPipeline.frameSamples)
        output.initialize(repeating: 0)
    }

    deinit {
        if wakeFD >= 0 { close(wakeFD) }
        input.deallocate()
        output.deallocate()
    }

    // MARK: The owner's side

    /// Ticks since the start.
    var tickCount: Int { ticksDone.load(ordering: .relaxed) }

    func start() {
        thread = PlatformThread { self.run() }
        if thread == nil {
            life.store(Life.ended.rawValue, ordering: .releasing)
            notices.add(AudioWarning(code: "audio-thread", message: "the audio thread could not be started"))
        }
    }

    /// The thread ends after one more tick.
    func requestStop() {
        _ = life.compareExchange(expected: Life.running.rawValue, desired: Life.stopping.rawValue, ordering: .acquiringAndReleasing)
    }

    /// A stream was attached or may send from now on: without a card it need not wait for the next tick.
    func wake() { if wakeFD >= 0 { platform_eventfd_signal(wakeFD) } }

    /// True when the thread goes on after all; false when it has ended and another one is needed.
    func resume() -> Bool {
        let (done, found) = life.compareExchange(
            expected: Life.stopping.rawValue, desired: Life.running.rawValue, ordering: .acquiringAndReleasing)
        return done || found == Life.running.rawValue
    }

    func join() {
        thread?.join()
        thread = nil
    }

    func use(_ new: AudioDevicePlan) {
        plan.withLock { $0 = new }
        planGeneration.wrappingAdd(1, ordering: .releasing)
    }

    // MARK: The thread

    private func run() {
        // Refused for most users: then two queued periods must do.
        _ = platform_realtime_thread()
        begin()
        nextTick = platform_monotonic_ns()
        while true {
            takePlan()
            waitForTick()
            step()
            guard life.load(ordering: .acquiring) == Life.stopping.rawValue else { continue }
            let (ended, _) = life.compareExchange(
                expected: Life.stopping.rawValue, desired: Life.ended.rawValue, ordering: .acquiringAndReleasing)
            if ended { break }
        }
        // A command may have come after the last tick began.
        step()
        capture = nil
        playback = nil
    }

    private func takePlan() {
        let generation = planGeneration.load(ordering: .acquiring)
        guard generation != knownGeneration else { return }
        knownGeneration = generation
        let wanted = plan.withLock { $0 }
        capture = open(wanted.capture, .capture, keeping: capture)
        playback = open(wanted.playback, .playback, keeping: playback)
        captured.removeAll()
        stalled = 0
        nextTick = platform_monotonic_ns()
    }

    private func open(_ card: AudioDevicePlan.Card, _ direction: ALSAStream.Direction, keeping old: ALSAStream?) -> ALSAStream? {
        guard case .alsa(let name) = card else { return nil }
        if let old, old.name == name ?? "default" { return old }
        do throws(AudioDeviceError) {
            return try ALSAStream(name: name, direction: direction)
        } catch {
            notices.add(AudioWarning(code: "audio-device", message: "\(error.message); going on without it"))
            return nil
        }
    }

    /// Blocks until the card, or without a card the timer, says that the next 20 ms are due.
    private func waitForTick() {
        if let playback {
            waitForRoom(playback)
        } else if let capture {
            waitForCapture(capture)
        } else {
            waitForTimer()
        }
    }

    private func waitForTimer() {
        nextTick &+= Self.period
        let now = platform_monotonic_ns()
        if now > nextTick &+ 200_000_000 {
            // After a long stop there is nothing to catch up with.
            nextTick = now
            return
        }
        while true {
            let now = platform_monotonic_ns()
            guard now < nextTick else { return }
            if sleep(nanoseconds: nextTick - now) { begin() }
        }
    }

    /// One sleep to the nanosecond, not two that round: `pselect`. True when `wake` ended it.
    private func sleep(nanoseconds: UInt64) -> Bool {
        var left = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var set = fd_set()
        guard wakeFD >= 0, wakeFD < FD_SETSIZE else {
            nanosleep(&left, nil)
            return false
        }
        let descriptor = Int(wakeFD)
        withUnsafeMutableBytes(of: &set) { $0[descriptor / 8] |= 1 << UInt8(descriptor % 8) }
        return pselect(wakeFD + 1, &set, nil, nil, &left, nil) > 0
    }

    /// The first frames of streams that need not wait for a tick. A stream that is alone sets the beat from here.
    private func begin() {
        if wakeFD >= 0 { _ = platform_eventfd_drain(wakeFD) }
        let now = platform_monotonic_ns()
        guard pipeline.begin(at: Instant(nanoseconds: now)).hasOutbound else { return }
        platform_eventfd_signal(outboundFD)
        if pipeline.streamCount == 1 { nextTick = now &+ Self.period }
    }

    private func waitForRoom(_ device: ALSAStream) {
        wait(for: device) {
            switch device.available() {
            case .frames(let n): return n >= device.wakeFrames
            case .recovered: return false
            case .lost(let code):
                lose(device, code)
                return true
            }
        }
    }

    private func waitForCapture(_ device: ALSAStream) {
        wait(for: device) {
            readCapture(device)
            return capture == nil || captured.isReady
        }
    }

    /// Waits until `isDue`. A card that makes no progress for 60 ms is replaced by the clock, tick by tick, until it goes on (some take
    /// seconds to start); after five seconds it is gone, whatever its driver says.
    private func wait(for device: ALSAStream, until isDue: () -> Bool) {
        let end = platform_monotonic_ns() &+ (stalled == 0 ? 3 * Self.period : Self.period)
        while true {
            if isDue() {
                stalled = 0
                return
            }
            let now = platform_monotonic_ns()
            guard now < end else { break }
            if device.wait(milliseconds: Int((end - now) / 1_000_000) + 1), !isDue() {
                // The driver woke us too early: no busy loop.
                var pause = timespec(tv_sec: 0, tv_nsec: 2_000_000)
                nanosleep(&pause, nil)
            }
        }
        stalled += 1
        if stalled >= 250 { lose(device, ETIMEDOUT) }
    }

    private func lose(_ device: ALSAStream, _ code: Int32) {
        let direction = device.direction == .capture ? "input" : "output"
        notices.add(
            AudioWarning(
                code: "audio-device-lost",
                message: "audio \(direction) alsa:\(device.name) is lost (\(ALSAStream.text(-abs(code)))); going on without it"))
        if device.direction == .capture { capture = nil } else { playback = nil }
        stalled = 0
        nextTick = platform_monotonic_ns()
    }

    private func readCapture(_ device: ALSAStream) {
        while true {
            switch device.read(into: input) {
            case .frames(let n):
                if n == 0 { return }
                captured.append(UnsafeBufferPointer(rebasing: input[..<n]))
                if n < input.count { return }
            case .recovered: return
            case .lost(let code): return lose(device, code)
            }
        }
    }

    private func step() {
        if let capture, playback != nil { readCapture(capture) }
        let hasInput = capture != nil && captured.take(into: input)
        let samples = UnsafeBufferPointer(rebasing: input[..<(hasInput ? input.count : 0)])
        let result = pipeline.tick(at: Instant(nanoseconds: platform_monotonic_ns()), capture: samples, playback: output)
        if result.hasOutbound { platform_eventfd_signal(outboundFD) }
        ticksDone.wrappingAdd(1, ordering: .relaxed)
        if let playback, case .lost(let code) = playback.write(UnsafeBufferPointer(output)) { lose(playback, code) }
    }
}
