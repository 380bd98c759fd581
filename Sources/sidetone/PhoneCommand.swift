import ArgumentParser
import CPlatform
import Core
import Engine
import Glibc
import Interface
import Runtime
import Screen
import Terminal

/// The full-screen phone, the default command.
struct PhoneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "phone", shouldDisplay: false)

    @OptionGroup var shared: SharedOptions

    func run() throws {
        if shared.json { throw UsageError("--json: the full-screen phone prints no lines; use sidetone call or sidetone answer") }
        var settings = try Settings(shared.choices(), role: .screen)
        guard isatty(0) == 1, isatty(1) == 1 else { throw UsageError(TerminalError.notATerminal.description) }
        try settings.log.open(settings.logOrigin)
        let descriptor = settings.log.descriptor
        let log = Log(settings: settings.log) { text in if let descriptor { Output.line(descriptor, text) } }
        let mailbox = Mailbox<Snapshot>()
        let host = try PhoneHost.start(
            settings, log: log, wantsSnapshots: true, box: ClientBox(),
            event: { event in if case .callIncoming = event.event { mailbox.ringBell() } },
            snapshot: { mailbox.post($0) }, finished: { mailbox.finish() })
        let session: TerminalSession
        do {
            session = try TerminalSession(errorLog: settings.log.file)
        } catch {
            throw UsageError("\(error)")
        }
        host.openDevices {}
        let noColour = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let model = Model(
            theme: .fitting(hasColours: session.hasColours, noColour: noColour), utcOffsetSeconds: Int(platform_utc_offset(platform_wall_ms() / 1000))
        )
        let client = host.client
        let cause = ScreenLoop(
            session: session, model: model, mailbox: mailbox, signals: Signals.descriptor, send: { client.post(.command($0)) },
            onSignal: { client.post(.interrupted(signal: $0)) }
        ).run()
        switch cause {
        case .quit: throw ExitCode(0)
        case .signal(let number): throw ExitCode(Signals.exitCode(number))
        case .forced(let signal), .timedOut(let signal): throw ExitCode(signal.map(Signals.exitCode) ?? 0)
        }
    }
}
