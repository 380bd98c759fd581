import COpus
import Codecs
import Core

/// Codecs per second of audio, Opus beside libopus alone with the same settings.
enum CodecBenchmarks {
    static func run() throws {
        Report.head("Codecs, CPU for one second of audio (20 ms frames)")
        let voice = Voice.samples(seconds: 4)
        for complexity in [5, 9, 10] { try opus(voice, complexity: complexity) }
        let narrow = Voice.samples(seconds: 4, rate: 8000)
        let encoder = try AudioEncoder(.pcmu)
        let decoder = try AudioDecoder(.pcmu)
        var samples = [Int16](repeating: 0, count: 160)
        var bytes = [UInt8](repeating: 0, count: 160)
        let measured = try Measure.alone(items: 4) {
            narrow.withUnsafeBufferPointer { input in
                bytes.withUnsafeMutableBytes { payload in
                    samples.withUnsafeMutableBufferPointer { output in
                        for frame in 0..<input.count / 160 {
                            keep(encoder.encode(UnsafeBufferPointer(rebasing: input[frame * 160..<(frame + 1) * 160]), into: payload))
                            keep(decoder.decode(UnsafeRawBufferPointer(payload), into: output))
                        }
                    }
                }
            }
        }
        Report.line("PCMU encoded and decoded", measured)
    }

    private static func opus(_ voice: [Int16], complexity: Int) throws {
        let configuration = OpusEncoderConfiguration(complexity: complexity)
        let encoder = try AudioEncoder(.opus, opus: configuration)
        let decoder = try AudioDecoder(.opus)
        let bare = try BareOpus(configuration)
        let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: 1275, alignment: 16)
        let output = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 5760)
        output.initialize(repeating: 0)
        defer {
            payload.deallocate()
            output.deallocate()
        }
        let seconds = voice.count / 48000
        let results = try voice.withUnsafeBufferPointer { input in
            let frames = (0..<input.count / 960).map { UnsafeBufferPointer(rebasing: input[$0 * 960..<($0 + 1) * 960]) }
            return try Measure.turns(
                rounds: 7, items: seconds,
                [
                    {
                        for frame in frames {
                            let n = encoder.encode(frame, into: payload)
                            keep(decoder.decode(UnsafeRawBufferPointer(rebasing: payload[..<n]), into: output))
                        }
                    },
                    { for frame in frames { bare.run(frame, payload, output) } },
                    { for frame in frames { keep(encoder.encode(frame, into: payload)) } },
                ])
        }
        Report.compare("Opus complexity \(complexity): encoded and decoded", results[0], results[1], bareName: "libopus")
        Report.line("  of that, encoded", results[2])
    }
}

/// libopus as its manual says, with nothing around it.
private final class BareOpus {
    private let encoder: OpaquePointer
    private let decoder: OpaquePointer

    struct Failure: Error { var code: Int32 }

    init(_ configuration: OpusEncoderConfiguration) throws {
        var code: Int32 = 0
        guard let encoder = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &code), let decoder = opus_decoder_create(48000, 1, &code) else {
            throw Failure(code: code)
        }
        self.encoder = encoder
        self.decoder = decoder
        _ = opus_enc_set(encoder, OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE)
        _ = opus_enc_set(encoder, OPUS_SET_BITRATE_REQUEST, Int32(configuration.bitrate))
        _ = opus_enc_set(encoder, OPUS_SET_COMPLEXITY_REQUEST, Int32(configuration.complexity))
        _ = opus_enc_set(encoder, OPUS_SET_INBAND_FEC_REQUEST, configuration.inbandFEC ? 1 : 0)
        _ = opus_enc_set(encoder, OPUS_SET_PACKET_LOSS_PERC_REQUEST, Int32(configuration.expectedLossPercent))
    }

    deinit {
        opus_encoder_destroy(encoder)
        opus_decoder_destroy(decoder)
    }

    func run(_ frame: UnsafeBufferPointer<Int16>, _ payload: UnsafeMutableRawBufferPointer, _ output: UnsafeMutableBufferPointer<Int16>) {
        guard let input = frame.baseAddress, let bytes = payload.baseAddress?.assumingMemoryBound(to: UInt8.self), let samples = output.baseAddress
        else { return }
        let n = opus_encode(encoder, input, 960, bytes, 1275)
        keep(opus_decode(decoder, bytes, n, samples, 5760, 0))
    }
}
