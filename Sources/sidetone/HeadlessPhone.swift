import Core
import Engine
import Glibc
import Interface
import Runtime

/// A phone without a screen: `call` and `answer`.
struct HeadlessPhone {
    let host: PhoneHost
    let output: Output
    private let picture: TerminalPicture?

    /// - Parameter event: on the loop's thread, after the event was queued for printing; `post` is the door to the phone.
    static func start(_ settings: Settings, event: @escaping @Sendable (TimedEvent, _ post: (PhoneInput) -> Void) -> Void) throws -> HeadlessPhone {
        var settings = settings
        try TerminalPicture.check(settings)
        try settings.log.open(settings.logOrigin)
        let output = Output(json: settings.json, log: settings.log, showsCodes: settings.web != nil && isatty(1) == 1)
        let descriptor = settings.log.descriptor ?? 2
        let log = Log(settings: settings.log) { output.add(descriptor, $0, isDispensable: true) }
        let box = ClientBox()
        let picture = settings.video.output == .terminal ? TerminalPicture { box.post($0) } : nil
        let host = try PhoneHost.start(
            settings, log: log, wantsSnapshots: false, box: box,
            event: {
                output.event($0)
                if case .result(let result) = $0.event { picture?.ended(result.call) }
                event($0) { box.post($0) }
            }, frame: { picture?.take($0, $1) }, finished: { output.finish() })
        return HeadlessPhone(host: host, output: output, picture: picture)
    }

    /// Blocks until the phone is done: the signal that ended it, or nil.
    /// - Parameters: first: posted once the audio devices are known; readerLeft: nobody reads standard output any more.
    func run(limit: Duration?, first: PhoneInput?, readerLeft: @escaping () -> Void) throws -> Int32? {
        let client = host.client
        // Before the first call: a terminal that cannot be had ends the program here.
        let painter = try picture?.painter()
        host.openDevices { if let first { client.post(first) } }
        return HeadlessLoop(
            output: output, post: { client.post($0) }, limit: limit, readerLeft: readerLeft, pictures: picture?.pictures, painter: painter
        ).run()
    }
}
