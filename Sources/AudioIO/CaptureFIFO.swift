/// Captured samples on their way to the tick when the playback device sets the pace: takes up the difference of two clocks.
final class CaptureFIFO {
    /// Waits for a small reserve before it gives the first frame, also after it ran dry.
    private enum State {
        case filling
        case flowing
    }
    private let memory: UnsafeMutablePointer<Int16>
    private var state = State.filling
    private(set) var count = 0
    private static let capacity = 9600
    private static let reserve = 960 + 240
    /// Above 60 ms the oldest samples are dropped, down to the reserve.
    private static let most = 2880 + 960

    init() {
        memory = .allocate(capacity: Self.capacity)
        memory.initialize(repeating: 0, count: Self.capacity)
    }

    deinit { memory.deallocate() }

    func removeAll() {
        count = 0
        state = .filling
    }

    func append(_ samples: UnsafeBufferPointer<Int16>) {
        guard let source = samples.baseAddress, samples.count <= Self.capacity else { return }
        if count + samples.count > Self.capacity { drop(count + samples.count - Self.capacity) }
        (memory + count).update(from: source, count: samples.count)
        count += samples.count
        if count > Self.most { drop(count - Self.reserve) }
    }

    /// Whether `take` would give a tick's 960 samples now.
    var isReady: Bool {
        switch state {
        case .filling: count >= Self.reserve
        case .flowing: count >= 960
        }
    }

    /// Fills `output` (960 samples) whole, or not at all.
    func take(into output: UnsafeMutableBufferPointer<Int16>) -> Bool {
        guard let target = output.baseAddress, isReady, output.count <= 960 else {
            state = .filling
            return false
        }
        state = .flowing
        target.update(from: memory, count: output.count)
        drop(output.count)
        return true
    }

    private func drop(_ n: Int) {
        let dropped = min(max(0, n), count)
        memory.update(from: memory + dropped, count: count - dropped)
        count -= dropped
    }
}
