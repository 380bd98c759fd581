import Core

/// Puts the pieces of VP8 frames together (RFC 7741 §4): packets in by sequence number, frames out, in order and decodable: the first is a key
/// frame, and after a loss that is not repaired the next one is a key frame again.
struct VP8Reassembly: Sendable {
    enum Output: Sendable, Equatable {
        case frame(VP8Frame)
        /// Nothing can be decoded before the next key frame.
        case keyFrameNeeded
    }

    /// Pieces held at most, and their bytes.
    static let capacity = 2048
    static let byteCapacity = 8 << 20
    static let maximumFrameBytes = 4 << 20
    /// Pixels of the largest frame that is taken: 1920×1200.
    static let maximumPixels = 1920 * 1200

    /// Pieces kept while a key frame is sought.
    private static let lookBack = 128

    private struct Piece: Sendable {
        var data: [UInt8]
        var timestamp: UInt32
        var marker: Bool
        var startsFrame: Bool
        var isKeyFrame: Bool
        /// Padding: a number and nothing else.
        var isEmpty: Bool { data.isEmpty }
    }

    /// How long a missing piece is waited for once later ones are there.
    var patience: Duration

    private var pieces: [Int64: Piece] = [:]
    private var bytesHeld = 0
    /// Where the next frame begins; nil before the first packet.
    private var next: Int64?
    /// The first number that was not looked at yet, of the frame that begins at `next`.
    private var cursor: Int64 = 0
    private var highest: Int64 = .min
    private var frameBytes = 0
    /// The first missing number that later ones wait for, and since when.
    private var gap: (at: Int64, since: Instant)?
    private var needsKeyFrame = true
    /// No key frame was there since the numbers began: what was sent first may come a little later.
    private var isBeginning = true
    /// It was told.
    private var hasAsked = false
    private var outputs: [Output] = []

    private(set) var framesReceived = 0
    private(set) var keyFramesReceived = 0
    private(set) var framesDropped = 0
    private(set) var packetsDiscarded = 0
    /// Pixels, of the newest key frame.
    private(set) var width: Int?
    private(set) var height: Int?

    init(patience: Duration) { self.patience = patience }

    /// When waiting for a missing piece ends.
    var deadline: Instant? { gap.map { $0.since + patience } }

    mutating func poll() -> Output? { outputs.isEmpty ? nil : outputs.removeFirst() }

    /// Whether this number is not needed any more, or is there.
    func has(_ sequence: Int64) -> Bool { isPast(sequence) || pieces[sequence] != nil }

    private func isPast(_ sequence: Int64) -> Bool {
        guard let next, sequence < next else { return false }
        return !isBeginning || next - sequence > Int64(Self.lookBack)
    }

    /// Numbers below it are not waited for.
    var floor: Int64? { next }

    /// - Parameter sequence: extended, without wraps.
    /// - Returns: whether it was new.
    mutating func receive(_ sequence: Int64, timestamp: UInt32, marker: Bool, payload: RawSpan, at now: Instant) -> Bool {
        guard !has(sequence) else { return false }
        guard let piece = piece(timestamp: timestamp, marker: marker, payload) else {
            packetsDiscarded += 1
            return false
        }
        if pieces.count >= Self.capacity || bytesHeld + piece.data.count > Self.byteCapacity {
            abandon()
            guard !has(sequence) else { return false }
        }
        if next.map({ sequence < $0 }) ?? true {
            next = sequence
            cursor = sequence
        }
        pieces[sequence] = piece
        bytesHeld += piece.data.count
        highest = max(highest, sequence)
        advance(at: now)
        return true
    }

    /// The numbers start anew: nothing that was is waited for.
    mutating func restart() {
        abandon()
        next = nil
        highest = .min
        isBeginning = true
    }

    /// Gives up what is missing when its time is over.
    mutating func handleTimeout(at now: Instant) {
        guard let deadline, deadline <= now else { return }
        lose()
        advance(at: now)
    }

    private func piece(timestamp: UInt32, marker: Bool, _ payload: RawSpan) -> Piece? {
        if payload.byteCount == 0 {
            return Piece(data: [], timestamp: timestamp, marker: false, startsFrame: false, isKeyFrame: false)
        }
        guard let descriptor = try? VP8Descriptor(payload),
            let data = payload.copy(at: descriptor.length, count: payload.byteCount - descriptor.length)
        else { return nil }
        let starts = descriptor.startsFrame
        var isKeyFrame = false
        if starts {
            guard let header = VP8PayloadHeader(payload, at: descriptor.length) else { return nil }
            isKeyFrame = header.isKeyFrame
            if isKeyFrame {
                guard let width = header.width, let height = header.height, width > 0, height > 0, width * height <= Self.maximumPixels else {
                    return nil
                }
            }
        }
        return Piece(data: data, timestamp: timestamp, marker: marker, startsFrame: starts, isKeyFrame: isKeyFrame)
    }

    // MARK: frames

    private mutating func advance(at now: Instant) {
        while let start = next {
            if needsKeyFrame, !seekKeyFrame() { break }
            guard let piece = pieces[cursor] else { break }
            let begins = cursor == (next ?? start)
            if piece.isEmpty {
                cursor += 1
                if begins { drop(before: cursor) }
                continue
            }
            if !begins, piece.startsFrame, pieces[start]?.timestamp != piece.timestamp {
                // The marker is missing, but nothing else.
                deliver()
                continue
            }
            if begins != piece.startsFrame {
                // What has no beginning, or two, is no frame.
                framesDropped += 1
                lose()
                continue
            }
            frameBytes += piece.data.count
            cursor += 1
            guard frameBytes <= Self.maximumFrameBytes else {
                packetsDiscarded += 1
                lose()
                continue
            }
            if piece.marker { deliver() }
        }
        let isWaiting = !needsKeyFrame && highest >= cursor && pieces[cursor] == nil
        if !isWaiting { gap = nil } else if gap?.at != cursor { gap = (cursor, now) }
    }

    private mutating func deliver() {
        guard let start = next, let first = pieces[start] else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(frameBytes)
        for sequence in start..<cursor { if let piece = pieces[sequence] { bytes += piece.data } }
        framesReceived += 1
        if first.isKeyFrame {
            keyFramesReceived += 1
            bytes.withUnsafeBytes { raw in
                guard let header = VP8PayloadHeader(raw.bytes, at: 0) else { return }
                (width, height) = (header.width, header.height)
            }
        }
        outputs.append(.frame(VP8Frame(bytes: bytes, timestamp: first.timestamp, isKeyFrame: first.isKeyFrame)))
        drop(before: cursor)
        gap = nil
    }

    /// Goes to the first key frame that is there. False when there is none.
    private mutating func seekKeyFrame() -> Bool {
        let found = pieces.lazy.filter { $0.value.isKeyFrame }.map(\.key).min()
        guard let found else {
            ask()
            // The beginning of a key frame may still come, a little out of order.
            if pieces.count > Self.lookBack * 2 { drop(before: highest - Int64(Self.lookBack)) }
            return false
        }
        drop(before: found)
        needsKeyFrame = false
        isBeginning = false
        hasAsked = false
        return true
    }

    /// What is missing will not come: on with the next key frame.
    private mutating func lose() {
        gap = nil
        needsKeyFrame = true
        // The frame that is torn must not be found again.
        if let start = next { drop(before: max(start + 1, min(cursor, highest + 1))) }
        ask()
    }

    private mutating func ask() {
        guard !hasAsked else { return }
        hasAsked = true
        outputs.append(.keyFrameNeeded)
    }

    private mutating func drop(before sequence: Int64) {
        if pieces.count > 4 * Int(clamping: max(1, sequence - (next ?? sequence))) {
            for old in (next ?? sequence)..<max(sequence, next ?? sequence) { remove(old) }
        } else {
            for old in pieces.keys where old < sequence { remove(old) }
        }
        next = sequence
        cursor = sequence
        frameBytes = 0
    }

    private mutating func remove(_ sequence: Int64) {
        guard let piece = pieces.removeValue(forKey: sequence) else { return }
        bytesHeld -= piece.data.count
        if needsKeyFrame, piece.marker { framesDropped += 1 }
    }

    private mutating func abandon() {
        pieces.removeAll(keepingCapacity: true)
        bytesHeld = 0
        frameBytes = 0
        gap = nil
        if highest != .min {
            next = highest + 1
            cursor = highest + 1
        }
        needsKeyFrame = true
        hasAsked = false
        ask()
    }
}
