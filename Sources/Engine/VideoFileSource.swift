import Codecs
import Core

/// The frames of an IVF file at their own times, looped; goes back to a key frame when the peer asks for one.
struct VideoFileSource {
    struct Frame {
        var bytes: ArraySlice<UInt8>
        var isKeyFrame: Bool
        /// Units of 1/90,000 s since the start; goes on over the end of the file.
        var mediaTime: UInt64
    }

    private let file: IVFFile
    /// The frame that is sent next.
    private var index = 0
    /// When media time 0 was; nil before the start.
    private var origin: Instant?
    private var mediaTime: UInt64 = 0
    private var wantsKeyFrame = false

    /// A sender that was stopped for longer than this goes on from where it was, without a burst.
    private static let patience = Duration.milliseconds(500)

    init(_ file: IVFFile) { self.file = file }

    /// When the next frame is due; nil before `start`.
    var deadline: Instant? { origin.map { $0 + .nanoseconds(Int64(clamping: mediaTime &* 100_000 / 9)) } }

    /// Begins with the first frame, or goes on; a no-op when it runs already.
    mutating func start(at now: Instant) {
        guard origin == nil else { return }
        origin = now - .nanoseconds(Int64(clamping: mediaTime &* 100_000 / 9))
    }

    /// Nothing is due any more until `start`.
    mutating func stop() { origin = nil }

    /// The next frame sent is a key frame.
    mutating func requestKeyFrame() { wantsKeyFrame = true }

    /// The frame that is due; nil before its time.
    mutating func next(at now: Instant) -> Frame? {
        guard let deadline, deadline <= now, !file.frames.isEmpty else { return nil }
        if now - deadline > Self.patience {
            origin = nil
            start(at: now)
        }
        if wantsKeyFrame {
            wantsKeyFrame = false
            // The picture jumps back by as little as possible.
            index = file.keyFrame(atOrBefore: index) ?? 0
        }
        let frame = file.frames[index]
        defer {
            mediaTime &+= file.duration(of: index)
            index = (index + 1) % file.frames.count
        }
        return Frame(bytes: file.bytes(of: index), isKeyFrame: frame.isKeyFrame, mediaTime: mediaTime)
    }
}
