import CPlatform
import Core
import Glibc
import Screen

/// A call's picture on the upper part of a terminal, for commands without a full screen: lines scroll below it.
///
/// Uses the alternate screen with escape sequences that xterm and its likes know. Never blocks: what the terminal does not take
/// at once waits, and meanwhile newer pictures replace older ones. To be used on one thread.
public final class PicturePainter {
    /// Rows below the picture for lines.
    static let lineRows = 5
    /// Lines that are shown again when the picture is gone.
    static let keptLines = 500
    private static let smallest = (columns: 10, rows: 8)
    /// Leave the scroll region and the alternate screen, reset colours, show the cursor.
    private static let restoreCodes = "\u{1B}[r\u{1B}[0m\u{1B}[?1049l\u{1B}[?25h"
    private static let enterCodes = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J"

    /// The terminal, opened once more: not to block here makes no difference to the shell's own descriptor.
    public let descriptor: Int32
    private let colours: PictureColours
    private var savedState = termios()
    private var isStopped = false
    /// Made ready for writing; `written` bytes of it are out.
    private var pending: [UInt8] = []
    private var written = 0
    /// Lines came while the terminal took nothing: all is drawn anew when it does.
    private var isBehind = false
    private static let pendingLimit = 1 << 18
    private var shown: CellGrid?
    private var waiting: VideoPicture?
    private var newest: VideoPicture?
    private var pace = PicturePace()
    private var drawStart: Instant?
    private var lines: [String] = []
    private var columns = 80
    private var rows = 24

    /// Why there can be no picture on standard output, in one line.
    /// - Parameter json: lines of JSON were asked for.
    public static func refusal(json: Bool) -> String? {
        if json { return "--video-out terminal needs a terminal for the picture alone; it does not go with --json" }
        guard isatty(1) == 1 else { return "--video-out terminal needs a terminal; standard output is none (file:PATH.ivf records the picture)" }
        let type = environment("TERM") ?? ""
        if type.isEmpty || type == "dumb" || type == "unknown" {
            return "--video-out terminal needs a terminal that can draw; TERM is \(type.isEmpty ? "not set" : "\"\(type)\"")"
        }
        return nil
    }

    /// What pictures can be painted with here, by what TERM, COLORTERM and NO_COLOR say.
    public static func colours(environment: (String) -> String?) -> PictureColours {
        if let no = environment("NO_COLOR"), !no.isEmpty { return .monochrome }
        let type = environment("TERM") ?? ""
        if ["truecolor", "24bit"].contains(environment("COLORTERM") ?? "") || type.hasSuffix("-direct") { return .trueColour }
        if type.contains("256color") { return .indexed }
        return ["linux", "vt100", "vt220", "ansi"].contains(type) ? (type == "linux" || type == "ansi" ? .eight : .monochrome) : .sixteen
    }

    public static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Takes over the terminal behind a descriptor.
    public init(terminal: Int32 = 1, colours: PictureColours) throws(TerminalError) {
        guard isatty(terminal) == 1, tcgetattr(terminal, &savedState) == 0, let name = ttyname(terminal) else { throw .notATerminal }
        let flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let own = open(name, flags)
        // Behind su the terminal belongs to somebody else; this name always works.
        descriptor = own >= 0 ? own : open("/dev/tty", flags)
        guard descriptor >= 0 else { throw .failed(String(cString: strerror(errno))) }
        self.colours = colours
        platform_install_crash_handlers(descriptor, Self.restoreCodes, "sidetone crashed\r\n")
        // Keys would be echoed into the picture, and a stopped program or one that Ctrl-\ ended would leave it on the screen.
        var state = savedState
        state.c_lflag &= ~tcflag_t(ECHO)
        withUnsafeMutableBytes(of: &state.c_cc) { characters in
            for key in [VSUSP, VQUIT] { characters[Int(key)] = 0 }
        }
        tcsetattr(descriptor, TCSANOW, &state)
        add(Self.enterCodes)
        resize()
    }

    deinit { stop() }

    /// Something waits for room: poll for writing, then call `flush`.
    public var wantsWriting: Bool { !pending.isEmpty }

    /// When a waiting picture may be drawn; nil when none waits. Nanoseconds of the monotonic clock.
    public var nextDraw: UInt64? { waiting == nil || wantsWriting ? nil : pace.due.nanoseconds }

    /// The newest picture; an older one that waits is dropped. Drawn at once when the terminal's pace allows it, else by `flush`.
    public func show(_ picture: VideoPicture) {
        guard !isStopped else { return }
        waiting = picture
        flush()
    }

    /// One line for a person, below the picture.
    public func line(_ text: String) {
        guard !isStopped else { return }
        lines.append(text)
        if lines.count > Self.keptLines { lines.removeFirst(lines.count - Self.keptLines) }
        if pending.count - written > Self.pendingLimit {
            isBehind = true
        } else {
            scroll(in: text)
        }
        flush()
    }

    /// The window has another size, or what is on it is not known: all is drawn anew.
    public func resize() {
        guard !isStopped else { return }
        var newColumns: Int32 = 0
        var newRows: Int32 = 0
        if platform_window_size(descriptor, &newColumns, &newRows) == 0, newColumns > 0, newRows > 0 {
            columns = min(Int(newColumns), Model.maximumColumns)
            rows = min(Int(newRows), Model.maximumRows)
        }
        shown = nil
        let top = pictureRows + 1
        add("\u{1B}[0m\u{1B}[r\u{1B}[2J\u{1B}[\(top);\(rows)r")
        for text in lines.suffix(rows - pictureRows) { scroll(in: text) }
        if waiting == nil { waiting = newest }
        flush()
    }

    /// Writes what waits as far as there is room, and draws the newest picture when its time has come.
    public func flush() {
        guard !isStopped else { return }
        push()
        if isBehind, pending.isEmpty {
            isBehind = false
            return resize()
        }
        let now = Instant(nanoseconds: platform_monotonic_ns())
        guard pending.isEmpty, let picture = waiting, now >= pace.due else { return }
        waiting = nil
        newest = picture
        drawStart = now
        paint(picture)
        push()
    }

    /// Gives the terminal back and shows the lines again. May be called twice.
    public func stop() {
        guard !isStopped else { return }
        push()
        isStopped = true
        // A sequence that was cut off is ended by the first of these; the end is worth waiting for, but not for ever.
        pending = Array((Self.restoreCodes + lines.map { Self.printable($0, columns: .max) + "\r\n" }.joined()).utf8)
        written = 0
        let deadline = platform_monotonic_ns() &+ 1_000_000_000
        while !pending.isEmpty, platform_monotonic_ns() < deadline {
            var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&polled, 1, 100) > 0 { push() }
        }
        tcsetattr(descriptor, TCSANOW, &savedState)
        platform_remove_crash_handlers()
        close(descriptor)
    }

    private var pictureRows: Int {
        guard columns >= Self.smallest.columns, rows >= Self.smallest.rows else { return 0 }
        return rows - Self.lineRows
    }

    /// Adds the cells that differ from those on the terminal.
    private func paint(_ picture: VideoPicture) {
        guard pictureRows > 0 else { return }
        var grid = CellGrid(columns: columns, rows: pictureRows)
        PictureCells.draw(
            picture, into: &grid, area: PictureCells.Area(column: 0, row: 0, columns: columns, rows: pictureRows), colours: colours)
        var sequence = CellSequence()
        for run in GridDifference.runs(from: shown, to: grid) { sequence.add(run, of: grid) }
        sequence.end()
        pending += sequence.bytes
        shown = grid
    }

    private func add(_ text: String) { pending += text.utf8 }

    /// At the last row of the scroll region a newline moves the older lines up.
    private func scroll(in text: String) { add("\u{1B}[\(rows);1H\n" + Self.printable(text, columns: columns)) }

    private func push() {
        while written < pending.count {
            let count = pending.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                return Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count > 0 {
                written += count
            } else if count < 0, errno == EAGAIN {
                return
            } else if count < 0, errno == EINTR {
                continue
            } else {
                // The terminal is gone.
                break
            }
        }
        pending.removeAll(keepingCapacity: true)
        written = 0
        if let start = drawStart {
            drawStart = nil
            pace.drew(from: start, to: Instant(nanoseconds: platform_monotonic_ns()))
        }
    }

    /// What a terminal may be sent, cut to its width so that a line is one row.
    private static func printable(_ text: String, columns: Int) -> String {
        let clean = TextWidth.clusters(text).map(\.text).joined()
        return columns == .max ? clean : TextWidth.fit(clean, columns - 1)
    }
}
