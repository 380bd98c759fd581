import Core

/// Numbers for packets of other sources that go out as one stream of ours: sequence numbers, timestamps, picture ids and TL0PICIDX go on over a
/// switch of source, gaps stay gaps, and the VP8 data is not touched.
struct VP8Forwarder: Sendable {
    /// A source: whose packets they are, and under which SSRC.
    struct Source: Hashable, Sendable {
        var id: UInt64
        var ssrc: UInt32
    }

    struct Forwarded: Equatable, Sendable {
        var sequenceNumber: UInt16
        var timestamp: UInt32
        var payload: [UInt8]
    }

    /// What left last, by whatever way.
    struct Sent: Sendable {
        var sequence: UInt16
        var timestamp: UInt32
        var at: Instant
    }

    private struct Mapping: Sendable {
        var source: Source
        var unwrapper: SequenceUnwrapper
        /// The source's first number that is passed on.
        var first: Int64
        var sequenceDelta: UInt16
        var timestampDelta: UInt32
        var pictureDelta: UInt16
        var levelZeroDelta: UInt8
    }

    private var mapping: Mapping?
    /// Of what left: the newest.
    private(set) var pictureID: UInt16?
    private var levelZeroIndex: UInt8?
    /// The source that was asked for a key frame, so that it is asked once.
    private(set) var wants: Source?

    /// Our own packets went out since: the next packet of a source begins anew.
    mutating func interrupt(pictureID: UInt16) {
        mapping = nil
        self.pictureID = pictureID
    }

    /// The source is left out for a while: its next packet begins anew.
    mutating func stop() {
        mapping = nil
        wants = nil
    }

    /// - Parameter upcoming: the numbers of our stream's next packet when nothing has left yet.
    /// - Returns: nil while the source has not begun a key frame since it became the source; `needsKeyFrame` then tells that it was not asked before.
    mutating func forward(
        _ packet: VideoPacket, from id: UInt64, after sent: Sent?, upcoming: (sequence: UInt16, timestamp: UInt32), at now: Instant
    ) -> (packet: Forwarded?, needsKeyFrame: Bool) {
        let source = Source(id: id, ssrc: packet.ssrc)
        if let current = mapping, let highest = current.unwrapper.highest {
            let step = Int64(Int16(bitPattern: packet.sequenceNumber &- UInt16(truncatingIfNeeded: highest)))
            // The source's numbers start anew: by then its receiver has believed it. What is sent again may be older.
            let isNewStart = step >= Int64(SequenceWindow.maximumDropout) || step <= -Int64(SequenceWindow.maximumMisorder)
            if current.source == source, isNewStart, !packet.isRetransmission { mapping = nil }
        }
        if mapping?.source != source {
            guard packet.startsKeyFrame else {
                defer { wants = source }
                return (nil, wants != source)
            }
            begin(source, with: packet, after: sent, upcoming: upcoming, at: now)
            wants = nil
        }
        // What came before the key frame has no place: its numbers belong to the source before.
        guard let extended = mapping?.unwrapper.unwrap(packet.sequenceNumber), let current = mapping, extended >= current.first else {
            return (nil, false)
        }
        var payload = packet.payload
        rewrite(&payload, current)
        return (
            Forwarded(
                sequenceNumber: packet.sequenceNumber &+ current.sequenceDelta, timestamp: packet.timestamp &+ current.timestampDelta,
                payload: payload),
            false
        )
    }

    private mutating func begin(
        _ source: Source, with packet: VideoPacket, after sent: Sent?, upcoming: (sequence: UInt16, timestamp: UInt32), at now: Instant
    ) {
        var unwrapper = SequenceUnwrapper()
        let first = unwrapper.unwrap(packet.sequenceNumber)
        let descriptor = packet.payload.withUnsafeBytes { try? VP8Descriptor($0.bytes) }
        let timestamp: UInt32
        if let sent {
            // The time that went by, and one frame at least.
            let passed = max(3000, Int64((now - sent.at).inSeconds * 90_000))
            timestamp = sent.timestamp &+ UInt32(truncatingIfNeeded: passed)
        } else {
            timestamp = upcoming.timestamp
        }
        let sequence = sent.map { $0.sequence &+ 1 } ?? upcoming.sequence
        let pictures: UInt16 = descriptor?.pictureID.flatMap { theirs in pictureID.map { $0 &+ 1 &- theirs } } ?? 0
        let levels: UInt8 = descriptor?.temporalLevelZeroIndex.flatMap { theirs in levelZeroIndex.map { $0 &+ 1 &- theirs } } ?? 0
        mapping = Mapping(
            source: source, unwrapper: unwrapper, first: first, sequenceDelta: sequence &- packet.sequenceNumber,
            timestampDelta: timestamp &- packet.timestamp, pictureDelta: pictures, levelZeroDelta: levels)
    }

    /// Picture id and TL0PICIDX in place, in the width that they have (RFC 7741 §4.2).
    private mutating func rewrite(_ payload: inout [UInt8], _ mapping: Mapping) {
        guard payload.count > 2, payload[0] & 0x80 != 0 else { return }
        let flags = payload[1]
        var offset = 2
        if flags & 0x80 != 0 {
            if payload[offset] & 0x80 != 0 {
                guard payload.count > offset + 1 else { return }
                let id = (UInt16(payload[offset] & 0x7F) << 8 | UInt16(payload[offset + 1])) &+ mapping.pictureDelta
                payload[offset] = 0x80 | UInt8(truncatingIfNeeded: id >> 8)
                payload[offset + 1] = UInt8(truncatingIfNeeded: id)
                note(picture: id & 0x7FFF, modulus: 0x7FFF)
                offset += 2
            } else {
                let id = (UInt16(payload[offset]) &+ mapping.pictureDelta) & 0x7F
                payload[offset] = UInt8(truncatingIfNeeded: id)
                note(picture: id, modulus: 0x7F)
                offset += 1
            }
        }
        guard flags & 0x40 != 0, payload.count > offset else { return }
        payload[offset] &+= mapping.levelZeroDelta
        let level = payload[offset]
        if levelZeroIndex.map({ Int8(bitPattern: level &- $0) > 0 }) ?? true { levelZeroIndex = level }
    }

    private mutating func note(picture id: UInt16, modulus: UInt16) {
        guard let old = pictureID else {
            pictureID = id
            return
        }
        // Newer by less than half of the circle.
        let step = (id &- old) & modulus
        if step != 0, step <= modulus / 2 { pictureID = id }
    }
}
