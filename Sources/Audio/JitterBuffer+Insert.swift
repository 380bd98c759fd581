import Core

extension JitterBuffer {
    /// One received packet. Its timestamp and `duration` count samples in `clockRate`; `redundancy`: it carries a copy of the frame before it.
    public func insert(
        _ header: AudioPacketHeader, payload: UnsafeRawBufferPointer, duration: Int, redundancy: Bool = false, arrival: Instant
    ) {
        guard duration > 0, payload.count <= Self.slotBytes else {
            counters.discarded &+= 1
            return
        }
        guard let (sequence, timestamp) = unwrap(header) else { return }
        let transit = Int64(truncatingIfNeeded: arrival.nanoseconds) &- nanoseconds(timestamp)
        if let base = estimator.base, (transit &- base).magnitude > 1_000_000_000 {
            // The sender's timestamps no longer follow the clock that they followed: a new beginning.
            counters.restarts &+= 1
            restart()
        }
        if case .idle = state, concealed > 0, sequence == lastSequence + 1, timestamp == play { estimator.reset() }
        estimator.add(transit)
        switch state {
        case .idle: state = .buffering(since: arrival)
        case .buffering: break
        case .playing:
            if timestamp + Int64(duration) <= play {
                counters.late &+= 1
                return
            }
        }
        let index = freeSlot()
        if let source = payload.baseAddress {
            (memory + index * Self.slotBytes).copyMemory(from: source, byteCount: payload.count)
        }
        slots[index] = Slot(
            used: true, sequence: sequence, timestamp: timestamp, duration: duration, arrival: arrival, length: payload.count,
            payloadType: header.payloadType, redundancy: redundancy)
    }

    /// Extended sequence number and timestamp; nil when the packet is a duplicate, too old or the first of a possible restart.
    private func unwrap(_ header: AudioPacketHeader) -> (sequence: Int64, timestamp: Int64)? {
        guard var known = stream, known.ssrc == header.ssrc else { return begin(header) }
        let delta = Int64(Int16(bitPattern: header.sequence &- UInt16(truncatingIfNeeded: known.highestSequence)))
        let ticks = Int64(Int32(bitPattern: header.timestamp &- UInt32(truncatingIfNeeded: known.highestTimestamp)))
        let limit = Int64(clockRate) * 60
        // RFC 3550 §A.1: MAX_DROPOUT is 3000, MAX_MISORDER 100.
        if delta > 3000 || delta < -100 || ticks.magnitude > UInt64(limit) || (delta > 0 && ticks <= 0) {
            // One stray packet changes nothing; two in a row are a restart (RFC 3550 §A.1).
            if known.expectedRestart == header.sequence { return begin(header) }
            known.expectedRestart = header.sequence &+ 1
            stream = known
            counters.discarded &+= 1
            return nil
        }
        known.expectedRestart = nil
        if delta > 0 {
            known.seen = delta < 64 ? known.seen << UInt64(delta) | 1 : 1
            known.highestSequence += delta
            known.highestTimestamp += ticks
            stream = known
            return (known.highestSequence, known.highestTimestamp)
        }
        defer { stream = known }
        guard delta > -64 else {
            counters.late &+= 1
            return nil
        }
        let bit = UInt64(1) << UInt64(-delta)
        guard known.seen & bit == 0, ticks <= 0 else {
            counters.discarded &+= 1
            return nil
        }
        known.seen |= bit
        return (known.highestSequence + delta, known.highestTimestamp + ticks)
    }

    private func begin(_ header: AudioPacketHeader) -> (sequence: Int64, timestamp: Int64) {
        if stream != nil {
            counters.restarts &+= 1
            restart()
        }
        let sequence = Int64(header.sequence) + 65536
        let timestamp = Int64(header.timestamp) + (1 << 32)
        stream = Identity(ssrc: header.ssrc, highestSequence: sequence, highestTimestamp: timestamp)
        return (sequence, timestamp)
    }

    private func freeSlot() -> Int {
        for i in 0..<Self.slotCount where !slots[i].used { return i }
        counters.discarded &+= 1
        return oldest() ?? 0
    }
}
