import Codecs
import Core
import Synchronization

extension AudioStream {
    /// The first frame of a stream that may send by now, ahead of its tick. A microphone has none before its tick.
    func begin(at now: Instant) -> Bool {
        guard !wasSending, !input.isDevice, input.peer == nil, port.has(.sendAllowed) else { return false }
        takeFormat()
        return send(capture: UnsafeBufferPointer(start: nil, count: 0), heard: UnsafeBufferPointer(received), at: now)
    }

    /// Encodes one 20 ms frame when media may leave. True when a packet went into the ring.
    /// - Parameter heard: this tick's received audio that a source may send on.
    func send(capture: UnsafeBufferPointer<Int16>, heard: UnsafeBufferPointer<Int16>, at now: Instant) -> Bool {
        guard let codecs, let format = codecs.send, let encoder = codecs.encoder else {
            wasSending = false
            return false
        }
        let duration = UInt32(truncatingIfNeeded: format.codec.clockRate / 50)
        let mark = timestamp
        timestamp = timestamp &+ duration
        guard port.has(.sendAllowed), port.has(.sendEnabled) else {
            wasSending = false
            return false
        }
        // Muted or held, the source runs on: a file or a tone does not stand still.
        input.fill(sending, capture: capture, received: heard)
        if port.has(.muted) || port.has(.held) { sending.update(repeating: 0) }
        sentLevel.add(UnsafeBufferPointer(sending))
        port.figures.sentLevel.store(sentLevel.hundredths, ordering: .relaxed)
        let loss = port.expectedLoss.load(ordering: .relaxed)
        if loss >= 0, loss != knownLoss {
            knownLoss = loss
            encoder.setExpectedLoss(percent: loss)
        }
        var samples = UnsafeBufferPointer(sending)
        if let converter = toNarrow[48000, format.codec.sampleRate] {
            let n = converter.process(samples, into: narrow)
            samples = UnsafeBufferPointer(rebasing: narrow[..<min(n, format.codec.samplesPerTick)])
        }
        let header = EncodedAudioHeader(
            timestamp: mark, duration: UInt16(truncatingIfNeeded: duration), payloadType: format.payloadType, codec: format.codec,
            marker: !wasSending)
        var encoded = 0
        let pushed = port.outbound.push(stamp: now.nanoseconds) { slot in
            header.write(to: slot)
            let room = UnsafeMutableRawBufferPointer(rebasing: slot[EncodedAudioHeader.byteCount...])
            encoded = encoder.encode(samples, into: room)
            return encoded > 0 ? EncodedAudioHeader.byteCount + encoded : -1
        }
        wasSending = pushed
        return pushed
    }
}
