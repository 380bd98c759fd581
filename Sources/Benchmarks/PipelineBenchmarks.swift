import Audio
import Codecs
import Core

/// The audio thread's work without devices.
enum PipelineBenchmarks {
    static func run() throws {
        Report.head("AudioPipeline, one tick of 20 ms: one call, received, decoded, mixed, encoded")
        for kind in [AudioCodecKind.opus, .g722, .pcmu] {
            let call = try Call(kind)
            let ticks = 250
            let measured = try Measure.alone(rounds: 7, items: ticks) { for _ in 0..<ticks { call.tick() } }
            let codec = try Measure.alone(rounds: 7, items: ticks) { for i in 0..<ticks { call.codecOnly(i) } }
            Report.line("\(kind.encodingName)", measured, note: "\(Report.fixed(measured.median * 50 * 60 / 1e9, 3)) s a minute")
            Report.line("  of that, the codec alone", codec, note: "\(Report.fixed((measured.median - codec.median) / 1000, 1)) µs around it")
            print("    \(call.sent) packets out for \(call.received) in, \(call.concealed) samples concealed")
        }
        let idle = try Call(.opus, sends: false)
        let measured = try Measure.alone(rounds: 7, items: 1000) { for _ in 0..<1000 { idle.quietTick() } }
        Report.line("attached, nothing in and nothing out", measured)
    }

    static func jitterBuffer() throws {
        Report.head("Jitter buffer, one packet inserted and taken")
        for (name, jitter) in [("in order, no jitter", 0), ("± 30 ms of jitter", 30)] {
            let buffer = JitterBuffer(clockRate: 48000)
            let payload = [UInt8](repeating: 1, count: 80)
            let random = RandomSource(seed: 3)
            var number: UInt32 = 0
            let count = 5000
            let measured = try payload.withUnsafeBytes { bytes in
                try Measure.alone(items: count) {
                    for _ in 0..<count {
                        let now = Instant(nanoseconds: 1_000_000_000 + UInt64(number) * 20_000_000)
                        let late = jitter == 0 ? 0 : random.next() % UInt64(jitter) * 1_000_000
                        buffer.insert(
                            AudioPacketHeader(sequence: UInt16(truncatingIfNeeded: number), timestamp: number &* 960, ssrc: 1, payloadType: 96),
                            payload: bytes, duration: 960, arrival: Instant(nanoseconds: now.nanoseconds + late))
                        var needed = 960
                        while needed > 0 {
                            guard case .packet(let slot) = buffer.next(at: now + .milliseconds(20), queued: 960 - needed, needed: needed) else {
                                break
                            }
                            needed -= buffer.duration(of: slot)
                        }
                        number &+= 1
                    }
                }
            }
            Report.line(name, measured, rate: "packet")
        }
    }

    static func ring() throws {
        Report.head("PacketRing, one item of 172 bytes pushed and popped by one thread")
        let ring = PacketRing(slots: 64, slotBytes: 1536)
        let item = [UInt8](repeating: 1, count: 172)
        let count = 100_000
        var sum = 0
        let measured = try Measure.alone(items: count) {
            for i in 0..<count {
                _ = ring.push(item.span.bytes, stamp: UInt64(i))
                _ = ring.pop { bytes, _ in sum &+= bytes.count }
            }
        }
        keep(sum)
        Report.line("push and pop", measured, rate: "item")
    }
}

/// One attached stream with a peer that sends it a packet each tick.
private final class Call {
    private let control = AudioPipelineControl()
    private let pipeline: AudioPipeline
    private let port: AudioStreamPort
    private let kind: AudioCodecKind
    private let payloadType: UInt8
    private var packets: [[UInt8]] = []
    private let capture: [Int16]
    private var playback = [Int16](repeating: 0, count: AudioPipeline.frameSamples)
    private let encoder: AudioEncoder
    private let decoder: AudioDecoder
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1536, alignment: 16)
    private let decoded = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 5760)
    private let frames: [[Int16]]
    private var number: UInt32 = 0
    private var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var sent = 0
    private(set) var received = 0

    var concealed: UInt64 { port.statistics.concealedSamples }

    init(_ kind: AudioCodecKind, sends: Bool = true) throws {
        self.kind = kind
        payloadType = kind.staticPayloadType ?? 96
        port = try AudioStreamPort(
            format: AudioStreamFormat(send: AudioStreamFormat.Send(codec: kind, payloadType: payloadType), receive: [payloadType: kind]))
        pipeline = AudioPipeline(control: control)
        encoder = try AudioEncoder(kind)
        decoder = try AudioDecoder(kind)
        decoded.initialize(repeating: 0)
        let voice = Voice.samples(seconds: 2, rate: kind.sampleRate)
        let step = kind.samplesPerTick
        frames = (0..<voice.count / step).map { Array(voice[$0 * step..<($0 + 1) * step]) }
        capture = Voice.samples(seconds: 2)
        control.attach(port, source: .device)
        control.focus(port)
        port.sendAllowed = sends
        for frame in frames {
            let n = frame.withUnsafeBufferPointer { encoder.encode($0, into: scratch) }
            packets.append(Array(scratch[..<n]))
        }
    }

    deinit {
        scratch.deallocate()
        decoded.deallocate()
    }

    func tick() {
        let packet = packets[Int(number) % packets.count]
        port.receive(
            AudioPacketHeader(
                sequence: UInt16(truncatingIfNeeded: number), timestamp: number &* UInt32(kind.clockRate / 50), ssrc: 1, payloadType: payloadType),
            payload: packet.span.bytes, arrival: now)
        received += 1
        quietTick()
        number &+= 1
    }

    func quietTick() {
        now = now + AudioPipeline.tickDuration
        let start = Int(number) % 100 * AudioPipeline.frameSamples
        capture.withUnsafeBufferPointer { input in
            playback.withUnsafeMutableBufferPointer { output in
                keep(
                    pipeline.tick(
                        at: now, capture: UnsafeBufferPointer(rebasing: input[start..<start + AudioPipeline.frameSamples]), playback: output))
            }
        }
        while port.popEncoded({ _, _, _ in sent += 1 }) {}
    }

    func codecOnly(_ index: Int) {
        let frame = frames[index % frames.count]
        keep(frame.withUnsafeBufferPointer { encoder.encode($0, into: scratch) })
        keep(packets[index % packets.count].withUnsafeBytes { decoder.decode($0, into: decoded) })
    }
}
