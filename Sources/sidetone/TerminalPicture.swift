import Engine
import Interface
import RTP
import Screen
import Synchronization
import Terminal

/// `--video-out terminal`: the picture of the first call that has one, above the lines of a command without a screen.
final class TerminalPicture: Sendable {
    /// The newest picture, for the main thread.
    let pictures = Mailbox<CallPicture>()
    private let post: @Sendable (PhoneInput) -> Void
    private let view: VideoView
    private let watched = Mutex<CallID?>(nil)

    /// Why the terminal cannot show pictures, as a usage error.
    static func check(_ settings: Settings) throws {
        guard settings.video.output == .terminal, let why = PicturePainter.refusal(json: settings.json) else { return }
        throw UsageError(why)
    }

    /// - Parameter post: the door to the phone.
    init(post: @escaping @Sendable (PhoneInput) -> Void) {
        self.post = post
        let pictures = pictures
        view = VideoView(show: { pictures.post($0) }, needKeyFrame: { post(.command(.requestKeyFrame($0))) })
    }

    /// Takes over standard output's terminal; main thread.
    func painter() throws -> PicturePainter {
        do {
            return try PicturePainter(colours: PicturePainter.colours(environment: PicturePainter.environment))
        } catch {
            throw UsageError("--video-out terminal: \(error)")
        }
    }

    /// A frame came; the first call that sends one is the one that is looked at.
    func take(_ call: CallID, _ frame: VP8Frame) {
        let isFirst = watched.withLock { watched in
            defer { watched = watched ?? call }
            return watched == nil
        }
        if isFirst {
            view.watch(call)
            if !frame.isKeyFrame { post(.command(.requestKeyFrame(call))) }
        }
        view.take(call, frame.bytes, isKeyFrame: frame.isKeyFrame)
    }

    func ended(_ call: CallID) {
        let wasWatched = watched.withLock { watched in
            guard watched == call else { return false }
            watched = nil
            return true
        }
        if wasWatched { view.watch(nil) }
    }
}
