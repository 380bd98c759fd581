import ArgumentParser
import CPlatform
import Core
import Engine
import Glibc
import Interface
import RTP
import Runtime
import Screen
import Terminal

/// The full-screen phone, the default command.
struct PhoneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "phone", shouldDisplay: false)

    @OptionGroup var shared: SharedOptions

    func run() throws {
        if shared.json { throw UsageError("--json: the full-screen phone prints no lines; use sidetone call or sidetone answer") }
        try Self.show(Settings(shared.choices(), role: .screen))
    }

    /// Runs the phone on the terminal; always throws its exit code.
    static func show(_ settings: Settings) throws {
        var settings = settings
        guard isatty(0) == 1, isatty(1) == 1 else { throw UsageError(TerminalError.notATerminal.description) }
        try settings.log.open(settings.logOrigin)
        let descriptor = settings.log.descriptor
        let log = Log(settings: settings.log) { text in if let descriptor { Output.line(descriptor, text) } }
        if settings.video.output == .terminal { throw settings.video.outputOrigin.error("the full-screen phone shows the picture by the key v") }
        let mailbox = Mailbox<Snapshot>()
        let pictures = Mailbox<CallPicture>()
        let box = ClientBox()
        let view = VideoView(show: { pictures.post($0) }, needKeyFrame: { box.post(.command(.requestKeyFrame($0))) })
        let once = settings.once
        let host = try PhoneHost.start(
            settings, log: log, wantsSnapshots: true, box: box,
            event: { event in
                if case .callIncoming = event.event { mailbox.ringBell() }
                if once, case .result = event.event { box.post(.command(.quit)) }
            },
            snapshot: { mailbox.post($0) }, frame: { view.take($0, $1.bytes, isKeyFrame: $1.isKeyFrame) }, finished: { mailbox.finish() })
        let session: TerminalSession
        do {
            session = try TerminalSession(errorLog: settings.log.file)
        } catch {
            throw UsageError("\(error)")
        }
        host.openDevices {}
        let noColour = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let model = Model(
            theme: .fitting(hasColours: session.hasColours, noColour: noColour),
            pictureColours: noColour ? .monochrome : session.pictureColours, utcOffsetSeconds: Int(platform_utc_offset(platform_wall_ms() / 1000))
        )
        let client = host.client
        if let limit = settings.runLimit { client.post(.command(.quit), after: limit) }
        let cause = ScreenLoop(
            session: session, model: model, mailbox: mailbox, pictures: pictures, signals: Signals.descriptor,
            send: { command in
                if case .viewVideo(let call, let isWatched) = command { view.watch(isWatched ? call : nil) }
                client.post(.command(command))
            },
            onSignal: { client.post(.interrupted(signal: $0)) }
        ).run()
        switch cause {
        case .quit: throw ExitCode(0)
        case .signal(let number): throw ExitCode(Signals.exitCode(number))
        case .forced(let signal), .timedOut(let signal): throw ExitCode(signal.map(Signals.exitCode) ?? 0)
        }
    }
}
