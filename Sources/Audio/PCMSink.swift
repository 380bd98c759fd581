import Synchronization

/// Decoded audio on its way to a file: written by the tick, drained by a slow thread. Fixed memory, no lock.
///
/// The rate is that of the first codec received; later frames are converted to it.
public final class PCMSink: @unchecked Sendable {
    private let memory: UnsafeMutablePointer<Int16>
    private let capacity: Int
    private let head = Atomic<Int>(0)
    private let tail = Atomic<Int>(0)
    private let lost = Atomic<Int>(0)
    private let sampleRate = Atomic<Int>(0)
    private let finished = Atomic<Bool>(false)

    /// - Parameter capacity: samples held at most (default: 2 s at 48 kHz).
    public init(capacity: Int = 96000) {
        self.capacity = max(960, capacity)
        memory = .allocate(capacity: self.capacity)
        memory.initialize(repeating: 0, count: self.capacity)
    }

    deinit { memory.deallocate() }

    /// Samples a second; nil before the first packet.
    public var rate: Int? {
        let rate = sampleRate.load(ordering: .acquiring)
        return rate > 0 ? rate : nil
    }

    /// Samples lost because nobody drained in time.
    public var lostSamples: Int { lost.load(ordering: .relaxed) }

    /// No more samples will come.
    public var isFinished: Bool { finished.load(ordering: .acquiring) }

    public func finish() { finished.store(true, ordering: .releasing) }

    func start(rate: Int) { sampleRate.store(rate, ordering: .releasing) }

    /// The tick's side.
    func push(_ samples: UnsafeBufferPointer<Int16>) {
        guard let source = samples.baseAddress else { return }
        let t = tail.load(ordering: .relaxed)
        let free = capacity - (t &- head.load(ordering: .acquiring))
        let n = min(free, samples.count)
        if n < samples.count { lost.wrappingAdd(samples.count - n, ordering: .relaxed) }
        guard n > 0 else { return }
        let at = Int(UInt(bitPattern: t) % UInt(capacity))
        let first = min(n, capacity - at)
        (memory + at).update(from: source, count: first)
        if n > first { memory.update(from: source + first, count: n - first) }
        tail.store(t &+ n, ordering: .releasing)
    }

    /// The drain's side: hands over what is there, in up to two pieces.
    public func drain(_ body: (UnsafeBufferPointer<Int16>) -> Void) {
        let h = head.load(ordering: .relaxed)
        let n = tail.load(ordering: .acquiring) &- h
        guard n > 0 else { return }
        let at = Int(UInt(bitPattern: h) % UInt(capacity))
        let first = min(n, capacity - at)
        body(UnsafeBufferPointer(start: memory + at, count: first))
        if n > first { body(UnsafeBufferPointer(start: memory, count: n - first)) }
        head.store(h &+ n, ordering: .releasing)
    }
}
