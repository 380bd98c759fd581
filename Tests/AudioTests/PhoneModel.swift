import Audio
import Codecs
import Core

/// One pipeline with one stream, stepped by hand.
final class PhoneModel {
    let control = AudioPipelineControl()
    let pipeline: AudioPipeline
    let port: AudioStreamPort
    let sink = PCMSink(capacity: 48000 * 20)
    /// What the device played and, per tick, what the file took.
    var played: [Int16] = []
    var lastFrame = [Int16](repeating: 0, count: 960)
    var sent: [(header: EncodedAudioHeader, payload: [UInt8])] = []
    var now = Instant(nanoseconds: 5_000_000_000)

    init(_ codec: AudioCodecKind, source: AudioSource, withSink: Bool = true) throws {
        pipeline = AudioPipeline(control: control)
        let payloadType: UInt8 = codec.staticPayloadType ?? 111
        port = try AudioStreamPort(format: .init(send: .init(codec: codec, payloadType: payloadType), receive: [payloadType: codec]))
        port.sendAllowed = true
        control.attach(port, source: source, sink: withSink ? sink : nil)
        control.focus(port)
    }

    func tick(capture: [Int16] = []) {
        let frame = capture
        _ = frame.withUnsafeBufferPointer { c in
            lastFrame.withUnsafeMutableBufferPointer { p in pipeline.tick(at: now, capture: c, playback: p) }
        }
        played += lastFrame
        now += .milliseconds(20)
        while port.popEncoded({ header, payload, _ in self.sent.append((header, Array(payload))) }) {}
    }

    /// Takes what the other side sent, from its packet `from` on.
    func receive(_ packets: ArraySlice<(header: EncodedAudioHeader, payload: [UInt8])>, from sequence: Int, ssrc: UInt32 = 1) {
        for (i, packet) in packets.enumerated() {
            let header = AudioPacketHeader(
                sequence: UInt16(truncatingIfNeeded: sequence + i), timestamp: packet.header.timestamp &+ 77, ssrc: ssrc,
                payloadType: packet.header.payloadType, marker: packet.header.marker)
            port.receive(header, payload: packet.payload.span.bytes, arrival: now)
        }
    }

    func drained() -> [Int16] {
        var out: [Int16] = []
        sink.drain { out += $0 }
        return out
    }
}

/// Steps two phones together; packets cross at once unless `lose` says so.
func exchange(_ a: PhoneModel, _ b: PhoneModel, ticks: Int, lose: (Int) -> Bool = { _ in false }) {
    var fromA = a.sent.count
    var fromB = b.sent.count
    for _ in 0..<ticks {
        a.tick()
        for i in fromA..<a.sent.count where !lose(i) { b.receive(a.sent[i...i], from: i) }
        fromA = a.sent.count
        b.tick()
        for i in fromB..<b.sent.count where !lose(i) { a.receive(b.sent[i...i], from: i) }
        fromB = b.sent.count
    }
}
