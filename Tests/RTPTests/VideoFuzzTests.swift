import Core
import Testing

@testable import RTP

/// Mutated packets and reports into a whole session: nothing traps, nothing grows, and it goes on afterwards.
@Suite struct VideoFuzzTests {
    @Test(arguments: [UInt64](1...4)) func mutated(seed: UInt64) throws {
        var sender = VideoSamples.session(VideoSamples.configuration(0x1111_0000), seed: seed)
        var receiver = VideoSamples.session(VideoSamples.configuration(0x2222_0000), seed: seed + 1)
        receiver.passesPackets = true
        var onward = VideoSamples.session(VideoSamples.configuration(0x3333_0000), seed: seed + 2)
        let random = RandomSource(seed: seed)
        var now = Instant.zero
        var valid: [[UInt8]] = []
        var reports: [[UInt8]] = [
            hex("80c90001 11110000 81ce0002 11110000 22220000"), hex("80c90001 11110000 81cd0003 11110000 22220000 0001ffff"),
            hex("80c90001 11110000 8fce0005 11110000 00000000 52454d42 0103ffff 22220000"),
            hex("80c90001 11110000 84ce0004 11110000 00000000 22220000 05000000"),
        ]
        for number in UInt32(0)..<60 {
            now += .milliseconds(33)
            sender.send(
                VideoSamples.frame(number, isKeyFrame: number % 20 == 0, count: 1800, random: random), mediaTime: UInt64(number) * 3000,
                isKeyFrame: number % 20 == 0, at: now)
            sender.handleTimeout(at: now)
            let out = sender.drain()
            valid += out.rtp
            reports += out.rtcp
        }
        // Retransmissions of some.
        for packet in valid.prefix(40) {
            guard let header = try? RTPHeader(packet.span.bytes) else { continue }
            var rtx = packet
            rtx[1] = rtx[1] & 0x80 | 97
            rtx.replaceSubrange(header.payloadRange, with: RTXPayload.wrap(header.sequenceNumber, Array(packet[header.payloadRange])))
            valid.append(rtx)
        }
        var frames = 0
        RTPFuzzTests.mutate(valid, count: 6000, seed: seed) { bytes in
            now += .milliseconds(1)
            receiver.receive(bytes, at: now)
            if random.next() % 8 == 0 { receiver.receive(valid[Int(random.next() % UInt64(valid.count))], at: now) }
            if let due = receiver.deadline, due <= now { receiver.handleTimeout(at: now) }
            let out = receiver.drain()
            frames += out.frames.count
            for packet in out.packets { _ = onward.forward(packet, from: UInt64(packet.ssrc & 3), at: now) }
            if onward.drain().count > 200 || out.count > 400 { Issue.record("one packet led to \(out.count) outputs") }
        }
        RTPFuzzTests.mutate(reports, count: 4000, seed: seed &+ 9) { bytes in
            now += .milliseconds(1)
            sender.receiveRTCP(bytes.span.bytes, at: now)
            receiver.receiveRTCP(bytes.span.bytes, at: now)
            if let due = sender.deadline, due <= now { sender.handleTimeout(at: now) }
            if sender.drain().count > 200 || receiver.drain().count > 200 { Issue.record("one report led to many outputs") }
        }
        #expect(frames > 0)
        // A stream that begins now is received.
        var fresh = VideoSamples.session(VideoSamples.configuration(0x4444_0000), seed: seed + 3)
        var after: [VP8Frame] = []
        for number in UInt32(0)..<60 {
            now += .milliseconds(33)
            let bytes = VideoSamples.frame(number, isKeyFrame: number % 10 == 0, count: 1800, random: random)
            fresh.send(bytes, mediaTime: UInt64(number) * 3000, isKeyFrame: number % 10 == 0, at: now)
            for packet in fresh.drain().rtp { receiver.receive(packet, at: now) }
            receiver.handleTimeout(at: now)
            after += receiver.drain().frames
        }
        #expect(after.count >= 40)
    }
}
