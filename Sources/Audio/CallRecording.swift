import Core

/// Both sides of one stream, interleaved at 48 kHz: left what is sent, right what is received. Its memory is made before the tick uses it.
///
/// Begins with the first packet in either direction and runs on in real time, silence included.
final class CallRecording {
    static let channels = 2
    let sink: PCMSink
    private let frame: UnsafeMutableBufferPointer<Int16>
    private var hasBegun = false

    init(sink: PCMSink) {
        self.sink = sink
        frame = .allocate(capacity: 960 * Self.channels)
        frame.initialize(repeating: 0)
    }

    deinit { frame.deallocate() }

    /// One tick of 960 samples each; nil: silence.
    func add(sent: UnsafeMutableBufferPointer<Int16>?, received: UnsafeMutableBufferPointer<Int16>?) {
        guard hasBegun || sent != nil || received != nil else { return }
        if !hasBegun {
            hasBegun = true
            sink.start(rate: 48000)
        }
        for i in 0..<960 {
            frame[2 * i] = sent?[i] ?? 0
            frame[2 * i + 1] = received?[i] ?? 0
        }
        sink.push(UnsafeBufferPointer(frame))
    }
}
