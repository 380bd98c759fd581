import CALSA
import Glibc

/// One direction of an ALSA PCM at 48 kHz, 16 bits, mono (or the first of two channels). Never blocks outside `wait`.
///
/// Belongs to one thread at a time.
final class ALSAStream {
    enum Direction {
        case capture
        case playback
    }
    enum Outcome: Equatable {
        case frames(Int)
        /// Overrun, underrun or suspend, recovered: the stream goes on.
        case recovered
        /// Unplugged, server gone: of no more use.
        case lost(Int32)
    }

    let name: String
    let direction: Direction
    private let pcm: OpaquePointer
    private let channels: Int
    let bufferFrames: Int
    private(set) var recoveries = 0
    private let scratch: UnsafeMutablePointer<Int16>
    private static let scratchFrames = 4800

    /// - Parameter name: nil is ALSA's "default".
    init(name: String?, direction: Direction) throws(AudioDeviceError) {
        calsa_silence()
        let device = name ?? "default"
        self.name = device
        self.direction = direction
        let label = "audio \(direction == .capture ? "input" : "output") alsa:\(device)"
        var handle: OpaquePointer?
        let stream = direction == .capture ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK
        let opened = snd_pcm_open(&handle, device, stream, SND_PCM_NONBLOCK)
        guard opened >= 0, let handle else {
            throw AudioDeviceError(.unavailable, "\(label): \(Self.text(opened)) (see \"sidetone devices\")")
        }
        var chosen = 1
        var failure = Self.configure(handle, channels: 1)
        if failure < 0 {
            chosen = 2
            failure = Self.configure(handle, channels: 2)
        }
        var bufferSize: snd_pcm_uframes_t = 0
        var periodSize: snd_pcm_uframes_t = 0
        if failure >= 0 { failure = snd_pcm_get_params(handle, &bufferSize, &periodSize) }
        guard failure >= 0 else {
            snd_pcm_close(handle)
            throw AudioDeviceError(.unavailable, "\(label): 48 kHz 16-bit is refused: \(Self.text(failure))")
        }
        pcm = handle
        channels = chosen
        bufferFrames = Int(clamping: bufferSize)
        scratch = .allocate(capacity: Self.scratchFrames * 2)
        scratch.initialize(repeating: 0, count: Self.scratchFrames * 2)
        setWakeLevel()
        begin()
    }

    deinit {
        snd_pcm_drop(pcm)
        snd_pcm_close(pcm)
        scratch.deallocate()
    }

    static func text(_ code: Int32) -> String { snd_strerror(code).map { String(cString: $0) } ?? "error \(code)" }

    private static func configure(_ pcm: OpaquePointer, channels: UInt32) -> Int32 {
        var parameters: OpaquePointer?
        guard snd_pcm_hw_params_malloc(&parameters) == 0 else { return -ENOMEM }
        defer { snd_pcm_hw_params_free(parameters) }
        var period: snd_pcm_uframes_t = 960
        var buffer: snd_pcm_uframes_t = 2880
        var code = snd_pcm_hw_params_any(pcm, parameters)
        guard code >= 0 else { return code }
        code = snd_pcm_hw_params_set_access(pcm, parameters, SND_PCM_ACCESS_RW_INTERLEAVED)
        guard code >= 0 else { return code }
        code = snd_pcm_hw_params_set_format(pcm, parameters, SND_PCM_FORMAT_S16_LE)
        guard code >= 0 else { return code }
        code = snd_pcm_hw_params_set_channels(pcm, parameters, channels)
        guard code >= 0 else { return code }
        code = snd_pcm_hw_params_set_rate(pcm, parameters, 48000, 0)
        guard code >= 0 else { return code }
        _ = snd_pcm_hw_params_set_period_size_near(pcm, parameters, &period, nil)
        _ = snd_pcm_hw_params_set_buffer_size_near(pcm, parameters, &buffer)
        return snd_pcm_hw_params(pcm, parameters)
    }

    /// Playback starts when two ticks are queued and wakes the thread when one is left.
    private func setWakeLevel() {
        var parameters: OpaquePointer?
        guard snd_pcm_sw_params_malloc(&parameters) == 0 else { return }
        defer { snd_pcm_sw_params_free(parameters) }
        guard snd_pcm_sw_params_current(pcm, parameters) >= 0 else { return }
        let start = direction == .playback ? min(1920, bufferFrames) : 1
        _ = snd_pcm_sw_params_set_start_threshold(pcm, parameters, snd_pcm_uframes_t(start))
        _ = snd_pcm_sw_params_set_avail_min(pcm, parameters, snd_pcm_uframes_t(wakeFrames))
        _ = snd_pcm_sw_params(pcm, parameters)
    }

    /// Free (playback) or filled (capture) frames at which a tick is due. After repeated underruns three ticks are queued instead of two.
    var wakeFrames: Int {
        guard direction == .playback else { return 960 }
        return max(960, bufferFrames - (recoveries < 3 ? 960 : 1920))
    }

    private func begin() {
        if direction == .capture {
            _ = snd_pcm_start(pcm)
        } else {
            // One tick of silence ahead of the first real one.
            scratch.update(repeating: 0, count: 960 * channels)
            _ = snd_pcm_writei(pcm, scratch, 960)
        }
    }

    /// Frames that can be read or written now.
    func available() -> Outcome {
        let n = snd_pcm_avail_update(pcm)
        return n < 0 ? recover(Int32(clamping: n)) : .frames(Int(n))
    }

    /// Blocks until the driver says that the wake level is reached, or that something is wrong. False on time-out.
    func wait(milliseconds: Int) -> Bool { snd_pcm_wait(pcm, Int32(clamping: milliseconds)) != 0 }

    /// Reads what is there, at most `output.count` frames.
    func read(into output: UnsafeMutableBufferPointer<Int16>) -> Outcome {
        let wanted = min(output.count, Self.scratchFrames)
        let n = snd_pcm_readi(pcm, scratch, snd_pcm_uframes_t(wanted))
        if n == -Int(EAGAIN) { return .frames(0) }
        guard n >= 0 else { return recover(Int32(clamping: n)) }
        for i in 0..<Int(n) { output[i] = channels == 1 ? scratch[i] : scratch[2 * i] }
        return .frames(Int(n))
    }

    /// Writes as many frames as there is room for.
    func write(_ input: UnsafeBufferPointer<Int16>) -> Outcome {
        let count = min(input.count, Self.scratchFrames)
        for i in 0..<count {
            if channels == 1 {
                scratch[i] = input[i]
            } else {
                scratch[2 * i] = input[i]
                scratch[2 * i + 1] = input[i]
            }
        }
        let n = snd_pcm_writei(pcm, scratch, snd_pcm_uframes_t(count))
        if n == -Int(EAGAIN) { return .frames(0) }
        return n < 0 ? recover(Int32(clamping: n)) : .frames(Int(n))
    }

    private func recover(_ code: Int32) -> Outcome {
        recoveries += 1
        var result = code
        if code == -ESTRPIPE {
            result = snd_pcm_resume(pcm)
            if result == -EAGAIN { return .recovered }
            if result < 0 { result = snd_pcm_prepare(pcm) }
        } else if code == -EPIPE {
            result = snd_pcm_prepare(pcm)
        } else if code == -EINTR {
            return .recovered
        }
        guard result >= 0 else { return .lost(code) }
        setWakeLevel()
        begin()
        return .recovered
    }
}
