/// Samples between a codec's frames and the 20 ms tick. Belongs to one thread; fixed memory.
final class SampleFIFO {
    private let memory: UnsafeMutablePointer<Int16>
    let capacity: Int
    private(set) var count = 0
    private var start = 0

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        memory = .allocate(capacity: self.capacity)
        memory.initialize(repeating: 0, count: self.capacity)
    }

    deinit { memory.deallocate() }

    func removeAll() {
        count = 0
        start = 0
    }

    /// Appends what fits and returns the number of samples that did.
    @discardableResult
    func append(_ samples: UnsafeBufferPointer<Int16>) -> Int {
        let n = min(samples.count, capacity - count)
        guard n > 0, let source = samples.baseAddress else { return 0 }
        let at = (start + count) % capacity
        let first = min(n, capacity - at)
        (memory + at).update(from: source, count: first)
        if n > first { memory.update(from: source + first, count: n - first) }
        count += n
        return n
    }

    /// Moves up to `output.count` samples out; returns how many.
    @discardableResult
    func take(into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        let n = min(output.count, count)
        guard n > 0, let target = output.baseAddress else { return 0 }
        let first = min(n, capacity - start)
        target.update(from: memory + start, count: first)
        if n > first { (target + first).update(from: memory, count: n - first) }
        drop(n)
        return n
    }

    func drop(_ n: Int) {
        let dropped = min(max(0, n), count)
        start = (start + dropped) % capacity
        count -= dropped
    }
}
