import Core

/// Puts received packets into order and decides, frame by frame, what to play. Adaptive; fixed memory; no clock of its own.
///
/// Play-out follows RTP timestamps. Concealment does not move the place of play: a packet that comes late is still played (the delay grows
/// by as much as was concealed), and when a later packet is at hand the gap before it is filled by exactly its length (the delay stays).
/// `adjustment` then tells when to stretch or compress so that the delay comes back to the target.
public final class JitterBuffer {
    /// What to put out next; counts are samples in `clockRate`.
    public enum Decision: Equatable, Sendable {
        /// Nothing was received yet, or nothing for a second.
        case silence
        /// Decode this slot's payload.
        case packet(slot: Int)
        /// Restore the `count` samples before this slot's packet from the copy inside it; the packet stays.
        case redundancy(slot: Int, count: Int)
        /// Lost or late.
        case conceal(count: Int)
        /// The sender paused (discontinuous transmission): nothing was lost.
        case comfort(count: Int)
    }

    public enum Adjustment: Equatable, Sendable {
        case none
        case compress(urgent: Bool)
        case expand
    }

    struct Slot {
        var used = false
        var sequence: Int64 = 0
        var timestamp: Int64 = 0
        var duration = 0
        var arrival = Instant.zero
        var length = 0
        var payloadType: UInt8 = 0
        var redundancy = false
    }

    enum State {
        /// No packet of this stream yet, or none for a second.
        case idle
        /// Since the arrival of the oldest packet.
        case buffering(since: Instant)
        case playing
    }

    public struct Counters: Equatable, Sendable {
        /// Came after their time of play.
        public var late: UInt64 = 0
        /// Duplicates, and packets dropped because the buffer was full or the delay over its limit.
        public var discarded: UInt64 = 0
        /// How often sequence numbers, timestamps or SSRC began anew.
        public var restarts: UInt64 = 0
    }

    static let slotBytes = 1500
    static let slotCount = 64
    static let leastDelay: Int64 = 20_000_000
    /// Nanoseconds.
    public static let greatestDelay: Int64 = 500_000_000
    /// Above the measured spread: the tick that plays is never quite on time.
    static let margin: Int64 = 8_000_000

    /// Of the timestamps it is given, and of everything it counts: the decoder's sample rate, which G.722's RTP clock is not.
    public private(set) var clockRate: Int
    public internal(set) var counters = Counters()
    let memory: UnsafeMutableRawPointer
    let slots: UnsafeMutablePointer<Slot>
    var state = State.idle
    var estimator = JitterEstimator()
    var stream: Identity?
    /// The place of play: the timestamp of the next sample wanted from a packet.
    var play: Int64 = 0
    /// Samples put out in place of packets since the last one.
    var concealed = 0
    var lastSequence: Int64 = 0
    var lastDuration = 0
    private var recentLosses = 0
    private var lastAdjustment = Instant.zero
    private var delays = DelayMeter()

    /// What unwraps sequence numbers and timestamps (RFC 3550 §A.1).
    struct Identity {
        var ssrc: UInt32
        var highestSequence: Int64
        var highestTimestamp: Int64
        /// Bit n: highest − n was received.
        var seen: UInt64 = 1
        var expectedRestart: UInt16?
    }

    public init(clockRate: Int = 48000) {
        self.clockRate = max(1, clockRate)
        memory = .allocate(byteCount: Self.slotBytes * Self.slotCount, alignment: 16)
        slots = .allocate(capacity: Self.slotCount)
        slots.initialize(repeating: Slot(), count: Self.slotCount)
        lastDuration = self.clockRate / 50
    }

    deinit {
        estimator.deallocate()
        memory.deallocate()
        slots.deallocate()
    }

    // MARK: What the caller does with a decision

    public func payload(of slot: Int) -> UnsafeRawBufferPointer {
        guard slot >= 0, slot < Self.slotCount else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: memory + slot * Self.slotBytes, count: slots[slot].length)
    }

    public func payloadType(of slot: Int) -> UInt8 { slot >= 0 && slot < Self.slotCount ? slots[slot].payloadType : 0 }
    public func duration(of slot: Int) -> Int { slot >= 0 && slot < Self.slotCount ? slots[slot].duration : 0 }

    /// Tells how many samples were really put out for `.redundancy`, `.conceal` or `.comfort`.
    public func didConceal(_ count: Int) { concealed += max(0, count) }

    // MARK: Figures

    /// Mean time from arrival to play of the last second's packets, milliseconds; nil when none was played.
    public var meanDelayMs: Double? { delays.mean.map { $0 / 1e6 } }

    /// The delay aimed at, behind the fastest packet.
    public var targetDelay: Duration { .nanoseconds(target) }

    var target: Int64 {
        // While packets are being lost, one frame more: the copy of a lost frame lies in the packet after it.
        let extra = recentLosses > 0 ? Int64(min(lastDuration, clockRate / 25)) * 1_000_000_000 / Int64(clockRate) : 0
        return min(Self.greatestDelay, max(Self.leastDelay, estimator.spread + Self.margin) + extra)
    }

    /// The delay of the place of play behind the fastest packet, when `queued` samples are still to be put out before it.
    func currentDelay(at now: Instant, queued: Int) -> Int64 {
        guard let base = estimator.base else { return 0 }
        let due = Int64(truncatingIfNeeded: now.nanoseconds) &+ nanoseconds(Int64(queued))
        return due &- base &- nanoseconds(play)
    }

    func nanoseconds(_ ticks: Int64) -> Int64 {
        let rate = Int64(clockRate)
        return (ticks / rate) &* 1_000_000_000 &+ (ticks % rate) &* 1_000_000_000 / rate
    }

    /// Forgets the stream and starts anew, e.g. for another codec's clock.
    public func reset(clockRate: Int) {
        self.clockRate = max(1, clockRate)
        lastDuration = self.clockRate / 50
        restart()
        stream = nil
    }

    func restart() {
        for i in 0..<Self.slotCount { slots[i].used = false }
        state = .idle
        estimator.reset()
        concealed = 0
        recentLosses = 0
    }

    // MARK: Play-out

    /// Called as often as samples are needed.
    /// - Parameters: queued: samples decoded and not yet put out; needed: how many more this tick needs.
    public func next(at now: Instant, queued: Int, needed: Int) -> Decision {
        switch state {
        case .idle: return .silence
        case .buffering(let since):
            guard let first = oldest() else {
                state = .idle
                return .silence
            }
            // A start at once would leave no room for the next packet to be a little late.
            guard now - since >= .milliseconds(14) else { return .silence }
            play = slots[first].timestamp
            lastSequence = slots[first].sequence - 1
            concealed = 0
            state = .playing
            return take(first, at: now, queued: queued)
        case .playing: return continuePlaying(at: now, queued: queued, needed: needed)
        }
    }

    private func continuePlaying(at now: Instant, queued: Int, needed: Int) -> Decision {
        if currentDelay(at: now, queued: queued) > Self.greatestDelay { skip(at: now, queued: queued) }
        // No more is invented than this tick needs, in whole steps of 10 ms: the missing packet may come before the next one.
        let unit = clockRate / 100
        let step = Int64(max(1, (needed + unit - 1) / unit) * unit)
        guard let first = oldest() else {
            if concealed >= clockRate { state = .idle }
            return .conceal(count: Int(step))
        }
        let slot = slots[first]
        let remaining = slot.timestamp - play - Int64(concealed)
        let waited = (now - slot.arrival).totalNanoseconds
        if remaining <= 0 || waited >= Self.greatestDelay { return take(first, at: now, queued: queued) }
        if slot.sequence == lastSequence + 1 {
            if waited >= target + Self.leastDelay { return take(first, at: now, queued: queued) }
            return .comfort(count: Int(min(remaining, step)))
        }
        recentLosses = 250
        guard slot.redundancy else { return .conceal(count: Int(min(remaining, step))) }
        if remaining <= Int64(slot.duration) { return .redundancy(slot: first, count: Int(remaining)) }
        return .conceal(count: Int(min(remaining - Int64(slot.duration), step)))
    }

    private func take(_ index: Int, at now: Instant, queued: Int) -> Decision {
        let slot = slots[index]
        slots[index].used = false
        play = slot.timestamp + Int64(slot.duration)
        lastSequence = slot.sequence
        lastDuration = slot.duration
        concealed = 0
        recentLosses = max(0, recentLosses - 1)
        delays.add(max(0, Double((now - slot.arrival).totalNanoseconds) + Double(nanoseconds(Int64(queued)))), at: now)
        return .packet(slot: index)
    }

    /// Over the limit: packets are dropped until the delay is at its target.
    private func skip(at now: Instant, queued: Int) {
        while let first = oldest(), currentDelay(at: now, queued: queued) > target {
            guard let second = oldest(after: first) else { break }
            slots[first].used = false
            counters.discarded &+= 1
            play = slots[second].timestamp
            lastSequence = slots[second].sequence - 1
            concealed = 0
        }
    }

    /// To be asked after a packet was decoded into the queue: whether the queue's newest frame should become shorter or longer.
    public func adjustment(at now: Instant, queued: Int) -> Adjustment {
        guard case .playing = state else { return .none }
        // What is left of the frame after this tick is decoded earlier than it is needed: it covers no jitter.
        let left = queued % (clockRate / 50)
        let excess = currentDelay(at: now, queued: queued) - nanoseconds(Int64(left)) - target
        let urgent = excess > 60_000_000
        guard urgent || now - lastAdjustment >= .milliseconds(60) else { return .none }
        if excess > 20_000_000 { return .compress(urgent: urgent) }
        return excess < -5_000_000 ? .expand : .none
    }

    /// The queue's newest frame was stretched or compressed.
    public func didAdjust(at now: Instant) { lastAdjustment = now }

    func oldest(after other: Int? = nil) -> Int? {
        var best: Int?
        for i in 0..<Self.slotCount where slots[i].used && i != other {
            if let b = best, slots[b].sequence <= slots[i].sequence { continue }
            best = i
        }
        return best
    }
}

/// Mean of what was added within the last second, in 100 ms steps. Fixed memory.
struct DelayMeter {
    private var sums = InlineArray<10, Double>(repeating: 0)
    private var counts = InlineArray<10, Int>(repeating: 0)
    private var current: UInt64 = 0

    mutating func add(_ value: Double, at now: Instant) {
        let step = now.nanoseconds / 100_000_000
        if step > current {
            let fresh = min(10, step - current)
            for k in 0..<fresh {
                let index = Int((step - k) % 10)
                sums[index] = 0
                counts[index] = 0
            }
            current = step
        }
        sums[Int(current % 10)] += value
        counts[Int(current % 10)] += 1
    }

    var mean: Double? {
        var sum = 0.0
        var count = 0
        for i in 0..<10 {
            sum += sums[i]
            count += counts[i]
        }
        return count > 0 ? sum / Double(count) : nil
    }
}
