import Audio
import CPlatform
import Codecs
import Core
import Foundation
import TestSignal
import Testing

@testable import AudioIO

/// Runs `step` until it says true; the bound only keeps a broken program from hanging.
private func until(_ what: String, fd: Int32 = -1, _ step: () -> Bool) {
    let end = platform_monotonic_ns() + 20_000_000_000
    while !step() {
        guard platform_monotonic_ns() < end else {
            Issue.record("waited in vain: \(what)")
            return
        }
        var descriptor = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, fd >= 0 ? 1 : 0, 5)
        if fd >= 0 { _ = platform_eventfd_drain(fd) }
    }
}

private func makePort(_ kind: AudioCodecKind, allowed: Bool = true) throws -> AudioStreamPort {
    let port = try AudioStreamPort(format: .init(send: .init(codec: kind, payloadType: 0), receive: [0: kind]))
    port.sendAllowed = allowed
    return port
}

@Suite(.serialized) struct AudioEngineTests {
    @Test func timerDrivesACallAndTheThreadEndsWithIt() throws {
        let engine = try AudioEngine(input: .tone(hertz: 440), output: .null)
        #expect(!engine.isRunning)
        let port = try makePort(.pcmu)
        #expect(engine.attach(port, callLabel: "1"))
        #expect(engine.isRunning)
        var samples: [Int16] = []
        until("15 frames", fd: engine.outboundEventFD) {
            while port.popEncoded({ _, payload, _ in samples += payload.map { G711.muLaw.decode($0) } }) {}
            return samples.count >= 15 * 160
        }
        #expect(share(of: 440, in: samples[160...], rate: 8000) > 0.95)
        engine.detach(port)
        #expect(!engine.isRunning)
        // A second call on the same engine: the thread comes back.
        #expect(engine.attach(port, callLabel: "2"))
        var count = 0
        until("a frame of the second call", fd: engine.outboundEventFD) {
            while port.popEncoded({ _, _, _ in count += 1 }) {}
            return count > 3
        }
        engine.shutdown()
        engine.shutdown()
        #expect(!engine.attach(port, callLabel: "3"))
    }

    @Test func filesInAndOutThroughTwoEngines() throws {
        let folder = try TemporaryFolder()
        let input = try folder.write(wav(sine(500, rate: 44100, count: 44100), rate: 44100), "in.wav")
        let output = folder.path("out.wav")
        let caller = try AudioEngine(input: .file(path: input), output: .file(path: output))
        let echo = try AudioEngine(input: .null, output: .null, echo: true)
        #expect(FileManager.default.fileExists(atPath: output))
        let a = try makePort(.opus)
        let b = try makePort(.opus)
        caller.attach(a, callLabel: "1")
        echo.attach(b, callLabel: "1")
        var sequence: [UInt16] = [0, 0]
        func carry(_ from: AudioStreamPort, _ to: AudioStreamPort, _ side: Int) {
            while from.popEncoded({ header, payload, _ in
                to.receive(
                    AudioPacketHeader(sequence: sequence[side], timestamp: header.timestamp, ssrc: 1, payloadType: 0), payload: payload.bytes,
                    arrival: Instant(nanoseconds: platform_monotonic_ns()))
                sequence[side] &+= 1
            }) {}
        }
        until("a second of echo", fd: caller.outboundEventFD) {
            carry(a, b, 0)
            carry(b, a, 1)
            return a.statistics.totalSamplesReceived > 48000
        }
        let second = try makePort(.pcma)
        caller.attach(second, callLabel: "x/2")
        caller.detach(a)
        caller.detach(second)
        caller.shutdown()
        echo.shutdown()
        let audio = try WAVAudio(path: output)
        #expect(audio.rate == 48000)
        #expect(audio.samples.count >= 48000)
        #expect(share(of: 500, in: audio.samples[24000...], rate: 48000) > 0.9)
        // The second call has a file of its own; nothing came in, so it is empty.
        #expect(FileManager.default.fileExists(atPath: folder.path("out-x_2.wav")))
        #expect(caller.takeWarnings().isEmpty)
    }

    @Test(arguments: [("a/b.wav", "2", "a/b-2.wav"), ("a.d/b", "2", "a.d/b-2"), ("b.x.wav", "7", "b.x-7.wav"), (".wav", "1", ".wav-1")])
    func namesOfLaterFiles(path: String, label: String, result: String) {
        #expect(AudioEngine.path(path, label: label) == result)
    }

    @Test func mistakesAreToldAtOnce() throws {
        let folder = try TemporaryFolder()
        #expect(throws: AudioDeviceError.self) { try AudioEngine(input: .file(path: folder.path("none.wav")), output: .null) }
        #expect(throws: AudioDeviceError.self) { try AudioEngine(input: .null, output: .file(path: folder.path("no/out.wav"))) }
        let error = #expect(throws: AudioDeviceError.self) { try AudioEngine(input: .alsa(name: "no-such-device"), output: .null) }
        #expect(error?.message.contains("alsa:no-such-device") == true)
        #expect(error?.message.contains("\n") == false)
    }

    @Test func theInputCanChangeDuringACall() throws {
        let engine = try AudioEngine(input: .null, output: .null)
        let port = try makePort(.pcmu)
        engine.attach(port, callLabel: "1")
        try engine.setInput(.tone(hertz: 700))
        var recent: [Int16] = []
        until("the tone", fd: engine.outboundEventFD) {
            while port.popEncoded({ _, payload, _ in recent = (recent + payload.map { G711.muLaw.decode($0) }).suffix(800) }) {}
            return recent.count == 800 && share(of: 700, in: recent[...], rate: 8000) > 0.9
        }
        engine.shutdown()
    }

    @Test func withoutACardATonePlaysToNobody() throws {
        let engine = try AudioEngine(input: .null, output: .null)
        engine.localTone(.ring)
        #expect(!engine.isRunning)
        engine.localTone(nil)
        #expect(!engine.isRunning)
    }

    @Test func aFullDiskIsOneWarning() throws {
        let engine = try AudioEngine(input: .null, output: .null)
        let notices = AudioNotices(eventFD: engine.outboundEventFD)
        notices.add(AudioWarning(code: "a", message: "1"))
        notices.add(AudioWarning(code: "a", message: "1"))
        #expect(notices.take().count == 1)
        #expect(notices.take().isEmpty)
        #expect(throws: AudioDeviceError.self) { try WAVWriter(path: "/dev/full") }
    }

    @Test func theListOfDevicesHasNames() {
        let devices = AudioDevices.list()
        #expect(devices.allSatisfy { $0.specification.hasPrefix("alsa:") && ($0.isInput || $0.isOutput) && !$0.text.contains("\n") })
        #expect(!AudioDevices.alsaVersion.isEmpty)
    }

    @Test func captureComesWholeOrNotAtAll() {
        let fifo = CaptureFIFO()
        var frame = [Int16](repeating: 0, count: 960)
        func take() -> Bool { frame.withUnsafeMutableBufferPointer { fifo.take(into: $0) } }
        let piece = [Int16](repeating: 4, count: 960)
        piece.withUnsafeBufferPointer { fifo.append($0) }
        #expect(!fifo.isReady)
        #expect(!take())
        piece.withUnsafeBufferPointer { fifo.append($0) }
        #expect(take())
        #expect(frame == piece)
        #expect(take())
        #expect(!take())
        for _ in 0..<100 { piece.withUnsafeBufferPointer { fifo.append($0) } }
        #expect(fifo.count <= 3840)
    }
}
