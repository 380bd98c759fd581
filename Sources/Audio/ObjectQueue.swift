import Synchronization

/// Single producer, single consumer queue of objects. Neither side blocks, locks or allocates.
///
/// An object's reference moves through the queue: the consumer of `pop` owns it.
final class ObjectQueue<Element: AnyObject>: @unchecked Sendable {
    private let capacity: Int
    private let slots: UnsafeMutablePointer<Unmanaged<Element>?>
    private let head = Atomic<Int>(0)
    private let tail = Atomic<Int>(0)

    init(capacity: Int) {
        self.capacity = max(2, capacity)
        slots = .allocate(capacity: self.capacity)
        slots.initialize(repeating: nil, count: self.capacity)
    }

    deinit {
        while pop() != nil {}
        slots.deallocate()
    }

    var isEmpty: Bool { head.load(ordering: .acquiring) == tail.load(ordering: .acquiring) }

    /// Producer only. False when full.
    func push(_ element: Element) -> Bool {
        let t = tail.load(ordering: .relaxed)
        guard t &- head.load(ordering: .acquiring) < capacity else { return false }
        slots[Int(UInt(bitPattern: t) % UInt(capacity))] = Unmanaged.passRetained(element)
        tail.store(t &+ 1, ordering: .releasing)
        return true
    }

    /// Consumer only.
    func pop() -> Element? {
        let h = head.load(ordering: .relaxed)
        guard h != tail.load(ordering: .acquiring) else { return nil }
        let index = Int(UInt(bitPattern: h) % UInt(capacity))
        let element = slots[index]?.takeRetainedValue()
        slots[index] = nil
        head.store(h &+ 1, ordering: .releasing)
        return element
    }
}
