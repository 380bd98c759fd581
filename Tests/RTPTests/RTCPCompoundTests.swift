import Core
import RTP
import Testing

@Suite struct RTCPCompoundTests {
    static let block = ReportBlock(
        ssrc: 0x0102_0304, fractionLost: 64, cumulativeLost: -2, extendedHighestSequence: 0x1_0005, jitter: 12, lastSenderReport: 0xAABB_CCDD,
        delaySinceLastSenderReport: 0x1_0000)
    static let blockHex = "01020304 40fffffe 00010005 0000000c aabbccdd 00010000"

    static let vectors: [(String, RTCPPacket)] = [
        (
            "81c8000c 0000000a 83aa7e80 80000000 00001f40 00000064 00003e80" + blockHex,
            .senderReport(
                ssrc: 10, info: SenderInfo(ntpTimestamp: 0x83AA_7E80_8000_0000, rtpTimestamp: 8000, packetCount: 100, octetCount: 16000),
                blocks: [block])
        ),
        ("81c90007 0000000a" + blockHex, .receiverReport(ssrc: 10, blocks: [block])),
        ("80c90001 0000000a", .receiverReport(ssrc: 10, blocks: [])),
        ("81ca0003 0000000a 01046a40 61620000", .sourceDescription([SourceDescription(ssrc: 10, cname: "j@ab")])),
        ("81cb0001 0000000a", .goodbye(ssrcs: [10], reason: nil)),
        ("82cb0004 0000000a 0000000b 04 6e6f6e65 000000", .goodbye(ssrcs: [10, 11], reason: "none")),
        ("85cc0003 0000000a 54455354 01020304", .application(subtype: 5, ssrc: 10, name: 0x5445_5354, data: [1, 2, 3, 4])),
        ("81cd0003 0000000a 0000000b fffe 0005", .feedback(sender: 10, media: 11, .genericNACK([65534, 65535, 1]))),
        (
            "8fcd0005 0000000a 0000000b 00070002 00000109 2002 0408",
            .feedback(
                sender: 10, media: 11,
                .transportWide(
                    TransportWideFeedback(
                        baseSequence: 7, statusCount: 2, referenceTime: 1, feedbackCount: 9,
                        arrivals: [.init(offset: 0, delta: 4), .init(offset: 1, delta: 8)])))
        ),
        ("81ce0002 0000000a 0000000b", .feedback(sender: 10, media: 11, .pictureLossIndication)),
        (
            "84ce0004 0000000a 00000000 0000000b 09000000",
            .feedback(sender: 10, media: 0, .fullIntraRequest([FullIntraRequest(ssrc: 11, sequenceNumber: 9)]))
        ),
        // 0x3FFFF << 2 bit/s
        ("8fce0005 0000000a 00000000 52454d42 010bffff 0000000b", .feedback(sender: 10, media: 0, .maximumBitrate(1_048_572, ssrcs: [11]))),
        ("82ce0003 0000000a 0000000b 01020304", .feedback(sender: 10, media: 11, .other(packetType: 206, format: 2, information: [1, 2, 3, 4]))),
        (
            "80cf000c 0000000a 04000002 0102030405060708 05000003 0000000b 11223344 00008000 09ab0001 01020304 0a000001 00000000",
            .extendedReport(
                ssrc: 10,
                blocks: [
                    .receiverReferenceTime(0x0102_0304_0506_0708),
                    .referenceTimeReplies([.init(ssrc: 11, lastReceiverReport: 0x1122_3344, delaySinceLastReceiverReport: 0x8000)]),
                    .other(type: 9, typeSpecific: 0xAB, contents: [1, 2, 3, 4]), .other(type: 10, typeSpecific: 0, contents: [0, 0, 0, 0]),
                ])
        ),
        ("81ca0003 0000000a 01026a40 0f016100", .sourceDescription([SourceDescription(ssrc: 10, cname: "j@", mid: "a")])),
    ]

    @Test(arguments: vectors) func parse(vector: String, packet: RTCPPacket) {
        let compound = RTCPCompound(hex(vector).span.bytes)
        #expect(compound.packets == [packet])
        #expect(!compound.issues.contains { $0 != .reducedSize })
    }

    @Test(arguments: vectors) func write(vector: String, packet: RTCPPacket) {
        #expect(RTCPPacket.bytes(of: [packet]) == hex(vector))
    }

    /// Three chunks, each ended by at least one zero and filled up to a word.
    @Test func chunksAreAligned() {
        let chunks = [
            SourceDescription(ssrc: 1, cname: "ab"), SourceDescription(ssrc: 2, cname: "abc"), SourceDescription(ssrc: 3, cname: "abcdefg"),
        ]
        let written = RTCPPacket.bytes(of: [.sourceDescription(chunks)])
        #expect(written == hex("83ca000a 00000001 01026162 00000000 00000002 01036162 63000000 00000003 01076162 63646566 67000000"))
        #expect(RTCPCompound(written.span.bytes).packets == [.sourceDescription(chunks)])
    }

    @Test func compoundWithStrangers() {
        let vector = "80c90001 0000000a" + "80d20001 0000000a" + "81ca0002 0000000a 01000000" + "81cb0001 0000000a"
        let compound = RTCPCompound(hex(vector).span.bytes)
        #expect(compound.packets.count == 3)
        #expect(compound.issues == [.unknownPacketType(210)])
    }

    static let odd: [(String, [RTCPIssue], Int)] = [
        ("", [.truncated], 0),
        ("80c900", [.truncated], 0),
        ("80c90002 0000000a", [.truncated], 0),
        ("40c90001 0000000a", [.unsupportedVersion(1)], 0),
        ("82c90007 0000000a" + blockHex, [.malformed(packetType: 201)], 1),
        ("80c80001 0000000a", [.malformed(packetType: 200)], 0),
        ("82cb0001 0000000a", [.reducedSize, .malformed(packetType: 203)], 0),
        ("a0c90002 0000000a 00000004", [], 1),
        ("a0c90002 0000000a 00000003", [.invalidPadding], 0),
        ("a0c90002 0000000a 00000010", [.invalidPadding], 0),
        ("80c90001 0000000a 8000", [.truncated], 1),
        ("81cd0002 0000000a 0000000b", [.reducedSize, .malformed(packetType: 205)], 0),
        ("81ce0001 0000000a", [.reducedSize, .malformed(packetType: 206)], 0),
        // Item text that reaches beyond the packet.
        ("81ca0002 0000000a 01056a40", [.reducedSize, .malformed(packetType: 202)], 1),
        ("80cf0000", [.reducedSize, .malformed(packetType: 207)], 0),
    ]

    @Test(arguments: odd) func tolerates(vector: String, issues: [RTCPIssue], packets: Int) {
        let compound = RTCPCompound(hex(vector).span.bytes)
        #expect(compound.issues == issues)
        #expect(compound.packets.count == packets)
    }

    @Test func manyPacketsAreCapped() {
        let vector = [[UInt8]](repeating: hex("80c90001 0000000a"), count: 100).flatMap { $0 }
        let compound = RTCPCompound(vector.span.bytes)
        #expect(compound.packets.count == RTCPCompound.maximumPackets)
        #expect(compound.issues == [.tooManyPackets])
    }

    @Test func textIsCutAtACharacter() {
        let long = String(repeating: "é", count: 200)
        let written = RTCPPacket.bytes(of: [.sourceDescription([SourceDescription(ssrc: 1, cname: long)])])
        let expected = SourceDescription(ssrc: 1, cname: String(repeating: "é", count: 127))
        #expect(RTCPCompound(written.span.bytes).packets == [.sourceDescription([expected])])
    }

    @Test(arguments: [UInt64(0), 1, 300_000, 0x3FFFF, 0x40000, 2_500_000, UInt64.max]) func bitrate(rate: UInt64) {
        let written = RTCPPacket.bytes(of: [.feedback(sender: 1, media: 0, .maximumBitrate(rate, ssrcs: []))])
        guard case .feedback(_, _, .maximumBitrate(let read, _)) = RTCPCompound(written.span.bytes).packets.first else {
            Issue.record("no REMB")
            return
        }
        #expect(read <= rate && Double(read) >= Double(rate) * 0.9999)
    }

    @Test func longNACKRoundTrip() {
        let lost: [UInt16] = [65530, 65535, 0, 1, 10, 11, 28, 1000]
        let written = RTCPPacket.bytes(of: [.feedback(sender: 1, media: 2, .genericNACK(lost))])
        #expect(RTCPCompound(written.span.bytes).packets == [.feedback(sender: 1, media: 2, .genericNACK(lost))])
    }
}
