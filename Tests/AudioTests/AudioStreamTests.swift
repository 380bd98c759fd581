import Audio
import Codecs
import Core
import TestSignal
import Testing

@Suite struct AudioStreamTests {
    /// A tone through 0–60 ms of jitter: what comes out is still the tone, stretched and compressed at its own period.
    @Test(arguments: AudioCodecKind.allCases)
    func aToneSurvivesJitter(kind: AudioCodecKind) throws {
        let a = try PhoneModel(kind, source: .tone(400), withSink: false)
        for _ in 0..<600 { a.tick() }
        let b = try PhoneModel(kind, source: .silence)
        let arrivals = LinkModel(seed: 11, jitter: 60, packets: 600).arrivals()
        let start = b.now
        var next = 0
        for _ in 0..<600 {
            while next < arrivals.count {
                let arrival = start + .nanoseconds(Int64(arrivals[next].at * 1e6))
                guard arrival <= b.now else { break }
                let i = arrivals[next].sequence
                let packet = a.sent[i]
                let header = AudioPacketHeader(
                    sequence: UInt16(i), timestamp: packet.header.timestamp, ssrc: 1, payloadType: packet.header.payloadType)
                b.port.receive(header, payload: packet.payload.span.bytes, arrival: arrival)
                next += 1
            }
            b.tick()
        }
        let file = b.drained()
        let n = kind.samplesPerTick
        #expect(file.count >= 590 * n)
        #expect(b.port.statistics.concealedSamples < UInt64(12 * n))
        // In each second the tone is there; the phase may have moved, so that single seconds are looked at.
        let weak = (2..<11).filter { share(of: 400, in: file[$0 * 50 * n..<($0 * 50 + 25) * n], rate: kind.sampleRate) < 0.7 }
        #expect(weak.isEmpty)
        #expect(b.port.statistics.jitterBufferDelayMs ?? 999 < 110)
    }

    @Test func aFullRingRefusesAndCounts() throws {
        let port = try AudioStreamPort(format: .init(send: nil, receive: [0: .pcmu]), packets: 4)
        let payload = [UInt8](repeating: 0xFF, count: 160)
        let header = AudioPacketHeader(sequence: 1, timestamp: 2, ssrc: 3, payloadType: 0, marker: true)
        let taken = (0..<6).filter { _ in port.receive(header, payload: payload.span.bytes, arrival: .zero) }.count
        #expect(taken == 4)
        let tooLarge = [UInt8](repeating: 0, count: 3000)
        let isTaken = port.receive(header, payload: tooLarge.span.bytes, arrival: .zero)
        #expect(!isTaken)
        #expect(port.statistics.discardedPackets == 2)
        #expect(port.statistics.jitterBufferDelayMs == nil)
    }

    @Test func controlsAreIndependent() throws {
        let port = try AudioStreamPort()
        #expect(port.sendEnabled && port.receiveEnabled)
        #expect(!port.isMuted && !port.isHeld && !port.sendAllowed)
        port.isMuted = true
        port.sendEnabled = false
        #expect(port.isMuted && !port.isHeld && !port.sendEnabled && port.receiveEnabled)
        port.isMuted = false
        #expect(!port.isMuted)
    }

    @Test func withoutReceivingNothingIsConcealed() throws {
        let a = try PhoneModel(.pcmu, source: .tone(440))
        let b = try PhoneModel(.pcmu, source: .silence)
        exchange(a, b, ticks: 50)
        b.port.receiveEnabled = false
        let before = b.port.statistics
        exchange(a, b, ticks: 50)
        #expect(b.port.statistics.concealedSamples == before.concealedSamples)
        #expect(b.port.statistics.totalSamplesReceived == before.totalSamplesReceived)
        // The file goes on in real time, silent.
        #expect(b.drained().suffix(40 * 160).allSatisfy { $0 == 0 })
        b.port.receiveEnabled = true
        exchange(a, b, ticks: 50)
        #expect(rms(b.drained().suffix(160)) > 1000)
    }

    @Test func theSinkCountsWhatItLoses() throws {
        let a = try PhoneModel(.pcmu, source: .tone(440))
        let control = AudioPipelineControl()
        let pipeline = AudioPipeline(control: control)
        let port = try AudioStreamPort(format: .init(send: nil, receive: [0: .pcmu]))
        let sink = PCMSink(capacity: 960)
        control.attach(port, source: .silence, sink: sink)
        var frame = [Int16](repeating: 0, count: 960)
        for i in 0..<20 {
            a.tick()
            let header = AudioPacketHeader(sequence: UInt16(i), timestamp: UInt32(i * 160), ssrc: 1, payloadType: 0)
            let payload = a.sent[i].payload
            port.receive(header, payload: payload.span.bytes, arrival: a.now)
            _ = frame.withUnsafeMutableBufferPointer { pipeline.tick(at: a.now, capture: .init(start: nil, count: 0), playback: $0) }
        }
        var kept = 0
        sink.drain { kept += $0.count }
        #expect(kept == 960)
        #expect(sink.lostSamples > 0)
    }
}
