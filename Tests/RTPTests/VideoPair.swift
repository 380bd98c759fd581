import Core

@testable import RTP

/// Frames that look like VP8 (RFC 6386 §9.1) and tell their number; the rest is noise.
enum VideoSamples {
    static func frame(_ number: UInt32, isKeyFrame: Bool, count: Int, width: UInt16 = 640, height: UInt16 = 480, random: RandomSource) -> [UInt8] {
        var bytes: [UInt8] = [isKeyFrame ? 0x10 : 0x11, 0, 0]
        if isKeyFrame {
            bytes += [0x9D, 0x01, 0x2A, UInt8(truncatingIfNeeded: width), UInt8(width >> 8), UInt8(truncatingIfNeeded: height), UInt8(height >> 8)]
        }
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        return bytes + random.bytes(max(0, count - bytes.count))
    }

    static func number(of frame: [UInt8]) -> Int? {
        guard let first = frame.first else { return nil }
        let at = first & 1 == 0 ? 10 : 3
        guard frame.count >= at + 4 else { return nil }
        return frame[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    static func configuration(_ ssrc: UInt32, repairs: Bool = true, retransmits: Bool = true) -> VideoSession.Configuration {
        var configuration = VideoSession.Configuration(cname: "\(ssrc)", ssrc: ssrc, rtxSSRC: ssrc + 1)
        configuration.sendPayloadType = 96
        configuration.receivePayloadTypes = [96]
        configuration.sendRTXPayloadType = retransmits ? 97 : nil
        configuration.receiveRTXPayloadType = retransmits ? 97 : nil
        configuration.reducedSize = true
        configuration.repairs = repairs
        configuration.takesPLI = true
        return configuration
    }

    static func session(_ configuration: VideoSession.Configuration, seed: UInt64 = 1) -> VideoSession {
        VideoSession(
            configuration: configuration, random: RandomSource(seed: seed), clock: NTPClock(unixNanoseconds: 1_790_000_000_000_000_000, at: .zero))
    }
}

extension VideoSession {
    mutating func drain() -> [Output] {
        var all: [Output] = []
        while let output = poll() { all.append(output) }
        return all
    }

    /// Packets of ours as they were before the network.
    mutating func receive(_ packet: [UInt8], at now: Instant) {
        guard let header = try? RTPHeader(packet.span.bytes) else { return }
        receiveRTP(header, in: packet.span.bytes, at: now)
    }
}

extension VideoSession {
    mutating func receiveControl(_ compound: [UInt8], at now: Instant) { receiveRTCP(compound.span.bytes, at: now) }
}

extension [VideoSession.Output] {
    var frames: [VP8Frame] { compactMap { if case .frame(let frame) = $0 { frame } else { nil } } }
    var packets: [VideoPacket] { compactMap { if case .packet(let packet) = $0 { packet } else { nil } } }
    var rtp: [[UInt8]] { compactMap { if case .rtp(let bytes, _) = $0 { bytes } else { nil } } }
    var rtcp: [[UInt8]] { compactMap { if case .rtcp(let bytes) = $0 { bytes } else { nil } } }
    /// Feedback in our RTCP, in order.
    var feedback: [RTCPFeedback] {
        rtcp.flatMap { RTCPCompound($0.span.bytes).packets }.compactMap { if case .feedback(_, _, let feedback) = $0 { feedback } else { nil } }
    }
}

/// One end sends 30 frames a second, the other one receives them, over a path that loses, reorders and doubles; all in virtual time.
struct VideoPair {
    struct Path {
        /// One way, in ms.
        var delay = 20.0
        /// Added evenly at random.
        var jitter = 0.0
        var loss = 0.0
        /// Of RTCP.
        var controlLoss = 0.0
        var duplicates = 0.0
    }

    private struct Delivery {
        var at: Instant
        var isToReceiver: Bool
        var isControl: Bool
        var bytes: [UInt8]
    }

    var sender: VideoSession
    var receiver: VideoSession
    var path: Path
    let random: RandomSource
    /// Bytes of key frames and of the others.
    var sizes = (key: 8000, delta: 1500)
    private(set) var now = Instant.zero
    private(set) var sent: [VP8Frame] = []
    private(set) var received: [VP8Frame] = []
    private(set) var packets: [VideoPacket] = []
    private(set) var feedback: [RTCPFeedback] = []
    private(set) var keyFrameRequests = 0
    /// Rounds at one instant without end would be a driver that never sleeps.
    private(set) var longestSpin = 0
    private var wantsKeyFrame = true
    private var nextFrame = Instant.zero
    private var queue: [Delivery] = []

    /// Sequence numbers and timestamps of the sender are a little before their wraps.
    init(path: Path = Path(), repairs: Bool = true, retransmits: Bool = true, seed: UInt64 = 1) {
        self.path = path
        random = RandomSource(seed: seed)
        sender = VideoSamples.session(VideoSamples.configuration(0x1111_0000, repairs: repairs, retransmits: retransmits), seed: seed)
        receiver = VideoSamples.session(VideoSamples.configuration(0x2222_0000, repairs: repairs, retransmits: retransmits), seed: seed + 1)
        receiver.passesPackets = true
        sender.rtp.outbound = OutboundRTPStream(ssrc: sender.ssrc, firstSequence: 65_300, timestampOffset: .max - 200_000)
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        var spin = 0
        while true {
            var next = nextFrame
            if let first = queue.last?.at { next = min(next, first) }
            for deadline in [sender.deadline, receiver.deadline] { if let deadline { next = min(next, max(deadline, now)) } }
            guard next < end else { break }
            spin = next > now ? 0 : spin + 1
            longestSpin = max(longestSpin, spin)
            guard spin < 2000 else { return }
            now = next
            while let first = queue.last, first.at <= now {
                queue.removeLast()
                deliver(first)
            }
            if nextFrame <= now { sendFrame() }
            sender.handleTimeout(at: now)
            receiver.handleTimeout(at: now)
            drain()
        }
        now = end
    }

    private mutating func sendFrame() {
        nextFrame += .nanoseconds(33_333_333)
        let isKeyFrame = wantsKeyFrame
        wantsKeyFrame = false
        let size = (isKeyFrame ? sizes.key : sizes.delta) / 2
        let bytes = VideoSamples.frame(UInt32(sent.count), isKeyFrame: isKeyFrame, count: size + Int(random.uniform() * Double(size)), random: random)
        let media = UInt64(sent.count) * 3000
        let offset = sender.timestampOffset ?? sender.rtp.outbound.upcoming.timestampOffset
        sent.append(VP8Frame(bytes: bytes, timestamp: UInt32(truncatingIfNeeded: media) &+ offset, isKeyFrame: isKeyFrame))
        sender.send(bytes, mediaTime: media, isKeyFrame: isKeyFrame, at: now)
    }

    private mutating func transmit(_ bytes: [UInt8], isToReceiver: Bool, isControl: Bool) {
        guard random.uniform() >= (isControl ? path.controlLoss : path.loss) else { return }
        let copies = random.uniform() < path.duplicates ? 2 : 1
        for _ in 0..<copies {
            let delay = path.delay + path.jitter * random.uniform()
            let delivery = Delivery(at: now + .nanoseconds(Int64(delay * 1e6)), isToReceiver: isToReceiver, isControl: isControl, bytes: bytes)
            // The queue's end comes first; of equals the older one.
            let place = queue.firstIndex { $0.at <= delivery.at } ?? queue.endIndex
            queue.insert(delivery, at: place)
        }
    }

    private mutating func deliver(_ delivery: Delivery) {
        switch (delivery.isToReceiver, delivery.isControl) {
        case (true, false): receiver.receive(delivery.bytes, at: now)
        case (true, true): receiver.receiveRTCP(delivery.bytes.span.bytes, at: now)
        case (false, true): sender.receiveRTCP(delivery.bytes.span.bytes, at: now)
        case (false, false): break
        }
    }

    private mutating func drain() {
        let ours = sender.drain()
        for output in ours {
            switch output {
            case .rtp(let bytes, _): transmit(bytes, isToReceiver: true, isControl: false)
            case .rtcp(let bytes): transmit(bytes, isToReceiver: true, isControl: true)
            case .keyFrameRequested:
                keyFrameRequests += 1
                wantsKeyFrame = true
            case .frame, .packet, .maximumBitrate: break
            }
        }
        let theirs = receiver.drain()
        received += theirs.frames
        packets += theirs.packets
        feedback += theirs.feedback
        for bytes in theirs.rtcp { transmit(bytes, isToReceiver: false, isControl: true) }
    }

    /// What is wrong with what was delivered: each frame is one that was sent, in rising order, and its reference was delivered before it.
    var faults: [String] {
        var out: [String] = []
        var last = -1
        for frame in received {
            guard let number = VideoSamples.number(of: frame.bytes), sent.indices.contains(number), sent[number] == frame else {
                out.append("a frame that was not sent")
                continue
            }
            if number <= last { out.append("frame \(number) after \(last)") }
            if !frame.isKeyFrame, number != last + 1 { out.append("frame \(number) without \(number - 1)") }
            last = number
        }
        return out
    }
}
