import Audio
import Codecs
import Core
import TestSignal
import Testing

@Suite struct AudioPipelineTests {
    @Test(arguments: AudioCodecKind.allCases)
    func aToneReachesTheOtherSide(kind: AudioCodecKind) throws {
        let a = try PhoneModel(kind, source: .tone(440))
        let b = try PhoneModel(kind, source: .silence)
        exchange(a, b, ticks: 150)
        #expect(a.sent.count == 150)
        #expect(a.sent[0].header.marker)
        #expect(!a.sent[1].header.marker)
        #expect(a.sent[10].header.timestamp == UInt32(10 * kind.clockRate / 50))
        #expect(b.sink.rate == kind.sampleRate)
        let file = b.drained()
        #expect(file.count >= 145 * kind.samplesPerTick)
        #expect(share(of: 440, in: file[(25 * kind.samplesPerTick)...], rate: kind.sampleRate) > 0.97)
        #expect(share(of: 440, in: b.played[(30 * 960)...], rate: 48000) > 0.97)
        let figures = b.port.statistics
        #expect(figures.concealedSamples == 0)
        #expect(figures.totalSamplesReceived == UInt64(file.count))
        #expect(figures.jitterBufferDelayMs ?? 99 <= 40)
        #expect(abs(figures.receivedLevelDbov + 15) < 1)
        #expect(figures.receiveCodec == kind)
        #expect(abs(a.port.statistics.sentLevelDbov + 15) < 0.2)
        // Silence came back (A-law has no zero: ±8): packets flow, and nothing sounds.
        #expect(b.sent.count == 150)
        #expect(a.port.statistics.receivedLevelDbov < -70)
    }

    @Test(arguments: AudioCodecKind.allCases)
    func echoTakesTheWholePath(kind: AudioCodecKind) throws {
        let a = try PhoneModel(kind, source: .tone(600))
        let b = try PhoneModel(kind, source: .echo)
        exchange(a, b, ticks: 200)
        let file = a.drained()
        let n = kind.samplesPerTick
        #expect(share(of: 600, in: file[(50 * n)...], rate: kind.sampleRate) > 0.95)
    }

    @Test func lossIsConcealedInRealTime() throws {
        let a = try PhoneModel(.opus, source: .file(AudioClip(samples: vowel(count: 48000 * 4))))
        let b = try PhoneModel(.opus, source: .silence)
        a.port.setExpectedLoss(percent: 20)
        exchange(a, b, ticks: 400) { $0 % 10 == 9 }
        let file = b.drained()
        #expect(abs(file.count - 398 * 960) <= 3 * 960)
        let figures = b.port.statistics
        #expect(figures.redundancyFrames > 5)
        #expect(figures.concealedSamples > 0)
        // No hole: each 20 ms of the file sounds, as the source does.
        let silent = (20..<390).filter { rms(file[$0 * 960..<($0 + 1) * 960]) < 50 }
        #expect(silent.isEmpty)
    }

    @Test func nothingIsSentBeforeItIsAllowed() throws {
        let a = try PhoneModel(.pcmu, source: .tone(440))
        a.port.sendAllowed = false
        for _ in 0..<10 { a.tick() }
        #expect(a.sent.isEmpty)
        a.port.sendAllowed = true
        a.tick()
        #expect(a.sent.count == 1)
        #expect(a.sent[0].header.marker)
        #expect(a.sent[0].header.timestamp == 1600)
    }

    @Test func muteAndHoldSendSilence() throws {
        let a = try PhoneModel(.pcmu, source: .tone(440))
        a.tick()
        a.port.isMuted = true
        a.tick()
        a.tick()
        #expect(a.sent[0].payload.contains { $0 != 0xFF })
        // The resampler's memory runs out within the first muted frame.
        #expect(a.sent[2].payload.allSatisfy { $0 == 0xFF || $0 == 0x7F })
        a.port.isMuted = false
        a.port.sendEnabled = false
        a.tick()
        #expect(a.sent.count == 3)
    }

    @Test func onlyTheFocusedStreamHasTheDevices() throws {
        let a = try PhoneModel(.pcmu, source: .device)
        let voice = sine(500, rate: 48000, count: 960)
        for _ in 0..<5 { a.tick(capture: voice) }
        #expect(share(of: 500, in: try decoded(a)[160...], rate: 8000) > 0.8)
        a.control.focus(nil)
        a.sent = []
        for _ in 0..<5 { a.tick(capture: voice) }
        #expect(rms(try decoded(a)[320...]) < 10)
    }

    private func decoded(_ phone: PhoneModel) throws -> [Int16] {
        phone.sent.flatMap { $0.payload.map { G711.muLaw.decode($0) } }
    }

    @Test func aHeldCallIsNotHeard() throws {
        let a = try PhoneModel(.pcma, source: .tone(440))
        let b = try PhoneModel(.pcma, source: .silence)
        exchange(a, b, ticks: 50)
        #expect(rms(b.lastFrame[...]) > 1000)
        b.port.isHeld = true
        exchange(a, b, ticks: 2)
        #expect(b.lastFrame.allSatisfy { $0 == 0 })
    }

    @Test func aNewFormatTakesOver() throws {
        let a = try PhoneModel(.pcmu, source: .tone(440))
        let b = try PhoneModel(.pcmu, source: .silence)
        exchange(a, b, ticks: 100)
        let format = AudioStreamFormat(send: .init(codec: .opus, payloadType: 96), receive: [0: .pcmu, 96: .opus])
        try a.port.setFormat(format)
        try b.port.setFormat(format)
        exchange(a, b, ticks: 100)
        #expect(a.sent.last?.header.codec == .opus)
        #expect(a.sent.last?.header.payloadType == 96)
        #expect(b.port.statistics.receiveCodec == .opus)
        // The file keeps the first codec's rate.
        #expect(b.sink.rate == 8000)
        let file = b.drained()
        #expect(abs(file.count - 198 * 160) <= 5 * 160)
        #expect(share(of: 440, in: file[(130 * 160)...], rate: 8000) > 0.95)
        #expect(share(of: 440, in: b.played[(130 * 960)...], rate: 48000) > 0.95)
    }

    @Test(arguments: [10, 40, 60])
    func otherPacketTimesArePlayed(milliseconds: Int) throws {
        let b = try PhoneModel(.pcma, source: .silence)
        let signal = sine(440, rate: 8000, count: 8000 * 3)
        let n = milliseconds * 8
        var at = 0
        for tick in 0..<140 {
            while at + n <= (tick + 1) * 160 {
                let payload = signal[at..<at + n].map { G711.aLaw.encode($0) }
                b.port.receive(
                    AudioPacketHeader(sequence: UInt16(at / n), timestamp: UInt32(at), ssrc: 9, payloadType: 8), payload: payload.span.bytes,
                    arrival: b.now)
                at += n
            }
            b.tick()
        }
        let file = b.drained()
        #expect(share(of: 440, in: file[3200...], rate: 8000) > 0.95)
        #expect(b.port.statistics.concealedSamples < 1600)
    }

    /// Its timestamps count 8000 a second, its samples 16000: also where either of them passes 32 bits.
    @Test(arguments: [10, 30, 60], [UInt32(0), 0x7FFF_F000, 0xFFFF_F000])
    func wideBandAtOtherPacketTimes(milliseconds: Int, base: UInt32) throws {
        let b = try PhoneModel(.g722, source: .silence)
        let encoder = try AudioEncoder(.g722)
        let n = milliseconds * 16
        var payload = [UInt8](repeating: 0, count: n / 2)
        var number = 0
        for tick in 0..<140 {
            while (number + 1) * n <= (tick + 1) * 320 {
                let signal = sine(3000, rate: 16000, count: n, from: number * n)
                let size = signal.withUnsafeBufferPointer { s in payload.withUnsafeMutableBytes { encoder.encode(s, into: $0) } }
                #expect(size == n / 2)
                let header = AudioPacketHeader(
                    sequence: UInt16(number), timestamp: base &+ UInt32(number * n / 2), ssrc: 9, payloadType: 9)
                b.port.receive(header, payload: payload.span.bytes, arrival: b.now)
                number += 1
            }
            b.tick()
        }
        let file = b.drained()
        #expect(b.sink.rate == 16000)
        #expect(file.count >= 135 * 320)
        #expect(share(of: 3000, in: file[6400...], rate: 16000) > 0.95)
        #expect(b.port.statistics.concealedSamples < 3200)
        #expect(b.port.statistics.discardedPackets == 0)
    }

    /// The file keeps the first codec's rate, whichever comes after it.
    @Test(arguments: [(AudioCodecKind.g722, AudioCodecKind.pcma), (.pcma, .g722), (.g722, .opus), (.opus, .g722)])
    func theFileGoesOnWithAnotherCodec(first: AudioCodecKind, second: AudioCodecKind) throws {
        let a = try PhoneModel(first, source: .tone(440))
        let b = try PhoneModel(first, source: .silence)
        exchange(a, b, ticks: 100)
        let format = AudioStreamFormat(
            send: .init(codec: second, payloadType: 97), receive: [first.staticPayloadType ?? 111: first, 97: second])
        try a.port.setFormat(format)
        try b.port.setFormat(format)
        exchange(a, b, ticks: 100)
        #expect(b.port.statistics.receiveCodec == second)
        #expect(b.sink.rate == first.sampleRate)
        let file = b.drained()
        let n = first.samplesPerTick
        #expect(abs(file.count - 198 * n) <= 5 * n)
        #expect(share(of: 440, in: file[(130 * n)...], rate: first.sampleRate) > 0.95)
        #expect(share(of: 440, in: b.played[(130 * 960)...], rate: 48000) > 0.95)
    }

    @Test func localTonesPlayWithoutACall() {
        let control = AudioPipelineControl()
        let pipeline = AudioPipeline(control: control)
        var frame = [Int16](repeating: 1, count: 960)
        func tick() -> AudioPipeline.TickResult {
            frame.withUnsafeMutableBufferPointer { pipeline.tick(at: .zero, capture: .init(start: nil, count: 0), playback: $0) }
        }
        #expect(tick() == .init(hasOutbound: false, isActive: false))
        #expect(frame.allSatisfy { $0 == 0 })
        control.play(.busy)
        #expect(tick().isActive)
        #expect(rms(frame[...]) > 1000)
        control.play(nil)
        #expect(!tick().isActive)
        #expect(frame.allSatisfy { $0 == 0 })
    }

    @Test func detachingFinishesTheFileAndFreesTheStream() throws {
        weak var port: AudioStreamPort?
        let control = AudioPipelineControl()
        let pipeline = AudioPipeline(control: control)
        let sink = PCMSink()
        var frame = [Int16](repeating: 0, count: 960)
        func tick() { _ = frame.withUnsafeMutableBufferPointer { pipeline.tick(at: .zero, capture: .init(start: nil, count: 0), playback: $0) } }
        do {
            let stream = try AudioStreamPort()
            port = stream
            #expect(control.attach(stream, source: .silence, sink: sink))
            #expect(!control.attach(stream, source: .silence))
            tick()
            control.detach(stream)
            tick()
        }
        #expect(sink.isFinished)
        control.collect()
        #expect(port == nil)
    }

    @Test func garbageIsCountedAndHarmless() throws {
        let b = try PhoneModel(.opus, source: .silence)
        let random = RandomSource(seed: 4)
        for i in 0..<500 {
            let payload = random.bytes(Int(random.next() % 200))
            let sequence = i % 3 == 0 ? random.next() : UInt64(i)
            let payloadType = random.next() % 2 == 0 ? 111 : random.next()
            let header = AudioPacketHeader(
                sequence: UInt16(truncatingIfNeeded: sequence), timestamp: UInt32(truncatingIfNeeded: random.next()),
                ssrc: i % 7 == 0 ? 5 : 6, payloadType: UInt8(truncatingIfNeeded: payloadType))
            b.port.receive(header, payload: payload.span.bytes, arrival: b.now)
            b.tick()
        }
        #expect(b.port.statistics.discardedPackets > 100)
        #expect(b.sent.count == 500)
    }
}
