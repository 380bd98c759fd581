import Codecs
import Core
import Interface
import Screen
import Synchronization

/// Decodes the video of the one call that is looked at, beside the main thread and the loop.
///
/// Every frame of a chain is decoded, in order, but only the newest picture is handed on. Frames that wait are few: when
/// decoding falls behind, all of them go, and a key frame is asked for.
public final class VideoView: Sendable {
    /// Frames and bytes that may wait.
    public static let frameLimit = 60
    public static let byteLimit = 8 << 20

    private let queue = VideoQueue()
    private let wake: AsyncStream<Void>.Continuation
    private let needKeyFrame: @Sendable (CallID) -> Void

    /// - Parameters:
    ///   - show: told each new picture, on the decoder's thread.
    ///   - needKeyFrame: the call's peer should send a key frame; told on any thread.
    public init(show: @escaping @Sendable (CallPicture) -> Void, needKeyFrame: @escaping @Sendable (CallID) -> Void) {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.wake = wake
        self.needKeyFrame = needKeyFrame
        let queue = queue
        Task.detached {
            var decoder: VP8Decoder?
            var turn = 0
            for await _ in wakes {
                while let batch = queue.takeBatch() {
                    if batch.turn != turn { decoder = nil }
                    turn = batch.turn
                    do throws(VP8DecoderError) {
                        let own: VP8Decoder
                        if let decoder { own = decoder } else { own = try VP8Decoder() }
                        decoder = own
                        for frame in batch.frames { try own.decode(frame) }
                        if let picture = own.takePicture() { show(CallPicture(call: batch.call, picture: picture)) }
                    } catch {
                        if queue.failed(batch) { needKeyFrame(batch.call) }
                    }
                }
            }
        }
    }

    deinit { wake.finish() }

    /// The call that is looked at from now on, or none.
    public func watch(_ call: CallID?) { queue.watch(call) }

    /// One whole frame of a call; calls that nobody looks at cost nothing. Never blocks.
    public func take(_ call: CallID, _ frame: [UInt8], isKeyFrame: Bool) {
        switch queue.add(frame, isKeyFrame: isKeyFrame, of: call) {
        case .ignored: break
        case .added: wake.yield()
        case .overflowed: needKeyFrame(call)
        }
    }
}

/// The frames that wait for the decoder: never more than a part of one chain, which begins with a key frame.
final class VideoQueue: Sendable {
    struct Batch: Sendable {
        var call: CallID
        /// Which look at a call, and which key frame of it.
        var turn: Int
        var chain: Int
        var frames: [[UInt8]]
    }

    enum Addition: Sendable, Equatable { case ignored, added, overflowed }

    private struct State {
        var call: CallID?
        var turn = 0
        var chain = 0
        var frames: [[UInt8]] = []
        var bytes = 0
        /// Nothing is taken before the next key frame.
        var needsKeyFrame = true

        mutating func clear() {
            frames = []
            bytes = 0
        }
    }

    private let state = Mutex(State())

    func watch(_ call: CallID?) {
        state.withLock { state in
            guard state.call != call else { return }
            state.call = call
            state.turn &+= 1
            state.needsKeyFrame = true
            state.clear()
        }
    }

    func add(_ frame: [UInt8], isKeyFrame: Bool, of call: CallID) -> Addition {
        state.withLock { state in
            guard state.call == call else { return .ignored }
            if isKeyFrame {
                // Nothing before it matters any more.
                state.clear()
                state.chain &+= 1
                state.needsKeyFrame = false
            }
            guard !state.needsKeyFrame else { return .ignored }
            guard state.frames.count < VideoView.frameLimit, state.bytes + frame.count <= VideoView.byteLimit else {
                state.clear()
                state.needsKeyFrame = true
                return .overflowed
            }
            state.frames.append(frame)
            state.bytes += frame.count
            return .added
        }
    }

    /// All that waits, nil when nothing does.
    func takeBatch() -> Batch? {
        state.withLock { state in
            guard let call = state.call, !state.frames.isEmpty else { return nil }
            defer { state.clear() }
            return Batch(call: call, turn: state.turn, chain: state.chain, frames: state.frames)
        }
    }

    /// A batch could not be decoded. Returns whether a key frame has to be asked for: not when one has come since.
    func failed(_ batch: Batch) -> Bool {
        state.withLock { state in
            guard state.turn == batch.turn, state.chain == batch.chain, !state.needsKeyFrame else { return false }
            state.clear()
            state.needsKeyFrame = true
            return true
        }
    }
}
