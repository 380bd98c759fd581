import Core
import Foundation
import Synchronization
import Testing

struct PacketRingTests {
    private func pop(_ ring: PacketRing) -> (bytes: [UInt8], stamp: UInt64)? {
        var out: ([UInt8], UInt64)?
        ring.pop { out = (Array($0), $1) }
        return out
    }

    @discardableResult
    private func push(_ ring: PacketRing, _ bytes: [UInt8], stamp: UInt64 = 0) -> Bool { ring.push(bytes.span.bytes, stamp: stamp) }

    @Test func keepsOrderContentAndStamp() {
        let ring = PacketRing(slots: 4, slotBytes: 8)
        #expect(ring.isEmpty && pop(ring) == nil)
        #expect(push(ring, [1, 2, 3], stamp: 77))
        #expect(push(ring, [], stamp: 78))
        #expect(push(ring, [9, 9, 9, 9, 9, 9, 9, 9], stamp: .max))
        #expect(!ring.isEmpty)
        let first = pop(ring)
        #expect(first?.bytes == [1, 2, 3] && first?.stamp == 77)
        let second = pop(ring)
        #expect(second?.bytes == [] && second?.stamp == 78)
        let third = pop(ring)
        #expect(third?.bytes == [UInt8](repeating: 9, count: 8) && third?.stamp == .max)
        #expect(ring.isEmpty && ring.refusedCount == 0)
    }

    @Test func fullRefusesTheNewestAndCounts() {
        let ring = PacketRing(slots: 3, slotBytes: 4)
        for i in 0..<5 as Range<UInt8> { #expect(push(ring, [i]) == (i < 3)) }
        #expect(ring.refusedCount == 2)
        #expect(pop(ring)?.bytes == [0])
        #expect(push(ring, [7]))
        #expect([pop(ring)?.bytes, pop(ring)?.bytes, pop(ring)?.bytes, pop(ring)?.bytes] == [[1], [2], [7], nil])
    }

    @Test func refusesWhatDoesNotFit() {
        let ring = PacketRing(slots: 2, slotBytes: 4)
        #expect(!push(ring, [1, 2, 3, 4, 5]))
        #expect(!ring.push { _ in 5 })
        #expect(!ring.push { _ in -1 })
        #expect(ring.refusedCount == 3 && ring.isEmpty)
        #expect(
            ring.push { slot in
                slot.copyBytes(from: [6, 5])
                return slot.count == 4 ? 2 : 0
            })
        #expect(pop(ring)?.bytes == [6, 5])
    }

    @Test func absurdSizesAreRaised() {
        let ring = PacketRing(slots: 0, slotBytes: 0)
        #expect(ring.slotCount == 2 && ring.slotBytes == 1)
        #expect(push(ring, [1]) && push(ring, [2]) && !push(ring, [3]))
    }

    @Test(arguments: [2, 3, 7, 64])
    func wrapsAround(slots: Int) {
        let ring = PacketRing(slots: slots, slotBytes: 2)
        var written: UInt16 = 0
        var read: UInt16 = 0
        var wrong = 0
        for round in 0..<1000 {
            for _ in 0..<(round % slots + 1) where ring.push([UInt8(written >> 8), UInt8(written & 255)].span.bytes, stamp: UInt64(written)) {
                written &+= 1
            }
            for _ in 0..<(round % 3 + 1) {
                guard let packet = pop(ring) else { break }
                if packet.bytes != [UInt8(read >> 8), UInt8(read & 255)] || packet.stamp != UInt64(read) { wrong += 1 }
                read &+= 1
            }
        }
        #expect(wrong == 0)
        #expect(read > 500)
    }

    /// A real producer and a real consumer; every packet's length, bytes and stamp are checked.
    @Test(.timeLimit(.minutes(5)), arguments: [2, 7])
    func twoThreadsPassTwoHundredThousandPackets(slots: Int) async {
        let ring = PacketRing(slots: slots, slotBytes: 40)
        let total: UInt32 = 200_000
        Thread.detachNewThread {
            var next: UInt32 = 0
            var idle = Idle()
            while next < total {
                let pushed = ring.push(stamp: UInt64(next) &* 3) { slot in
                    let length = PacketRingTests.length(next)
                    for i in 0..<length { slot[i] = PacketRingTests.byte(next, i) }
                    return length
                }
                if pushed { next += 1 } else { idle.wait() }
            }
        }
        let wrong = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var next: UInt32 = 0
                var wrong = 0
                var idle = Idle()
                while next < total {
                    let popped = ring.pop { bytes, stamp in
                        var isRight = stamp == UInt64(next) &* 3 && bytes.count == PacketRingTests.length(next)
                        for i in 0..<bytes.count where bytes[i] != PacketRingTests.byte(next, i) { isRight = false }
                        if !isRight { wrong += 1 }
                        next += 1
                    }
                    if !popped { idle.wait() }
                }
                continuation.resume(returning: wrong)
            }
        }
        #expect(wrong == 0)
        #expect(ring.isEmpty)
    }

    /// Mostly spins, so that the other side is met in the middle of its work; gives the processor away now and then.
    private struct Idle {
        private var spins = 0
        mutating func wait() {
            spins += 1
            if spins % 200 == 0 { sched_yield() }
        }
    }

    private static func length(_ packet: UInt32) -> Int { Int(packet % 37) + 4 }
    private static func byte(_ packet: UInt32, _ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (packet &* 2_654_435_761) >> 11) &+ UInt8(truncatingIfNeeded: index &* 7)
    }
}
