import Core
import Foundation
import Testing

@testable import RTP

/// Row 14: what we send, as another program reads it.
@Suite struct WireCaptureTests {
    static let tshark = ["/usr/bin/tshark", "/usr/local/bin/tshark"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let rtpPort: UInt16 = 50_004
    static let rtcpPort: UInt16 = 50_005

    /// A capture file of UDP datagrams over Ethernet and IPv4, 20 ms apart.
    static func capture(_ datagrams: [(port: UInt16, bytes: [UInt8])]) -> [UInt8] {
        var out = ByteWriter(capacity: 4096)
        // Big-endian magic: microseconds; version 2.4, snap length, Ethernet.
        out.append([0xA1, 0xB2, 0xC3, 0xD4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1])
        for (index, datagram) in datagrams.enumerated() {
            let length = 42 + datagram.bytes.count
            out.u32(1_790_000_000)
            out.u32(UInt32(index) * 20_000)
            out.u32(UInt32(length))
            out.u32(UInt32(length))
            out.append([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0])
            var ip = ByteWriter()
            ip.append([0x45, 0])
            ip.u16(UInt16(length - 14))
            ip.append([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
            var sum: UInt32 = 0
            for word in stride(from: 0, to: 20, by: 2) { sum += UInt32(ip.bytes[word]) << 8 | UInt32(ip.bytes[word + 1]) }
            ip.setU16(~UInt16(truncatingIfNeeded: sum + sum >> 16), at: 10)
            out.append(ip.bytes)
            out.u16(datagram.port)
            out.u16(datagram.port)
            out.u16(UInt16(8 + datagram.bytes.count))
            out.u16(0)
            out.append(datagram.bytes)
        }
        return out.bytes
    }

    /// The full dissection; the datagrams' order is that of the frames.
    static func dissect(_ datagrams: [(port: UInt16, bytes: [UInt8])], with program: String) throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("sidetone-\(UUID().uuidString).pcap")
        try Data(capture(datagrams)).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-n", "-r", file.path, "-V", "-d", "udp.port==\(rtpPort),rtp", "-d", "udp.port==\(rtcpPort),rtcp"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return text
    }

    /// Nothing that the dissector finds wrong, and each line that is looked for.
    static func check(_ text: String, frames: Int, lines: [String]) {
        #expect(text.split(separator: "\n").count { $0.hasPrefix("Frame ") } == frames)
        for word in ["Malformed", "[Expert Info (Warning", "[Expert Info (Error", "[Length: Incorrect", "frame length check: Wrong"] {
            let found = text.split(separator: "\n").filter { $0.contains(word) }
            #expect(found.isEmpty, "\(word): \(found)")
        }
        let missing = lines.filter { !text.contains($0) }
        #expect(missing.isEmpty)
    }

    static let block = ReportBlock(
        ssrc: 0x0B0B_0B0B, fractionLost: 64, cumulativeLost: -2, extendedHighestSequence: 0x1_0005, jitter: 12, lastSenderReport: 0xAABB_CCDD,
        delaySinceLastSenderReport: 0x1_8000)

    /// One of each kind that the writer knows, each in a compound of its own.
    static var compounds: [[RTCPPacket]] {
        let report = RTCPPacket.senderReport(
            ssrc: 0x0A0A_0A0A, info: SenderInfo(ntpTimestamp: 0xE000_0000_8000_0000, rtpTimestamp: 8000, packetCount: 100, octetCount: 16_000),
            blocks: [block])
        let receiver = RTCPPacket.receiverReport(ssrc: 0x0A0A_0A0A, blocks: [block])
        let description = RTCPPacket.sourceDescription([SourceDescription(ssrc: 0x0A0A_0A0A, cname: "kestrel", mid: "m0")])
        func feedback(_ feedback: RTCPFeedback) -> [RTCPPacket] {
            [receiver, description, .feedback(sender: 0x0A0A_0A0A, media: 0x0B0B_0B0B, feedback)]
        }
        var arrivals = (0..<30).filter { $0 % 7 != 3 }.map { TransportWideFeedback.Arrival(offset: $0, delta: $0 % 5 == 4 ? 400 : 80) }
        arrivals[3].delta = -40
        return [
            [report, description],
            [receiver, description, .goodbye(ssrcs: [0x0A0A_0A0A], reason: "done")],
            [
                receiver, description,
                .extendedReport(
                    ssrc: 0x0A0A_0A0A,
                    blocks: [
                        .receiverReferenceTime(0xE000_0000_8000_0000),
                        .referenceTimeReplies([
                            .init(ssrc: 0x0B0B_0B0B, lastReceiverReport: 0x1234_5678, delaySinceLastReceiverReport: 0x1_0000)
                        ]),
                        .voipMetrics(ExtendedReportTests.metrics),
                    ]),
            ],
            feedback(.genericNACK([5, 6, 9])),
            feedback(.pictureLossIndication),
            feedback(.fullIntraRequest([FullIntraRequest(ssrc: 0x0B0B_0B0B, sequenceNumber: 3)])),
            feedback(.maximumBitrate(300_000, ssrcs: [0x0B0B_0B0B])),
            feedback(
                .transportWide(
                    TransportWideFeedback(baseSequence: 65_530, statusCount: 30, referenceTime: 77, feedbackCount: 200, arrivals: arrivals))),
        ]
    }

    @Test("14 each kind of packet is read by another dissector", .enabled(if: tshark != nil))
    func test14_eachKind() throws {
        let program = try #require(Self.tshark)
        let datagrams = Self.compounds.map { (port: Self.rtcpPort, bytes: RTCPPacket.bytes(of: $0)) }
        let text = try Self.dissect(datagrams, with: program)
        Self.check(
            text, frames: datagrams.count,
            lines: [
                "Packet type: Sender Report (200)", "Packet type: Receiver Report (201)", "Packet type: Source description (202)",
                "Text: kestrel", "Packet type: Goodbye (203)", "Text: done", "Cumulative number of packets lost: -2",
                "Packet type: Extended report (RFC 3611) (207)", "R Factor: 90", "MOS - Listening Quality: 4.3", "Gmin: 16",
                "Packet type: Generic RTP Feedback (205)", "Packet type: Payload-specific Feedback (206)", "Base Sequence Number: 65530",
                "Packet Status Count: 30",
            ])
    }

    /// A call of two sessions with everything on, recorded on one side.
    @Test("14 a call with all extensions and reports is read by another dissector", .enabled(if: tshark != nil))
    func test14_call() throws {
        let program = try #require(Self.tshark)
        func session(_ seed: UInt64, reducedSize: Bool) -> RTPSession {
            let configuration = RTPSession.Configuration(
                cname: "kestrel", isAVPF: true, reducedSize: reducedSize, clockRates: [0: 8000],
                extensions: RTPExtensionMap(mid: 4, transportSequence: 3, audioLevel: 1), mid: "0", transportFeedback: true,
                xrReceiverReferenceTime: true, xrVoIPMetrics: true)
            let clock = NTPClock(unixNanoseconds: 1_790_000_000_000_000_000, at: .zero)
            return RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: clock)
        }
        var pair = MediaPair(session(1, reducedSize: true), session(2, reducedSize: false), path: .init(delay: 20, jitter: 50, loss: 0.1))
        let conditions = VoIPConditions(codec: .g711Concealed, concealment: .standard, isAdaptive: true, endSystemDelayMs: 60)
        pair.a.setConditions(conditions)
        pair.b.setConditions(conditions)
        let level = [UInt8](unsafeUninitializedCapacity: RTPSession.maximumHeaderLength) { buffer, used in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            used =
                pair.a.writeHeader(
                    payloadType: 0, payloadLength: 160, timestamp: 0, audioLevel: RTPAudioLevel(level: 30, isVoice: true), into: raw, at: .zero) ?? 0
        }
        var datagrams: [(port: UInt16, bytes: [UInt8])] = [(Self.rtpPort, level + [UInt8](repeating: 0xD5, count: 160))]
        datagrams.append((Self.rtpPort, packet(of: &pair.b, timestamp: 0, at: .zero)))
        pair.run(for: .seconds(20))
        for (a, b) in zip(pair.control.fromA, pair.control.fromB) { datagrams += [(Self.rtcpPort, a.bytes), (Self.rtcpPort, b.bytes)] }
        if let last = pair.a.close(reason: "bye", at: pair.now) { datagrams.append((Self.rtcpPort, last)) }
        let text = try Self.dissect(datagrams, with: program)
        Self.check(
            text, frames: datagrams.count,
            lines: [
                "RFC 5285 Header Extension (One-Byte Header)", "R Factor: ", "Packet type: Goodbye (203)",
                "Base Sequence Number: ",
            ])
        // What another program counts agrees with what ours wrote.
        let goodbye = text.range(of: "Text: bye")
        #expect(goodbye != nil && datagrams.count > 60)
    }

    /// RFC 3550 §6.1 and RFC 4585 §3.1: a report first, CNAME always, padding never but last; alone only with reduced size.
    @Test("14 order inside a compound", arguments: [true, false]) func test14_order(reducedSize: Bool) {
        let configuration = RTPSession.Configuration(
            cname: "kestrel", isAVPF: true, reducedSize: reducedSize, clockRates: [0: 8000], extensions: RTPExtensionMap(transportSequence: 3),
            transportFeedback: true, xrReceiverReferenceTime: true)
        func session(_ seed: UInt64) -> RTPSession {
            RTPSession(configuration: configuration, random: RandomSource(seed: seed), clock: NTPClock(timestamp: 0, at: .zero))
        }
        var pair = MediaPair(session(1), session(2))
        pair.run(for: .seconds(10))
        pair.a.handle(.requestKeyFrame, at: pair.now)
        pair.a.handle(.close(reason: nil), at: pair.now)
        pair.run(for: .milliseconds(1))
        var alone = 0
        for item in pair.control.fromA {
            let compound = RTCPCompound(item.bytes.span.bytes)
            if case .feedback? = compound.packets.first {
                alone += 1
                #expect(reducedSize && compound.issues == [.reducedSize])
                continue
            }
            #expect(compound.issues.isEmpty)
            switch compound.packets.first {
            case .senderReport(pair.a.ssrc, _, _), .receiverReport(pair.a.ssrc, _): break
            default: Issue.record("begins with \(String(describing: compound.packets.first))")
            }
            #expect(compound.packets.dropFirst().first == .sourceDescription([SourceDescription(ssrc: pair.a.ssrc, cname: "kestrel")]))
            // No padding bit anywhere.
            var offset = 0
            while offset + 4 <= item.bytes.count {
                #expect(item.bytes[offset] & 0x20 == 0)
                offset += 4 * (Int(item.bytes[offset + 2]) << 8 + Int(item.bytes[offset + 3]) + 1)
            }
            #expect(offset == item.bytes.count)
        }
        #expect((alone > 20) == reducedSize)
        let last = pair.control.fromA.last.map { RTCPCompound($0.bytes.span.bytes).packets.last }
        #expect(last == .goodbye(ssrcs: [pair.a.ssrc], reason: nil))
    }
}
