import Synchronization

/// Single producer, single consumer, fixed memory: how packets cross between the loop and the audio thread.
///
/// Neither side blocks, locks or allocates. A full ring refuses the newest packet and counts it.
public final class PacketRing: @unchecked Sendable {
    public let slotCount: Int
    public let slotBytes: Int
    private let memory: UnsafeMutableRawPointer
    private let lengths: UnsafeMutablePointer<Int>
    private let stamps: UnsafeMutablePointer<UInt64>
    private let head = Atomic<Int>(0)  // next to read; the consumer's
    private let tail = Atomic<Int>(0)  // next to write; the producer's
    private let refused = Atomic<Int>(0)

    /// - Parameters: slots: packets held at most; slotBytes: the largest packet, in bytes.
    public init(slots: Int = 64, slotBytes: Int = 1536) {
        slotCount = max(2, slots)
        self.slotBytes = max(1, slotBytes)
        memory = .allocate(byteCount: slotCount * self.slotBytes, alignment: 16)
        lengths = .allocate(capacity: slotCount)
        stamps = .allocate(capacity: slotCount)
        lengths.initialize(repeating: 0, count: slotCount)
        stamps.initialize(repeating: 0, count: slotCount)
    }

    deinit {
        memory.deallocate()
        lengths.deallocate()
        stamps.deallocate()
    }

    /// Packets refused because the ring was full or they were too large.
    public var refusedCount: Int { refused.load(ordering: .relaxed) }
    public var isEmpty: Bool { head.load(ordering: .acquiring) == tail.load(ordering: .acquiring) }

    /// Producer only. `fill` writes into the slot and returns the length. `stamp` travels along (e.g. arrival time in ns).
    @discardableResult
    public func push(stamp: UInt64 = 0, _ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Bool {
        let t = tail.load(ordering: .relaxed)
        guard t &- head.load(ordering: .acquiring) < slotCount else {
            refused.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        let slot = Int(UInt(bitPattern: t) % UInt(slotCount))
        let length = fill(UnsafeMutableRawBufferPointer(start: memory + slot * slotBytes, count: slotBytes))
        guard length >= 0, length <= slotBytes else {
            refused.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        lengths[slot] = length
        stamps[slot] = stamp
        tail.store(t &+ 1, ordering: .releasing)
        return true
    }

    /// Producer only: copies the bytes.
    @discardableResult
    public func push(_ bytes: RawSpan, stamp: UInt64 = 0) -> Bool {
        guard bytes.byteCount <= slotBytes else {
            refused.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        return bytes.withUnsafeBytes { source in
            push(stamp: stamp) { slot in
                slot.copyMemory(from: source)
                return source.count
            }
        }
    }

    /// Consumer only: hands the oldest packet to `body` and frees its slot. False when the ring is empty.
    @discardableResult
    public func pop(_ body: (UnsafeRawBufferPointer, _ stamp: UInt64) -> Void) -> Bool {
        let h = head.load(ordering: .relaxed)
        guard h != tail.load(ordering: .acquiring) else { return false }
        let slot = Int(UInt(bitPattern: h) % UInt(slotCount))
        body(UnsafeRawBufferPointer(start: memory + slot * slotBytes, count: lengths[slot]), stamps[slot])
        head.store(h &+ 1, ordering: .releasing)
        return true
    }
}
