import Core

/// Packets of another session that go out in this one's stream.
extension RTPSession {
    /// The numbers of a packet of another session in our stream; nil when it comes too late to have any.
    public mutating func relayed(
        sequence: UInt16, timestamp: UInt32, ssrc: UInt32, clockRate: UInt32, at now: Instant
    ) -> (sequence: UInt16, timestamp: UInt32)? {
        relay.pass(
            sequence: sequence, timestamp: timestamp, ssrc: ssrc, clockRate: clockRate, after: lastSent, upcoming: outbound.upcoming, at: now)
    }

    /// A packet of that session that is not sent: its number is not missed.
    public mutating func relaySwallows(_ sequence: UInt16, ssrc: UInt32) { relay.swallow(sequence, ssrc: ssrc) }

    /// Our random offset: what `relayed` gives, minus this, is media time as `writeHeader` takes it.
    public var timestampOffset: UInt32 { outbound.upcoming.timestampOffset }

    /// Writes the header of a packet under these numbers, extensions included, and counts the packet.
    /// - Parameter timestamp: as `relayed` gave it.
    /// - Returns: bytes written; nil when the buffer is smaller than `maximumHeaderLength`.
    public mutating func writeRelayedHeader(
        payloadType: UInt8, payloadLength: Int, sequence: UInt16, timestamp: UInt32, marker: Bool,
        into buffer: UnsafeMutableRawBufferPointer, at now: Instant
    ) -> Int? {
        guard buffer.count >= Self.maximumHeaderLength else { return nil }
        reports.handle(.joined, at: now)
        let header = outbound.forwardedHeader(
            payloadType: payloadType, payloadLength: payloadLength, sequence: sequence, timestamp: timestamp, marker: marker,
            clockRate: configuration.mediaClock(of: payloadType), at: now)
        if lastSent.map({ sequence.isNewerSequence(than: $0.sequence) }) ?? true {
            lastSent = VP8Forwarder.Sent(sequence: sequence, timestamp: timestamp, at: now)
        }
        isRelaying = true
        return write(header, transportNumber: { $0.takeTransportNumber() }, into: buffer).length
    }

    /// Whose frames come next count from 0 again: the stream's clock goes on.
    public mutating func ownClockRestarts() { isRelaying = true }

    /// What the stream's clock, minus its random offset, is ahead of the media time of our own frames.
    /// - Parameter timestamp: media time of the frame that is sent now, of this payload type.
    public mutating func ownClockShift(_ timestamp: UInt32, payloadType: UInt8, at now: Instant) -> UInt32 {
        _ = ownTimestamp(timestamp, clockRate: configuration.mediaClock(of: payloadType), at: now)
        return ownShift
    }

    /// Media time of our own frames after packets of another session: the clock goes on.
    mutating func ownTimestamp(_ timestamp: UInt32, clockRate: UInt32?, at now: Instant) -> UInt32 {
        if isRelaying, let clockRate {
            isRelaying = false
            relay.interrupt()
            if let lastSent {
                let frame = Int64(clockRate / 50)
                let passed = Int64((now - lastSent.at).inSeconds * Double(clockRate))
                let next = lastSent.timestamp &+ UInt32(truncatingIfNeeded: max(frame, passed / max(1, frame) * frame))
                ownShift = next &- outbound.upcoming.timestampOffset &- timestamp
            }
        }
        return timestamp &+ ownShift
    }
}
