import Core
import Engine
import Interface
import Runtime

/// A phone without a screen: `call` and `answer`.
struct HeadlessPhone {
    let host: PhoneHost
    let output: Output

    /// - Parameter event: on the loop's thread, after the event was queued for printing; `post` is the door to the phone.
    static func start(_ settings: Settings, event: @escaping @Sendable (TimedEvent, _ post: (PhoneInput) -> Void) -> Void) throws -> HeadlessPhone {
        var settings = settings
        try settings.log.open(settings.logOrigin)
        let output = Output(json: settings.json, log: settings.log)
        let descriptor = settings.log.descriptor ?? 2
        let log = Log(settings: settings.log) { output.add(descriptor, $0, isDispensable: true) }
        let box = ClientBox()
        let host = try PhoneHost.start(
            settings, log: log, wantsSnapshots: false, box: box,
            event: {
                output.event($0)
                event($0) { box.post($0) }
            }, finished: { output.finish() })
        return HeadlessPhone(host: host, output: output)
    }

    /// Blocks until the phone is done: the signal that ended it, or nil.
    /// - Parameters: first: posted once the audio devices are known; readerLeft: nobody reads standard output any more.
    func run(limit: Duration?, first: PhoneInput?, readerLeft: @escaping () -> Void) -> Int32? {
        let client = host.client
        host.openDevices { if let first { client.post(first) } }
        return HeadlessLoop(output: output, post: { client.post($0) }, limit: limit, readerLeft: readerLeft).run()
    }
}
