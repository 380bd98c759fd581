import Core
import RTP
import Testing

@Suite struct PayloadFormatTests {
    @Test func staticTypes() {
        #expect(StaticPayloadType.find(9)?.clockRate == 8000 && StaticPayloadType.find(0)?.encodingName == "PCMU")
        #expect(StaticPayloadType.find(96) == nil)
    }

    @Test func vp8Descriptors() throws {
        let short = try VP8Descriptor(hex("10 9d").span.bytes)
        #expect(short.startsFrame && short.length == 1 && short.pictureID == nil)
        let full = try VP8Descriptor(hex("a5 f0 92 34 07 a9 00").span.bytes)
        #expect(full.isNonReference && !full.startsPartition && full.partitionIndex == 5 && full.length == 6)
        #expect(full.pictureID == 0x1234 && full.hasLongPictureID && full.temporalLevelZeroIndex == 7)
        #expect(full.temporalLayer == 2 && full.isLayerSync && full.keyIndex == 9)
        let seven = try VP8Descriptor(hex("90 80 11 00").span.bytes)
        #expect(seven.pictureID == 0x11 && !seven.hasLongPictureID && seven.length == 3)
        var writer = ByteWriter()
        full.write(to: &writer)
        #expect(writer.bytes == hex("a5 f0 92 34 07 a9"))
    }

    @Test(arguments: ["", "10", "90", "90 80", "90 80 92", "90 80 92 34", "90 40", "90 20", "90 f0 12 34 56"]) func vp8Truncated(vector: String) {
        #expect(throws: VP8DescriptorError.truncated) { try VP8Descriptor(hex(vector).span.bytes) }
    }

    static func frame(_ vector: String, at offset: Int) -> VP8PayloadHeader? { VP8PayloadHeader(hex(vector).span.bytes, at: offset) }

    @Test func vp8Frame() throws {
        // A shown key frame of version 0, first partition of 1164 bytes, 640 x 480.
        let header = try #require(Self.frame("10 90 91 00 9d 01 2a 80 02 e0 01", at: 1))
        #expect(header.isKeyFrame && header.isShown && header.version == 0 && header.firstPartitionSize == 4 + 8 * 0x91)
        #expect(header.width == 640 && header.height == 480)
        let delta = try #require(Self.frame("31 02 00", at: 0))
        #expect(!delta.isKeyFrame && delta.width == nil)
        #expect(VP8PayloadHeader(hex("10 90").span.bytes, at: 1) == nil && VP8PayloadHeader(hex("10").span.bytes, at: -1) == nil)
    }
}

/// Mutated packets: nothing traps, and what is read stays inside the packet.
@Suite struct RTPFuzzTests {
    static func mutate(_ seeds: [[UInt8]], count: Int, seed: UInt64, _ body: ([UInt8]) -> Void) {
        let random = RandomSource(seed: seed)
        func below(_ n: Int) -> Int { Int(random.next() % UInt64(max(1, n))) }
        for _ in 0..<count {
            var bytes = seeds[below(seeds.count)]
            for _ in 0...below(6) {
                switch below(5) {
                case 0: if !bytes.isEmpty { bytes[below(bytes.count)] ^= UInt8(1 << below(8)) }
                case 1: if !bytes.isEmpty { bytes[below(bytes.count)] = [0, 0xFF, 0x7F, 0x80][below(4)] }
                case 2: bytes.removeLast(below(bytes.count + 1))
                case 3: bytes.insert(contentsOf: random.bytes(below(9)), at: below(bytes.count + 1))
                default: bytes += seeds[below(seeds.count)].prefix(below(40))
                }
            }
            body(bytes)
        }
    }

    @Test func rtp() {
        let seeds = [
            hex("80 e0 12 34 00 00 03 e8 de ad be ef 01 02 03"),
            hex("b2 08 00 01 00 00 00 a0 00 00 00 07 00 00 00 01 00 00 00 02 be de 00 02 10 aa 00 31 bb cc 00 00 55 66 77 00 00 00 04"),
            hex("90 00 00 01 00 00 00 00 00 00 00 07 10 00 00 02 05 00 07 02 11 22 00 00"),
        ]
        var session = makeSession("x", seed: 1)
        var outside = 0
        var parsed = 0
        var clock = 0.0
        Self.mutate(seeds, count: 5000, seed: 11) { packet in
            clock += 7
            _ = PacketKind.classify(packet.span.bytes)
            guard let header = try? RTPHeader(packet.span.bytes) else { return }
            parsed += 1
            if header.payloadRange.upperBound + header.paddingLength != packet.count || header.extensionRange.upperBound > header.headerLength {
                outside += 1
            }
            for id in 0...15 {
                if let range = header.extensionElement(UInt8(id), in: packet.span.bytes), range.upperBound > header.headerLength { outside += 1 }
            }
            _ = session.receiveRTP(header, payloadLength: header.payloadLength, at: ms(clock))
            session.handleTimeout(at: ms(clock))
            _ = session.drain()
        }
        #expect(outside == 0 && parsed > 500)
        #expect(session.remoteSourceCount <= 16)
    }

    @Test func rtcp() {
        let seeds = RTCPCompoundTests.vectors.map { hex($0.0) } + [RTCPPacket.bytes(of: RTCPCompoundTests.vectors.map(\.1))]
        var session = makeSession("x", seed: 1, ssrc: 11)
        _ = session.willSend(payloadType: 0, payloadLength: 160, timestamp: 0, at: .zero)
        var read = 0
        var unstable = 0
        var clock = 0.0
        Self.mutate(seeds, count: 5000, seed: 12) { bytes in
            clock += 13
            let compound = RTCPCompound(bytes.span.bytes)
            read += compound.packets.count
            // What was read can be written, and reads the same again.
            let again = RTCPPacket.bytes(of: compound.packets)
            let second = RTCPCompound(again.span.bytes)
            if RTCPPacket.bytes(of: second.packets) != again { unstable += 1 }
            session.receiveRTCP(bytes.span.bytes, at: ms(clock))
            session.handleTimeout(at: ms(clock))
            _ = session.drain()
        }
        #expect(read > 2000 && unstable == 0)
        #expect(session.remoteSourceCount <= 16)
    }

    @Test func telephoneEvent() {
        let random = RandomSource(seed: 2)
        var receiver = TelephoneEventReceiver(clockRate: 8000)
        var emitted = 0
        var clock = 0.0
        Self.mutate([hex("0b 8a 03 20"), hex("01 0a 00 a0")], count: 5000, seed: 13) { payload in
            clock += random.uniform() * 100
            let timestamp = UInt32(truncatingIfNeeded: random.next()) & (random.uniform() < 0.5 ? 0xFF : .max)
            try? receiver.receive(payload.span.bytes, timestamp: timestamp, marker: random.uniform() < 0.5, at: ms(clock))
            while receiver.poll() != nil { emitted += 1 }
        }
        #expect(emitted > 100 && emitted <= 5000)
    }

    @Test func vp8() {
        var outside = 0
        let seeds = [hex("a5 f0 92 34 07 a9 00 9d 01 2a 80 02 e0 01"), hex("10 90 91 00 9d 01 2a 80 02 e0 01"), hex("fb c3 03 01 aa bb cc")]
        Self.mutate(seeds, count: 5000, seed: 14) { payload in
            if let descriptor = try? VP8Descriptor(payload.span.bytes) {
                if descriptor.length >= payload.count { outside += 1 }
                _ = VP8PayloadHeader(payload.span.bytes, at: descriptor.length)
            }
        }
        #expect(outside == 0)
    }
}
