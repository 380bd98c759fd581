import Codecs
import Engine
import Glibc

/// `--video-in`, `--video-out` and `--codec VP8`.
extension Settings {
    struct Video: Sendable {
        var input = VideoSpec.none
        var inputOrigin = Origin.option("video-in")
        var output = VideoSpec.none
        var outputOrigin = Origin.option("video-out")
    }

    mutating func readVideo(_ choices: Choices, role: Role) throws {
        if let given = choices.value("video-in") {
            video.input = try VideoSpec.read(given, .input)
            video.inputOrigin = given.origin
        }
        if let given = choices.value("video-out") {
            video.output = try VideoSpec.read(given, .output)
            video.outputOrigin = given.origin
        }
        if case .file(let input) = video.input, case .file(let output) = video.output, TextFile.isSame(input, output) {
            throw video.outputOrigin.error("\(quoted(output)) is the file that is sent: it would be written over")
        }
        if let echo = choices.origin(flag: "echo"), video.input != .none {
            // An option stands before a key of the file; both at the same place contradict each other.
            guard video.inputOrigin.isOption != echo.isOption else { throw echo.error("stands instead of video-in: give one of them") }
            if echo.isOption { video.input = .none } else { phone.isEcho = false }
        }
        if case .file(let path) = video.input { phone.videoSource = .file(try Settings.pictures(path, video.inputOrigin)) }
        // The full-screen phone shows a picture when a key asks for it.
        phone.receivesVideo = video.output != .none || role == .screen
        let isNamed = choices.all("codec").contains { $0.text.lowercased() == "vp8" }
        phone.offersVideo = isNamed || video.input != .none || video.output != .none
        // The full-screen phone takes a picture that is offered: a key shows it.
        phone.takesOfferedVideo = phone.offersVideo || phone.isEcho || role == .screen
    }

    private static func pictures(_ path: String, _ origin: Origin) throws -> IVFFile {
        guard let bytes = TextFile.bytes(path, limit: IVFFile.byteLimit) else {
            throw origin.error("\(quoted(path)): \(errno == EFBIG ? "larger than \(IVFFile.byteLimit >> 20) MiB" : String(cString: strerror(errno)))")
        }
        do throws(IVFError) {
            return try IVFFile(bytes)
        } catch {
            throw origin.error("\(quoted(path)): \(error)")
        }
    }
}
