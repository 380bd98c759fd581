import Glibc
import Interface
import Screen
import Testing

@testable import Terminal

/// A terminal made of a pipe and a script: each wake brings one batch of events.
private final class ScriptedSurface: ScreenSurface {
    let inputDescriptor: Int32
    private var writeEnd: Int32
    private var script: [[ScreenEvent]]
    private(set) var restored = 0
    private(set) var pictures: [CellGrid] = []
    private(set) var invalidated = 0
    private(set) var bells = 0
    var size: (columns: Int, rows: Int) = (80, 24)

    init(_ script: [[ScreenEvent]]) {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        inputDescriptor = ends[0]
        writeEnd = ends[1]
        self.script = script
        if !script.isEmpty { _ = write(writeEnd, "x", 1) }
    }

    deinit {
        close(inputDescriptor)
        if writeEnd >= 0 { close(writeEnd) }
    }

    /// The other end goes away.
    func hangUp() {
        close(writeEnd)
        writeEnd = -1
    }

    func draw(_ grid: CellGrid) { pictures.append(grid) }
    func invalidate() { invalidated += 1 }
    func resize() -> (columns: Int, rows: Int) { size }
    func readEvents() -> [ScreenEvent] { script.isEmpty ? [] : script.removeFirst() }
    func ringBell() { bells += 1 }
    func restore() { restored += 1 }
}

/// Something that reads like a signalfd: records of 128 bytes that start with the signal's number.
private final class ScriptedSignals {
    let descriptor: Int32
    private let writeEnd: Int32

    init(_ numbers: [Int32]) {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        descriptor = ends[0]
        writeEnd = ends[1]
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        for number in numbers {
            var record = [UInt8](repeating: 0, count: 128)
            record[0] = UInt8(number)
            _ = write(writeEnd, record, record.count)
        }
    }

    deinit {
        close(descriptor)
        close(writeEnd)
    }
}

private final class Log {
    var commands: [Command] = []
    var signals: [Int32] = []
}

@Suite struct ScreenLoopTests {
    /// Runs the loop; the phone finishes when told to quit, if `finishes`.
    private func run(_ surface: ScriptedSurface, signals: [Int32] = [], finishes: Bool = true, snapshot: Snapshot? = nil) -> (ExitCause, Log) {
        let mailbox = Mailbox<Snapshot>()
        let log = Log()
        let source = ScriptedSignals(signals)
        if let snapshot { mailbox.post(snapshot) }
        let loop = ScreenLoop(
            session: surface, model: Model(), mailbox: mailbox, signals: source.descriptor,
            send: { command in
                log.commands.append(command)
                if command == .quit, finishes { mailbox.finish() }
            }, onSignal: { log.signals.append($0) })
        return (loop.run(), log)
    }

    @Test func quitWaitsForThePhone() {
        let surface = ScriptedSurface([[.key(.function(10))]])
        let (cause, log) = run(surface)
        #expect(cause == .quit)
        #expect(log.commands == [.quit])
        #expect(surface.restored == 1)
        #expect(!surface.pictures.isEmpty)
    }

    @Test func aSecondQuitEndsAtOnce() {
        let surface = ScriptedSurface([[.key(.function(10))], [.key(.control("c"))]])
        let (cause, log) = run(surface, finishes: false)
        #expect(cause == .forced(signal: nil))
        #expect(log.commands == [.quit])
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func aSignalQuits(_ number: Int32) {
        let surface = ScriptedSurface([])
        let (cause, log) = run(surface, signals: [number])
        #expect(cause == .signal(number))
        #expect(log.commands == [.quit])
        #expect(log.signals == [number])
        #expect(surface.restored == 1)
    }

    @Test func aSecondSignalEndsAtOnce() {
        let (cause, log) = run(ScriptedSurface([]), signals: [SIGTERM, SIGINT], finishes: false)
        #expect(cause == .forced(signal: SIGINT))
        #expect(log.commands == [.quit])
    }

    /// Closing a window sends HUP several times; the phone still has its time, and INT still ends at once.
    @Test func aSecondHangUpIsNotASecondWish() {
        let (cause, log) = run(ScriptedSurface([]), signals: [SIGHUP, SIGHUP, SIGHUP])
        #expect(cause == .signal(SIGHUP))
        #expect(log.commands == [.quit])
        let (second, _) = run(ScriptedSurface([]), signals: [SIGHUP, SIGHUP, SIGINT], finishes: false)
        #expect(second == .forced(signal: SIGINT))
    }

    @Test func aClosedTerminalQuits() {
        let surface = ScriptedSurface([])
        surface.hangUp()
        let (cause, log) = run(surface)
        #expect(cause == .signal(SIGHUP))
        #expect(log.commands == [.quit])
        #expect(surface.restored == 1)
    }

    @Test func aDialedAddressBecomesACommand() {
        let surface = ScriptedSurface(["echo".map { .key(.character($0)) } + [.key(.enter)], [.key(.function(10))]])
        let (_, log) = run(surface)
        #expect(log.commands == [.dial(uri: "echo"), .quit])
    }

    @Test func contAndWinchPaintAgain() {
        let surface = ScriptedSurface([])
        surface.size = (100, 30)
        let (_, _) = run(surface, signals: [SIGWINCH, SIGCONT, SIGTERM])
        #expect(surface.invalidated == 1)
        #expect(surface.pictures.first?.columns == 100)
    }

    @Test func aRingingCallRingsTheBell() {
        var snapshot = Snapshot(time: WallTime(milliseconds: 0))
        snapshot.calls = [CallSnapshot(id: CallID(1), direction: .incoming, state: .ringing, remoteUri: "sip:a@b", startedAt: snapshot.time)]
        let surface = ScriptedSurface([])
        _ = run(surface, signals: [SIGTERM], snapshot: snapshot)
        #expect(surface.bells == 1)
    }

    @Test func theLatestMailWins() {
        let mailbox = Mailbox<Int>()
        mailbox.post(1)
        mailbox.post(2)
        mailbox.ringBell()
        let mail = mailbox.take()
        #expect(mail.latest == 2)
        #expect(mail.bell)
        let empty = mailbox.take()
        #expect(empty.latest == nil)
        #expect(!empty.bell)
        mailbox.finish()
        #expect(mailbox.take().isFinished)
        #expect(mailbox.take().isFinished)
    }

    /// The test runner has no terminal of its own kind: a clear error, and nothing is left changed.
    @Test func withoutATerminalThereIsAnError() {
        guard isatty(0) != 1 || isatty(1) != 1 else { return }
        #expect(throws: TerminalError.notATerminal) { _ = try TerminalSession() }
        #expect(TerminalError.notATerminal.description == "sidetone needs a terminal; use `sidetone call …` without a screen")
    }
}
