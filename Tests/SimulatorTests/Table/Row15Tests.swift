import Audio
import Codecs
import Core
import Foundation
import Interface
import Secure
import Simulator
import Testing

@testable import Engine
@testable import RTP

/// Row 15: a long call with a drifting clock; sequence number and timestamp begin near their ends.
///
/// One way, with the real stack from RTP header to loudspeaker on the receiving side: `RTPSession`, `SRTPContext`, `AudioStreamPort`, jitter
/// buffer, decoder, time stretching. `SIDETONE_MINUTES` sets how long (60 is the whole hour, the default).
@Suite struct Row15Tests {
    static var minutes: Int { ProcessInfo.processInfo.environment["SIDETONE_MINUTES"].flatMap { Int($0) }.map { max(4, min($0, 600)) } ?? 60 }

    /// The receiver of one stream.
    private final class Receiver {
        let inbound: SRTPContext
        var rtp: RTPSession
        let port: AudioStreamPort
        let sink = PCMSink()
        private let control = AudioPipelineControl()
        private let pipeline: AudioPipeline
        private let playback = UnsafeMutableBufferPointer<Int16>.allocate(capacity: AudioPipeline.frameSamples)
        private(set) var errors = 0
        private(set) var notPlayed = 0

        init(_ pair: SRTPKeyPair, random: RandomSource) throws {
            inbound = try SRTPContext(profile: pair.profile, key: pair.remote, direction: .inbound)
            rtp = RTPSession(
                configuration: RTPSession.Configuration(cname: "b", ssrc: 2, clockRates: [0: 8000]), random: random,
                clock: NTPClock(unixNanoseconds: 1_790_000_000_000_000_000, at: .zero))
            port = try AudioStreamPort(format: AudioStreamFormat(send: nil, receive: [0: .pcmu]))
            pipeline = AudioPipeline(control: control)
            playback.initialize(repeating: 0)
            _ = control.attach(port, source: .silence, sink: sink)
        }

        deinit { playback.deallocate() }

        func receive(_ datagram: [UInt8], at now: Instant) {
            var packet = datagram
            guard (try? inbound.unprotectRTP(&packet)) != nil, let header = try? RTPHeader(packet.span.bytes) else {
                errors += 1
                return
            }
            guard rtp.receiveRTP(header, in: packet.span.bytes, at: now).isPlayable else {
                notPlayed += 1
                return
            }
            port.receive(
                AudioPacketHeader(
                    sequence: header.sequenceNumber, timestamp: header.timestamp, ssrc: header.ssrc, payloadType: header.payloadType,
                    marker: header.marker),
                payload: packet.span.bytes.extracting(header.payloadRange), arrival: now)
        }

        func tick(at now: Instant) { _ = pipeline.tick(at: now, capture: UnsafeBufferPointer(start: nil, count: 0), playback: playback) }
    }

    @Test(arguments: [(200.0, SRTPProfile.aesCM128Tag80), (-200, .aeadAES256GCM)])
    func row15_anHour(drift: Double, profile: SRTPProfile) throws {
        let random = RandomSource(seed: 15)
        let keys = [0, 1].map { _ in SRTPMasterKey(key: random.bytes(profile.keyLength), salt: random.bytes(profile.saltLength)) }
        let outbound = try SRTPContext(profile: profile, key: keys[0], direction: .outbound)
        let receiver = try Receiver(SRTPKeyPair(profile: profile, local: keys[1], remote: keys[0]), random: random)
        var sender = RTPSession(
            configuration: RTPSession.Configuration(cname: "a", ssrc: 1, clockRates: [0: 8000]), random: random,
            clock: NTPClock(unixNanoseconds: 1_790_000_000_000_000_000, at: .zero))
        sender.outbound = OutboundRTPStream(ssrc: 1, firstSequence: 65_500, timestampOffset: .max - 8000)
        // A second of 440 Hz in µ-law.
        let clip = (0..<8000).map { ToneSender.muLaw(Int16(8000 * sin(2 * Double.pi * 440 * Double($0) / 8000))) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 16)
        defer { buffer.deallocate() }

        // The sender's 20 ms on the true clock, in nanoseconds; the receiver's are true. The network adds up to 6 ms and keeps the order.
        let start = Instant.zero + .seconds(1000)
        let period = 20_000_000 * (1 + drift / 1_000_000)
        let total = Self.minutes * 60 * 50
        var underWay: (bytes: [UInt8], at: Instant)?
        var lastArrival = start
        var number = 0
        var delays: [Double] = []
        var nextSample = 0
        for tick in 0..<total {
            let now = start + .milliseconds(20 * tick)
            while true {
                if let packet = underWay {
                    guard packet.at <= now else { break }
                    receiver.receive(packet.bytes, at: packet.at)
                    underWay = nil
                }
                let sentAt = start + .nanoseconds(Int64(Double(number) * period))
                guard sentAt <= now else { break }
                guard
                    let head = sender.writeHeader(
                        payloadType: 0, payloadLength: 160, timestamp: UInt32(truncatingIfNeeded: number * 160), marker: number == 0,
                        audioLevel: nil, into: buffer, at: sentAt)
                else { break }
                for i in 0..<160 { buffer[head + i] = clip[(number % 50) * 160 + i] }
                let length = try outbound.protectRTP(buffer, length: head + 160)
                lastArrival = max(lastArrival, sentAt + .microseconds(20_000 + Int64(random.next() % 6000)))
                underWay = (Array(buffer[..<length]), lastArrival)
                number += 1
            }
            receiver.tick(at: now)
            receiver.sink.drain { _ in }
            if tick == nextSample {
                nextSample += 50
                if let delay = receiver.port.statistics.jitterBufferDelayMs { delays.append(delay) }
            }
        }

        #expect(receiver.errors == 0 && receiver.notPlayed == 0)
        #expect(abs(number - total) <= total / 1000 + 2, "\(number) packets of \(total)")
        #expect(receiver.inbound.rolloverCounter(ssrc: 1).map(Int.init) == (65_500 + number - 1) / 65_536)
        let figures = receiver.rtp.statistics.inbound
        #expect(figures?.packetsLost == 0 && abs((figures?.packetsReceived ?? 0) - number) <= 2)
        // Means of the first minute (after its first seconds), of the time from the third on, and of the last minute; and the worst second of all. A
        // sender that is too fast is let run up to the next step of time stretching (a pitch period or so) and no further.
        let mean = { (range: ArraySlice<Double>) in range.reduce(0, +) / Double(max(1, range.count)) }
        let (first, settled, last) = (mean(delays[10..<60]), mean(delays[120..<min(600, delays.count)]), mean(delays.suffix(60)))
        let worst = delays.dropFirst(10).max() ?? 0
        #expect(abs(last - first) < 30 && abs(last - settled) < 8, "\(first) ms at first, then \(settled), \(last) at last")
        #expect(worst < first + 40, "\(worst) ms at worst, \(first) ms at first")
        let audio = receiver.port.statistics
        // What is left out or put in for the drift is stretched speech, not concealment.
        #expect(Double(audio.concealedSamples) < 0.001 * Double(audio.totalSamplesReceived), "\(audio.concealedSamples)")
        #expect(audio.latePackets < 20)
        print(
            "row 15: \(drift) ppm, \(number) packets, delay \(first) ms, then \(settled), \(last) ms at last, at worst \(worst) ms, \(audio.concealedSamples) concealed"
        )
    }

    /// Two whole phones, whose clocks drift apart by 400 ppm, both ways at once; shorter, since a phone costs more.
    @Test(arguments: Role.allCases) func row15_twoPhones(fast: Role) {
        let simulation = Simulation(seed: 15)
        var nodes: [Node] = []
        for (index, role) in Role.allCases.enumerated() {
            var options = Node.Options()
            options.dtlsClock = setVirtualClock
            options.source = .tone(role == .caller ? Pair.aliceTone : Pair.bobTone)
            options.audioDrift = role == fast ? -200 : 200
            var configuration = PhoneConfiguration.lean
            configuration.autoAnswer = true
            nodes.append(
                Node(
                    role == .caller ? "alice" : "bob", addresses: ["192.0.2.\(index + 1)"], in: simulation, configuration: configuration,
                    identity: role == .caller ? Identities.alice : Identities.bob, options: options))
        }
        for node in nodes { node.start() }
        nodes[0].command(.dial(uri: nodes[1].uri))
        #expect(simulation.run(limit: .seconds(5)) { nodes.allSatisfy { $0.media?.negotiated != nil } })
        for node in nodes {
            guard let media = node.media else { continue }
            media.rtp.outbound = OutboundRTPStream(ssrc: media.rtp.ssrc, firstSequence: 65_400, timestampOffset: .max - 100_000)
        }
        #expect(simulation.run(limit: .seconds(5)) { nodes.allSatisfy(\.hasMedia) })
        simulation.run(for: .seconds(10))
        let first = nodes.map { $0.inbound?.jitterBufferDelayMs ?? 0 }
        simulation.run(for: .seconds(110))
        for (index, node) in nodes.enumerated() {
            let last = node.inbound?.jitterBufferDelayMs ?? 1000
            #expect(abs(last - first[index]) < 25, "\(first[index]) ms at first, \(last) ms at last")
            #expect(node.inbound?.unprotectErrors == 0 && node.inbound?.packetsLost == 0)
            #expect(node.heard().share(of: index == 0 ? Pair.bobTone : Pair.aliceTone) > 0.9)
            #expect((node.inbound?.packetsReceived ?? 0) > 5900)
        }
    }
}
