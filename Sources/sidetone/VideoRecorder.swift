import AudioIO
import Codecs
import Core
import Engine
import Glibc
import Interface
import RTP
import Synchronization

/// `--video-out file:PATH.ivf`: the frames of each call as they came, bit for bit. Told on the loop's thread, written on another.
final class VideoRecorder: Sendable {
    private enum Item: Sendable {
        case frame(CallID, VP8Frame)
        case end(CallID)
    }

    /// Frames that may wait for a slow disk; beyond it they are left out.
    private static let capacity = 1024

    private let queue: AsyncStream<Item>.Continuation
    private let writing: Task<Void, Never>
    private let tell: @Sendable (String) -> Void

    /// Makes the first call's file now. Throws one line when it cannot be made.
    /// - Parameter tell: a warning for the person, from any thread.
    init(path: String, origin: Origin, tell: @escaping @Sendable (String) -> Void) throws {
        guard let first = IVFOutput(path: path) else { throw origin.error("\(quoted(path)): \(String(cString: strerror(errno)))") }
        let (items, queue) = AsyncStream.makeStream(of: Item.self, bufferingPolicy: .bufferingOldest(VideoRecorder.capacity))
        self.queue = queue
        self.tell = tell
        var files = Files(path: path, first: first, tell: tell)
        writing = Task.detached {
            for await item in items {
                switch item {
                case .frame(let call, let frame): files.write(frame, of: call)
                case .end(let call): files.close(call)
                }
            }
            files.closeAll()
        }
    }

    func take(_ call: CallID, _ frame: VP8Frame) {
        if case .dropped = queue.yield(.frame(call, frame)) { tell("the disk is too slow: frames of the recording are missing") }
    }

    func ended(_ call: CallID) { queue.yield(.end(call)) }

    /// Returns when all is written.
    func finish() {
        queue.finish()
        let writing = writing
        Blocking.wait { await writing.value }
    }
}

/// The files of one recorder.
private struct Files: ~Copyable {
    private let path: String
    private var waiting: IVFOutput?
    private var open: [CallID: IVFOutput] = [:]
    /// Calls whose file cannot be made or written: told once.
    private var failed: Set<CallID> = []
    private var isFirst = true
    private let tell: @Sendable (String) -> Void

    init(path: String, first: IVFOutput, tell: @escaping @Sendable (String) -> Void) {
        self.path = path
        waiting = first
        self.tell = tell
    }

    mutating func write(_ frame: VP8Frame, of call: CallID) {
        guard !failed.contains(call), let file = open[call] ?? make(call) else { return }
        if !file.write(frame) {
            failed.insert(call)
            tell("\(file.path): \(String(cString: strerror(errno))); the recording stops here")
        }
    }

    /// The first call with video has the name as given, later ones carry their number.
    private mutating func make(_ call: CallID) -> IVFOutput? {
        var file = waiting
        waiting = nil
        if !isFirst {
            let name = AudioEngine.path(path, label: call.description)
            file = IVFOutput(path: name)
            if file == nil {
                failed.insert(call)
                tell("\(name): \(String(cString: strerror(errno)))")
            }
        }
        isFirst = false
        open[call] = file
        return file
    }

    mutating func close(_ call: CallID) {
        failed.remove(call)
        open.removeValue(forKey: call)?.close()
    }

    mutating func closeAll() {
        for file in open.values { file.close() }
        open = [:]
        waiting?.close()
    }
}
