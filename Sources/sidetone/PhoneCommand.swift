import ArgumentParser
import CPlatform
import Core
import Engine
import Glibc
import Interface
import Runtime
import Screen
import Terminal

struct PhoneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phone", abstract: "The full-screen phone (the default).",
        discussion: """
            Type a SIP address, or "echo", and press Enter; F1 shows the keys.

            Examples:
              sidetone
              sidetone --no-config --audio-in tone:440
            """, shouldDisplay: false)

    @OptionGroup(title: "Shared options") var shared: SharedOptions

    func run() throws {
        let settings = try Settings(shared, role: .screen)
        if settings.json { throw UsageError("--json: the full-screen phone prints no lines; use call or answer") }
        guard isatty(0) == 1, isatty(1) == 1 else { throw UsageError(TerminalError.notATerminal.description) }
        let mailbox = Mailbox<Snapshot>()
        let host = try PhoneHost.start(
            settings, wantsSnapshots: true, event: { event in if case .callIncoming = event.event { mailbox.ringBell() } },
            snapshot: { mailbox.post($0) }, finished: { mailbox.finish() })
        let session: TerminalSession
        do {
            session = try TerminalSession(errorLog: settings.log.file)
        } catch {
            throw UsageError("\(error)")
        }
        let noColour = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let model = Model(
            theme: .fitting(hasColours: session.hasColours, noColour: noColour), utcOffsetSeconds: Int(platform_utc_offset(platform_wall_ms() / 1000)))
        let client = host.client
        let cause = ScreenLoop(
            session: session, model: model, mailbox: mailbox, signals: Signals.descriptor, send: { client.post(.command($0)) },
            onSignal: { client.post(.interrupted(signal: $0)) }
        ).run()
        switch cause {
        case .quit: throw ExitCode(0)
        case .signal(let number): throw ExitCode(number == SIGINT ? 130 : 143)
        case .forced(let signal), .timedOut(let signal): throw ExitCode(signal == SIGINT ? 130 : signal == nil ? 0 : 143)
        }
    }
}
