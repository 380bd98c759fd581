import COpus

/// libopus' decoder to 48 kHz mono (a stereo packet is mixed down). Belongs to one thread at a time. Does not allocate after `init`.
public final class OpusDecoder {
    private let state: OpaquePointer

    public init() throws(CodecError) {
        var code: Int32 = 0
        guard let state = opus_decoder_create(48000, 1, &code), code == OPUS_OK else { throw .unavailable(code: code) }
        self.state = state
    }

    deinit { opus_decoder_destroy(state) }

    /// Decodes one packet (up to 120 ms, 5760 samples). Returns the samples written.
    public func decode(_ packet: UnsafeRawBufferPointer, into samples: UnsafeMutableBufferPointer<Int16>) throws(CodecError) -> Int {
        guard !packet.isEmpty else { throw .malformed(code: OPUS_INVALID_PACKET) }
        return try run(packet, into: samples, count: samples.count, redundancy: false)
    }

    /// The frame before `packet`, from the copy inside it (RFC 6716 §2.1.7); concealment when it has none.
    public func decodeRedundancy(
        of packet: UnsafeRawBufferPointer, count: Int, into samples: UnsafeMutableBufferPointer<Int16>
    ) throws(CodecError) -> Int {
        guard !packet.isEmpty else { throw .malformed(code: OPUS_INVALID_PACKET) }
        return try run(packet, into: samples, count: count, redundancy: true)
    }

    /// What a lost frame of `count` samples (a multiple of 120) may have sounded like.
    public func conceal(count: Int, into samples: UnsafeMutableBufferPointer<Int16>) throws(CodecError) -> Int {
        try run(nil, into: samples, count: count, redundancy: false)
    }

    public func reset() { _ = opus_dec_reset(state) }

    private func run(
        _ packet: UnsafeRawBufferPointer?, into samples: UnsafeMutableBufferPointer<Int16>, count: Int, redundancy: Bool
    ) throws(CodecError) -> Int {
        guard let output = samples.baseAddress, count > 0, count <= samples.count else { throw .frameSize }
        let bytes = packet?.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let decoded = opus_decode(state, bytes, Int32(clamping: packet?.count ?? 0), output, Int32(clamping: count), redundancy ? 1 : 0)
        guard decoded >= 0 else { throw .malformed(code: decoded) }
        return Int(decoded)
    }
}
