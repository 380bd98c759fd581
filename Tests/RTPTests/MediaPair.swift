import Core
import RTP

/// Two sessions over a lossy, reordering path, in virtual time: real bytes both ways, events in order.
struct MediaPair {
    struct Path {
        /// One way, in ms.
        var delay = 5.0
        /// Added evenly at random: more than a packet's length reorders.
        var jitter = 0.0
        var loss = 0.0
        var duplicates = 0.0
    }

    private struct Delivery {
        var at: Instant
        var isToB: Bool
        var isControl: Bool
        var bytes: [UInt8]
    }

    var a: RTPSession
    var b: RTPSession
    var now: Instant
    var path: Path
    var random: RandomSource
    /// What `a` sends, in ms of its own clock; what a tick of its media clock is worth in real time.
    var drift = 0.0
    var isSending = (a: true, b: true)
    var payloadType: UInt8 = 0
    var unitsPerPacket: UInt32 = 160
    /// Sent by `a`, and delivered to `b`, copies not counted.
    private(set) var sent = 0
    private(set) var delivered = 0
    private(set) var played = 0
    /// What `b` made of packets it did not simply accept.
    private(set) var oddities: [RTPReception] = []
    private(set) var control: (fromA: [(at: Instant, bytes: [UInt8])], fromB: [(at: Instant, bytes: [UInt8])]) = ([], [])
    private(set) var outputs: (a: [RTPSession.Output], b: [RTPSession.Output]) = ([], [])
    private var queue: [Delivery] = []
    private var media: UInt32 = 0
    private var nextPacket: Instant

    init(_ a: RTPSession, _ b: RTPSession, path: Path = Path(), seed: UInt64 = 1, start: Instant = .zero) {
        self.a = a
        self.b = b
        self.path = path
        random = RandomSource(seed: seed)
        now = start
        nextPacket = start
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        while true {
            var next = nextPacket
            if let first = queue.last?.at { next = min(next, first) }
            if let deadline = a.deadline { next = min(next, max(deadline, now)) }
            if let deadline = b.deadline { next = min(next, max(deadline, now)) }
            guard next < end else { break }
            now = next
            while let first = queue.last, first.at <= now {
                queue.removeLast()
                deliver(first)
            }
            if nextPacket <= now { sendMedia() }
            a.handleTimeout(at: now)
            b.handleTimeout(at: now)
            drain()
        }
        now = end
    }

    private mutating func sendMedia() {
        if isSending.a {
            let bytes = packet(of: &a, payloadType: payloadType, timestamp: media, at: now)
            transmit(bytes, isToB: true, isControl: false)
            sent += 1
        }
        if isSending.b {
            let bytes = packet(of: &b, payloadType: payloadType, timestamp: media, at: now)
            transmit(bytes, isToB: false, isControl: false)
        }
        media &+= unitsPerPacket
        nextPacket += .nanoseconds(Int64(20e6 * (1 + drift)))
    }

    private mutating func transmit(_ bytes: [UInt8], isToB: Bool, isControl: Bool) {
        let isCounted = isToB && !isControl
        guard isControl || random.uniform() >= path.loss else { return }
        if isCounted { delivered += 1 }
        let copies = !isControl && random.uniform() < path.duplicates ? 2 : 1
        for _ in 0..<copies {
            let delay = path.delay + (isControl ? 0 : path.jitter * random.uniform())
            let delivery = Delivery(at: now + .nanoseconds(Int64(delay * 1e6)), isToB: isToB, isControl: isControl, bytes: bytes)
            // The queue's end comes first; of equals the older one.
            let place = queue.firstIndex { $0.at <= delivery.at } ?? queue.endIndex
            queue.insert(delivery, at: place)
        }
    }

    private mutating func deliver(_ delivery: Delivery) {
        if delivery.isControl {
            if delivery.isToB { b.receiveRTCP(delivery.bytes.span.bytes, at: now) } else { a.receiveRTCP(delivery.bytes.span.bytes, at: now) }
            return
        }
        guard let header = try? RTPHeader(delivery.bytes.span.bytes) else { return }
        if delivery.isToB {
            let reception = b.receiveRTP(header, in: delivery.bytes.span.bytes, at: now)
            if reception.isPlayable { played += 1 }
            if reception != .accepted { oddities.append(reception) }
        } else {
            _ = a.receiveRTP(header, in: delivery.bytes.span.bytes, at: now)
        }
    }

    private mutating func drain() {
        while let output = a.poll() {
            if case .transmit(let bytes) = output {
                control.fromA.append((now, bytes))
                transmit(bytes, isToB: true, isControl: true)
            } else {
                outputs.a.append(output)
            }
        }
        while let output = b.poll() {
            if case .transmit(let bytes) = output {
                control.fromB.append((now, bytes))
                transmit(bytes, isToB: false, isControl: true)
            } else {
                outputs.b.append(output)
            }
        }
    }
}

/// A packet of 160 bytes of payload, with its extensions.
func packet(of session: inout RTPSession, payloadType: UInt8 = 0, timestamp: UInt32, at now: Instant) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: RTPSession.maximumHeaderLength)
    let length = bytes.withUnsafeMutableBytes {
        session.writeHeader(payloadType: payloadType, payloadLength: 160, timestamp: timestamp, into: $0, at: now)
    }
    return Array(bytes.prefix(length ?? 0)) + [UInt8](repeating: 0xD5, count: 160)
}
