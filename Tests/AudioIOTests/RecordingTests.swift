import Audio
import Codecs
import Core
import Foundation
import TestSignal
import Testing

@testable import AudioIO

/// Both sides of a call in one file: left what is sent, right what is received.
@Suite struct RecordingTests {
    @Test(arguments: [AudioCodecKind.opus, .g722, .pcmu]) func bothSidesAreInTheFile(kind: AudioCodecKind) throws {
        let format = AudioStreamFormat(send: .init(codec: kind, payloadType: 96), receive: [96: kind])
        let control = AudioPipelineControl()
        let pipeline = AudioPipeline(control: control)
        let near = try AudioStreamPort(format: format)
        let far = try AudioStreamPort(format: format)
        let sink = PCMSink(capacity: 2_000_000)
        #expect(control.attach(near, source: .tone(700), recording: sink) && control.attach(far, source: .tone(1100)))
        near.sendAllowed = true
        far.sendAllowed = true
        var playback = [Int16](repeating: 0, count: 960)
        var sequence: UInt16 = 0
        for tick in 0..<150 {
            let now = Instant(nanoseconds: UInt64(tick) * 20_000_000)
            playback.withUnsafeMutableBufferPointer { buffer in
                _ = pipeline.tick(at: now, capture: UnsafeBufferPointer(start: nil, count: 0), playback: buffer)
            }
            while near.popEncoded({ _, _, _ in }) {}
            while far.popEncoded({ header, payload, _ in
                sequence &+= 1
                near.receive(
                    AudioPacketHeader(sequence: sequence, timestamp: header.timestamp, ssrc: 7, payloadType: 96), payload: payload.bytes, arrival: now
                )
            }) {}
        }
        var samples: [Int16] = []
        sink.drain { samples += Array($0) }
        #expect(sink.rate == 48000 && samples.count == 150 * 960 * 2)
        let left = stride(from: 0, to: samples.count, by: 2).map { samples[$0] }
        let right = stride(from: 1, to: samples.count, by: 2).map { samples[$0] }
        #expect(share(of: 700, in: left[48000..<96000], rate: 48000) > 0.95)
        #expect(share(of: 1100, in: right[48000..<96000], rate: 48000) > 0.9)
        #expect(share(of: 1100, in: left[48000..<96000], rate: 48000) < 0.01 && share(of: 700, in: right[48000..<96000], rate: 48000) < 0.01)
    }

    @Test func theHeaderSaysTwoChannels() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "sidetone-\(UUID().uuidString).wav").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try WAVWriter(path: path, rate: 48000, channels: 2)
        #expect([Int16](repeating: 5, count: 9600).withUnsafeBufferPointer { writer.append($0) })
        writer.finish()
        // The reader mixes two channels down to one.
        let audio = try WAVAudio(path: path)
        #expect(audio.rate == 48000 && audio.samples.count == 4800 && audio.samples.allSatisfy { $0 == 5 })
    }
}
