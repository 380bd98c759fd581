import COpus

/// How speech is encoded. Every value may change between frames.
public struct OpusEncoderConfiguration: Sendable, Hashable {
    /// Bits a second.
    public var bitrate: Int
    /// 0…10: CPU against quality.
    public var complexity: Int
    /// Send a copy of the last frame when loss is expected (RFC 6716 §2.1.7).
    public var inbandFEC: Bool
    /// Percent of packets that the receiver is expected to lose; 0 sends no copies.
    public var expectedLossPercent: Int

    public init(bitrate: Int = 32000, complexity: Int = 5, inbandFEC: Bool = true, expectedLossPercent: Int = 10) {
        self.bitrate = bitrate
        self.complexity = complexity
        self.inbandFEC = inbandFEC
        self.expectedLossPercent = expectedLossPercent
    }
}

/// libopus' encoder at 48 kHz, mono, tuned for speech. Belongs to one thread at a time. Does not allocate after `init`.
public final class OpusEncoder {
    private let state: OpaquePointer

    public init(_ configuration: OpusEncoderConfiguration = .init()) throws(CodecError) {
        var code: Int32 = 0
        guard let state = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &code), code == OPUS_OK else {
            throw .unavailable(code: code)
        }
        self.state = state
        _ = opus_enc_set(state, OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE)
        apply(configuration)
    }

    deinit { opus_encoder_destroy(state) }

    public func apply(_ configuration: OpusEncoderConfiguration) {
        _ = opus_enc_set(state, OPUS_SET_BITRATE_REQUEST, Int32(clamping: min(510_000, max(6000, configuration.bitrate))))
        _ = opus_enc_set(state, OPUS_SET_COMPLEXITY_REQUEST, Int32(clamping: min(10, max(0, configuration.complexity))))
        _ = opus_enc_set(state, OPUS_SET_INBAND_FEC_REQUEST, configuration.inbandFEC ? 1 : 0)
        setExpectedLoss(percent: configuration.expectedLossPercent)
    }

    /// What the receiver's reports say (0…100).
    public func setExpectedLoss(percent: Int) {
        _ = opus_enc_set(state, OPUS_SET_PACKET_LOSS_PERC_REQUEST, Int32(clamping: min(100, max(0, percent))))
    }

    /// One frame of 120, 240, 480, 960, 1920 or 2880 samples. Returns the payload's bytes.
    public func encode(_ samples: UnsafeBufferPointer<Int16>, into payload: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        guard let input = samples.baseAddress, let output = payload.baseAddress, !payload.isEmpty else { throw .frameSize }
        let capacity = min(payload.count, 1275)
        let written = opus_encode(
            state, input, Int32(clamping: samples.count), output.assumingMemoryBound(to: UInt8.self), Int32(clamping: capacity))
        guard written > 0 else { throw .malformed(code: written) }
        return Int(written)
    }

    public func reset() { _ = opus_enc_reset(state) }
}
