import Core
import Testing

@testable import RTP

/// Packets of several sources as one stream of ours.
@Suite struct VP8ForwarderTests {
    /// A source of one-packet frames, and what its packets look like.
    private struct Source {
        var id: UInt64
        var ssrc: UInt32
        var sequence: UInt16
        var timestamp: UInt32
        var picture: UInt16?
        var isLong = true
        var level: UInt8?

        mutating func next(isKeyFrame: Bool = false, marker: Bool = true) -> VideoPacket {
            var descriptor = VP8Descriptor()
            descriptor.startsPartition = true
            descriptor.hasLongPictureID = isLong
            descriptor.pictureID = picture
            descriptor.temporalLevelZeroIndex = level
            if level != nil { descriptor.temporalLayer = 1 }
            descriptor.keyIndex = 5
            var writer = ByteWriter()
            descriptor.write(to: &writer)
            writer.append(VideoSamples.frame(UInt32(sequence), isKeyFrame: isKeyFrame, count: 40, random: RandomSource(seed: UInt64(sequence))))
            defer {
                sequence &+= 1
                timestamp &+= 3000
                picture = picture.map { ($0 &+ 1) & (isLong ? 0x7FFF : 0x7F) }
                level = level.map { $0 &+ 1 }
            }
            return VideoPacket(sequenceNumber: sequence, timestamp: timestamp, ssrc: ssrc, marker: marker, payload: writer.bytes)
        }
    }

    /// What leaves, and when.
    private struct Stream {
        var forwarder = VP8Forwarder()
        var sent: VP8Forwarder.Sent?
        var now = Instant.zero

        mutating func pass(_ packet: VideoPacket, from source: Source) -> (packet: VP8Forwarder.Forwarded?, needsKeyFrame: Bool) {
            let out = forwarder.forward(packet, from: source.id, after: sent, upcoming: (65_534, .max - 1000), at: now)
            if let out = out.packet, sent.map({ out.sequenceNumber.isNewerSequence(than: $0.sequence) }) ?? true {
                sent = VP8Forwarder.Sent(sequence: out.sequenceNumber, timestamp: out.timestamp, at: now)
            }
            now += .nanoseconds(33_333_333)
            return out
        }
    }

    private func descriptor(_ packet: VP8Forwarder.Forwarded) throws -> VP8Descriptor { try VP8Descriptor(packet.payload.span.bytes) }

    /// A source whose numbers start anew, by any step that its receiver believes: what leaves goes on in one row, from a key frame.
    @Test(arguments: [-60_000, -3000, -500, -101, 3000, 20_000]) func aSourceThatRenumbers(step: Int) throws {
        var source = Source(id: 1, ssrc: 7, sequence: 30_000, timestamp: 5, picture: 9)
        var stream = Stream()
        var left = [try #require(stream.pass(source.next(isKeyFrame: true), from: source).packet)]
        for _ in 0..<200 { left.append(try #require(stream.pass(source.next(), from: source).packet)) }
        source.sequence &+= UInt16(truncatingIfNeeded: step)
        let first = stream.pass(source.next(), from: source)
        #expect(first.packet == nil && first.needsKeyFrame)
        left.append(try #require(stream.pass(source.next(isKeyFrame: true), from: source).packet))
        for _ in 0..<20 { left.append(try #require(stream.pass(source.next(), from: source).packet)) }
        #expect(zip(left, left.dropFirst()).allSatisfy { $1.sequenceNumber == $0.sequenceNumber &+ 1 })
    }

    /// What is late, or sent again after a long while, keeps its place.
    @Test(arguments: [(99, false), (900, true)]) func whatComesLateKeepsItsPlace(age: Int, isRetransmission: Bool) throws {
        var source = Source(id: 1, ssrc: 7, sequence: 30_000, timestamp: 5, picture: 9)
        var stream = Stream()
        let first = try #require(stream.pass(source.next(isKeyFrame: true), from: source).packet)
        var late = source.next()
        late.isRetransmission = isRetransmission
        for _ in 0..<age { _ = stream.pass(source.next(), from: source) }
        let out = stream.pass(late, from: source)
        #expect(out.packet?.sequenceNumber == first.sequenceNumber &+ 1 && !out.needsKeyFrame)
        #expect(stream.pass(source.next(), from: source).packet?.sequenceNumber == first.sequenceNumber &+ UInt16(age) &+ 2)
    }

    @Test func continuityOverSwitchesAndWraps() throws {
        var one = Source(id: 1, ssrc: 7, sequence: 65_533, timestamp: .max - 4000, picture: 0x7FFE, level: 254)
        var other = Source(id: 2, ssrc: 7, sequence: 40_000, timestamp: 123, picture: 77, level: 9)
        var stream = Stream()
        var out: [VP8Forwarder.Forwarded] = []
        var asked = 0
        for round in 0..<6 {
            // Before its key frame a source is not passed on, and is asked for one once.
            for step in 0..<20 {
                let isKeyFrame = step == 3
                let packet = round % 2 == 0 ? one.next(isKeyFrame: isKeyFrame) : other.next(isKeyFrame: isKeyFrame)
                let result = stream.pass(packet, from: round % 2 == 0 ? one : other)
                if result.needsKeyFrame { asked += 1 }
                #expect((result.packet == nil) == (step < 3) && (result.needsKeyFrame == (step == 0)))
                guard let forwarded = result.packet else { continue }
                // The data behind the descriptor, and its other fields, are the source's.
                let (before, after) = (try VP8Descriptor(packet.payload.span.bytes), try descriptor(forwarded))
                #expect(after.length == before.length && forwarded.payload.dropFirst(after.length) == packet.payload.dropFirst(before.length))
                #expect(after.keyIndex == 5 && after.temporalLayer == 1 && after.startsFrame && forwarded.payload[0] == packet.payload[0])
                out.append(forwarded)
            }
        }
        #expect(asked == 6 && out.count == 6 * 17)
        #expect(out[0].sequenceNumber == 65_534 && out[0].timestamp == .max - 1000)
        for (one, next) in zip(out, out.dropFirst()) {
            #expect(next.sequenceNumber == one.sequenceNumber &+ 1)
            // One frame, or the time that went by at a switch.
            let step = next.timestamp &- one.timestamp
            #expect(step == 3000 || step >= 11_990 && step <= 12_010, "\(step)")
            let (before, after) = (try descriptor(one), try descriptor(next))
            #expect(after.pictureID == before.pictureID.map { ($0 + 1) & 0x7FFF } && after.hasLongPictureID)
            #expect(after.temporalLevelZeroIndex == before.temporalLevelZeroIndex.map { $0 &+ 1 })
        }
    }

    /// A gap stays a gap, and what comes late fills it, over the wrap; what is older than the key frame is nobody's.
    @Test func gapsAndLatePackets() {
        var source = Source(id: 1, ssrc: 7, sequence: 65_530, timestamp: 0, picture: 1)
        var stream = Stream()
        let old = source.next()
        #expect(stream.pass(source.next(isKeyFrame: true), from: source).packet?.sequenceNumber == 65_534)
        #expect(stream.pass(old, from: source).packet == nil)
        var held: [VideoPacket] = []
        for step in 1...20 {
            let packet = source.next()
            if step % 3 == 0 {
                held.append(packet)
            } else {
                #expect(stream.pass(packet, from: source).packet?.sequenceNumber == UInt16(65_534) &+ UInt16(step))
            }
        }
        for (index, packet) in held.enumerated() {
            #expect(stream.pass(packet, from: source).packet?.sequenceNumber == UInt16(65_534) &+ UInt16(3 * (index + 1)))
        }
        #expect(stream.sent?.sequence == UInt16(65_534) &+ 20)
    }

    /// Another SSRC of the same source is another beginning; so are numbers that start anew.
    @Test func aSourceThatStartsAnew() {
        var source = Source(id: 1, ssrc: 7, sequence: 50_000, timestamp: 0, picture: 1)
        var stream = Stream()
        let first = stream.pass(source.next(isKeyFrame: true), from: source).packet
        source.ssrc = 8
        #expect(stream.pass(source.next(), from: source).needsKeyFrame)
        let second = stream.pass(source.next(isKeyFrame: true), from: source).packet
        #expect(second?.sequenceNumber == first.map { $0.sequenceNumber &+ 1 })
        source.sequence = 30_000
        var passed: [VP8Forwarder.Forwarded] = []
        var asked = 0
        for step in 0..<30 {
            let result = stream.pass(source.next(isKeyFrame: step == 10), from: source)
            if result.needsKeyFrame { asked += 1 }
            if let packet = result.packet { passed.append(packet) }
        }
        #expect(passed.count == 20 && asked == 1, "\(passed.count) passed, asked \(asked) times")
        #expect(passed.first?.sequenceNumber == second.map { $0.sequenceNumber &+ 1 })
    }

    /// Short picture ids, and none, keep their width.
    @Test func shortPictureIDs() throws {
        var long = Source(id: 1, ssrc: 7, sequence: 0, timestamp: 0, picture: 0x1234)
        var short = Source(id: 2, ssrc: 8, sequence: 0, timestamp: 0, picture: 3, isLong: false, level: 1)
        var none = Source(id: 3, ssrc: 9, sequence: 0, timestamp: 0, picture: nil)
        var stream = Stream()
        let first = try #require(stream.pass(long.next(isKeyFrame: true), from: long).packet)
        #expect(try descriptor(first).pictureID == 0x1234)
        for step in 0..<200 {
            let packet = try #require(stream.pass(short.next(isKeyFrame: step == 0), from: short).packet)
            let descriptor = try descriptor(packet)
            #expect(descriptor.pictureID == UInt16((0x35 + step) & 0x7F) && !descriptor.hasLongPictureID && descriptor.length == 5)
        }
        let plain = none.next(isKeyFrame: true)
        #expect(stream.pass(plain, from: none).packet?.payload == plain.payload)
        // Back: behind the newest that left.
        let last = try #require(stream.pass(long.next(isKeyFrame: true), from: long).packet)
        #expect(try descriptor(last).pictureID == UInt16((0x35 + 199) & 0x7F) + 1)
    }

    /// Our own frames go between: numbers and picture ids go on in both directions.
    @Test func ownFramesBetween() throws {
        var session = VideoSamples.session(VideoSamples.configuration(0x1000), seed: 3)
        var source = Source(id: 1, ssrc: 7, sequence: 9, timestamp: 50, picture: 0x7FFF, level: 3)
        let random = RandomSource(seed: 4)
        var now = Instant.zero
        var packets: [[UInt8]] = []
        for step in 0..<60 {
            now += .milliseconds(33)
            if step / 10 % 2 == 0 {
                session.send(
                    VideoSamples.frame(UInt32(step), isKeyFrame: step % 10 == 0, count: 500, random: random), mediaTime: UInt64(step) * 2970,
                    isKeyFrame: step % 10 == 0, at: now)
            } else {
                _ = session.forward(source.next(isKeyFrame: step % 10 == 0), from: 1, at: now)
            }
            packets += session.drain().rtp
        }
        #expect(packets.count == 60)
        let headers = try packets.map { try RTPHeader($0.span.bytes) }
        for (index, (one, next)) in zip(headers, headers.dropFirst()).enumerated() {
            #expect(next.sequenceNumber == one.sequenceNumber &+ 1 && next.ssrc == 0x1000)
            let step = next.timestamp &- one.timestamp
            #expect(step >= 2900 && step <= 3100, "packet \(index): \(step)")
        }
        let pictures = try zip(packets, headers).map { try VP8Descriptor(Array($0[$1.payloadRange]).span.bytes).pictureID }
        for (one, next) in zip(pictures, pictures.dropFirst()) { #expect(next == one.map { ($0 + 1) & 0x7FFF }) }
        #expect(session.statistics.framesSent == 60 && session.statistics.keyFramesSent == 6)
    }
}
