import Codecs
import Core
import Synchronization

/// One attached stream's state on the audio thread: all its memory is made before it is attached.
final class AudioStream: @unchecked Sendable {
    let port: AudioStreamPort
    let sink: PCMSink?
    let recording: CallRecording?
    var input: AudioInput
    var codecs: AudioStreamCodecs?
    let jitter = JitterBuffer()
    /// Decoded samples at `rate`, not yet put out.
    let queue = SampleFIFO(capacity: 16384)
    var decoder: AudioDecoder?
    /// Of the decoder in use.
    var rate = 48000
    /// Since the first decoded packet, samples are counted and go to the sink.
    var isReceiving = false
    let frame: UnsafeMutableBufferPointer<Int16>
    let narrow: UnsafeMutableBufferPointer<Int16>
    /// This tick's received audio at 48 kHz.
    let received: UnsafeMutableBufferPointer<Int16>
    let sending: UnsafeMutableBufferPointer<Int16>
    let toWide = ResamplerTable(from: [8000, 16000], to: [48000])
    let toNarrow = ResamplerTable(from: [48000], to: [8000, 16000])
    let toSink: ResamplerTable
    var receivedLevel = LevelMeter()
    var sentLevel = LevelMeter()
    var unknownPackets: UInt64 = 0
    var undecodable: UInt64 = 0
    /// RTP clock of the next frame sent.
    var timestamp: UInt32 = 0
    var wasSending = false
    var knownLoss = -1
    /// The longest frame (120 ms at 48 kHz) and one stretch of it.
    static let frameCapacity = 5760 + 960

    init(port: AudioStreamPort, source: AudioSource, sink: PCMSink?, recording: PCMSink? = nil) {
        self.port = port
        self.sink = sink
        let sinkRates = sink == nil ? [] : [8000, 16000, 48000]
        toSink = ResamplerTable(from: sinkRates, to: sinkRates)
        self.recording = recording.map { CallRecording(sink: $0) }
        input = AudioInput(source)
        frame = .allocate(capacity: Self.frameCapacity)
        narrow = .allocate(capacity: 960)
        received = .allocate(capacity: 960)
        sending = .allocate(capacity: 960)
        for buffer in [frame, narrow, received, sending] { buffer.initialize(repeating: 0) }
    }

    deinit {
        for buffer in [frame, narrow, received, sending] { buffer.deallocate() }
    }

    /// Takes a new negotiated format into use; the old codecs go back to the loop's side.
    func takeFormat() {
        while let new = port.formats.pop() {
            if let old = codecs { _ = port.retiredFormats.push(old) }
            codecs = new
            decoder = nil
            knownLoss = -1
        }
    }

    // MARK: Receiving

    /// Moves the ring's packets into the jitter buffer.
    func takePackets() {
        while port.inbound.pop({ bytes, stamp in
            guard let header = AudioPacketHeader(ring: bytes) else { return }
            self.accept(
                header, payload: UnsafeRawBufferPointer(rebasing: bytes[AudioPacketHeader.byteCount...]),
                arrival: Instant(nanoseconds: stamp))
        }) {}
    }

    private func accept(_ header: AudioPacketHeader, payload: UnsafeRawBufferPointer, arrival: Instant) {
        guard port.has(.receiveEnabled) else { return }
        guard let kind = codecs?.decoder(payloadType: header.payloadType)?.kind, let duration = kind.samples(in: payload) else {
            unknownPackets &+= 1
            return
        }
        if jitter.clockRate != kind.sampleRate { jitter.reset(clockRate: kind.sampleRate) }
        // The buffer counts decoded samples. Multiplied, timestamps wrap at the same 32 bits as before.
        var scaled = header
        scaled.timestamp = header.timestamp &* UInt32(truncatingIfNeeded: kind.samplesPerClockUnit)
        jitter.insert(
            scaled, payload: payload, duration: duration, redundancy: kind.carriesRedundancy(payload), arrival: arrival)
    }

    /// Fills `received` with the next 20 ms; `isHeard`: somebody wants it at 48 kHz (the device, or the echo).
    func receive(at now: Instant, isHeard: Bool) {
        guard port.has(.receiveEnabled), codecs != nil else {
            if isReceiving, jitter.clockRate > 0 { jitter.reset(clockRate: jitter.clockRate) }
            queue.removeAll()
            received.update(repeating: 0)
            receivedLevel.add(UnsafeBufferPointer(received))
            if isReceiving { deliver(UnsafeMutableBufferPointer(rebasing: narrow[..<160]), silent: true) }
            publish()
            return
        }
        // A packet lasts 2.5 ms at least: eight of them fill a tick; a few more rounds for concealment of odd lengths.
        var rounds = 0
        while queue.count < rate / 50, rounds < 24, decodeNext(at: now) { rounds += 1 }
        let need = rate / 50
        let output = UnsafeMutableBufferPointer(rebasing: (rate == 48000 ? received : narrow)[..<need])
        let taken = queue.take(into: output)
        for i in taken..<need { output[i] = 0 }
        if isReceiving {
            port.figures.totalSamples.wrappingAdd(UInt64(need), ordering: .relaxed)
            if taken < need { port.figures.concealedSamples.wrappingAdd(UInt64(need - taken), ordering: .relaxed) }
        }
        if rate != 48000, isHeard { _ = toWide[rate, 48000]?.process(UnsafeBufferPointer(output), into: received) }
        receivedLevel.add(UnsafeBufferPointer(output))
        if isReceiving { deliver(output, silent: false) }
        publish()
    }

    /// One decision of the jitter buffer. False when it has nothing to play.
    private func decodeNext(at now: Instant) -> Bool {
        switch jitter.next(at: now, queued: queue.count, needed: rate / 50 - queue.count) {
        case .silence: return false
        case .packet(let slot):
            guard let decoder = codecs?.decoder(payloadType: jitter.payloadType(of: slot)) else { return false }
            use(decoder)
            var count = decoder.decode(jitter.payload(of: slot), into: UnsafeMutableBufferPointer(rebasing: frame[..<5760]))
            if count == 0 {
                undecodable &+= 1
                count = fillConcealment(count: min(jitter.duration(of: slot), 5760))
            }
            switch jitter.adjustment(at: now, queued: queue.count + count) {
            case .none: break
            case .compress(let urgent):
                let shorter = TimeStretch.compress(frame, count: count, rate: rate, urgent: urgent)
                if shorter != count { jitter.didAdjust(at: now) }
                count = shorter
            case .expand:
                let longer = TimeStretch.expand(frame, count: count, rate: rate)
                if longer != count { jitter.didAdjust(at: now) }
                count = longer
            }
            queue.append(UnsafeBufferPointer(rebasing: frame[..<count]))
            return true
        case .redundancy(let slot, let count):
            guard let decoder = codecs?.decoder(payloadType: jitter.payloadType(of: slot)) else { return false }
            use(decoder)
            let made = decoder.decodeRedundancy(
                of: jitter.payload(of: slot), count: jitter.duration(of: slot), into: UnsafeMutableBufferPointer(rebasing: frame[..<5760]))
            guard made > 0 else { return conceal(count, counted: true) }
            // The start of the lost frame may have been concealed already: its end is what is missing.
            let kept = min(made, count)
            port.figures.redundancy.wrappingAdd(1, ordering: .relaxed)
            jitter.didConceal(kept)
            queue.append(UnsafeBufferPointer(rebasing: frame[made - kept..<made]))
            return true
        case .conceal(let count): return conceal(count, counted: true)
        case .comfort(let count): return conceal(count, counted: false)
        }
    }

    private func conceal(_ count: Int, counted: Bool) -> Bool {
        let made = fillConcealment(count: count)
        guard made > 0 else { return false }
        jitter.didConceal(made)
        if counted { port.figures.concealedSamples.wrappingAdd(UInt64(made), ordering: .relaxed) }
        queue.append(UnsafeBufferPointer(rebasing: frame[..<made]))
        return true
    }

    private func fillConcealment(count: Int) -> Int {
        decoder?.conceal(count: count, into: UnsafeMutableBufferPointer(rebasing: frame[..<5760])) ?? 0
    }

    private func use(_ new: AudioDecoder) {
        guard decoder !== new else { return }
        decoder = new
        if new.kind.sampleRate != rate { queue.removeAll() }
        rate = new.kind.sampleRate
        port.figures.codec.store(new.kind.rawValue, ordering: .relaxed)
        if !isReceiving {
            isReceiving = true
            sink?.start(rate: rate)
        }
    }

    /// This tick's samples to the file, at the rate of the first codec.
    private func deliver(_ samples: UnsafeMutableBufferPointer<Int16>, silent: Bool) {
        guard let sink, let wanted = sink.rate else { return }
        if silent { samples.update(repeating: 0) }
        // What is sent in this tick is made later: its memory is free.
        if let converter = toSink[silent ? 8000 : rate, wanted] {
            let n = converter.process(UnsafeBufferPointer(samples), into: sending)
            sink.push(UnsafeBufferPointer(rebasing: sending[..<n]))
        } else {
            sink.push(UnsafeBufferPointer(samples))
        }
    }

    private func publish() {
        let figures = port.figures
        figures.receivedLevel.store(receivedLevel.hundredths, ordering: .relaxed)
        figures.late.store(jitter.counters.late, ordering: .relaxed)
        figures.discarded.store(jitter.counters.discarded &+ unknownPackets &+ undecodable, ordering: .relaxed)
        if let delay = jitter.meanDelayMs { figures.delay.store(Int(min(delay, 60000) * 1000), ordering: .relaxed) }
        figures.target.store(Int(jitter.target / 1000), ordering: .relaxed)
    }
}
