import CNcurses
import CPlatform
import Glibc
import Screen

/// The terminal in full-screen mode. To be made, used and restored on the main thread.
public final class TerminalSession: ScreenSurface {
    public let inputDescriptor: Int32 = 0
    /// Whether the terminal has colours; else a theme without them should be used.
    public let hasColours: Bool
    /// After `restore`: the file with what was written to standard error meanwhile, nil when that was nothing.
    public private(set) var errorOutputPath: String?

    private enum State {
        case open(OpaquePointer)
        case restored
    }

    private var state: State
    private var savedState = termios()
    private let errors: StandardErrorFile?
    private var decoder = KeyDecoder()
    private var shown: CellGrid?
    private var pairs: [UInt16: Int32] = [:]
    private var cursorIsVisible = true

    /// Leave paste mode and the alternate screen, show the cursor, reset attributes and character set, start a new line.
    private static let restoreCodes = "\u{1B}[?2004l\u{1B}[0m\u{1B}(B\u{1B}[?1049l\u{1B}[?25h\r\n"

    /// `errorLog`: where standard error goes meanwhile; nil makes a file of its own.
    public init(errorLog: String? = nil) throws(TerminalError) {
        func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        guard isatty(0) == 1, isatty(1) == 1, tcgetattr(0, &savedState) == 0 else { throw .notATerminal }
        let name = environment("TERM") ?? ""
        guard !name.isEmpty, name != "dumb", name != "unknown" else { throw .unusableTerm(name) }
        Self.chooseLocale()

        errors = StandardErrorFile(path: errorLog, environment: environment)
        let lastWords = errors.map { "sidetone crashed; what it said last is in \($0.path)\r\n" } ?? "sidetone crashed\r\n"
        platform_install_crash_handlers(1, Self.restoreCodes + lastWords)
        guard let screen = nc_newterm() else {
            platform_remove_crash_handlers()
            _ = errors?.restore()
            throw .unusableTerm(name)
        }
        state = .open(screen)
        raw()
        noecho()
        nonl()
        nodelay(nc_stdscr(), true)
        keypad(nc_stdscr(), true)
        intrflush(nc_stdscr(), false)
        set_escdelay(25)
        define_key("\u{1B}[200~", KeyDecoder.pasteStart)
        define_key("\u{1B}[201~", KeyDecoder.pasteEnd)
        hasColours = nc_has_colors() != 0 && start_color() == OK && use_default_colors() == OK
        write(control: "\u{1B}[?2004h")
    }

    deinit { restore() }

    /// Without a UTF-8 locale curses would write "?" for every symbol; every Debian has C.UTF-8.
    private static func chooseLocale() {
        setlocale(LC_ALL, "")
        let codeset = nl_langinfo(nl_item(CODESET)).map { String(cString: $0) } ?? ""
        if codeset != "UTF-8" { setlocale(LC_CTYPE, "C.UTF-8") }
    }

    public var size: (columns: Int, rows: Int) { (Int(nc_cols()), Int(nc_lines())) }

    public func draw(_ grid: CellGrid) {
        guard case .open = state else { return }
        let window = nc_stdscr()
        if shown == nil { werase(window) }
        var scalars: [Int32] = []
        for run in GridDifference.runs(from: shown, to: grid) {
            for column in run.columns {
                let cell = grid[column, run.row]
                if cell.width == 0 { continue }
                scalars.removeAll(keepingCapacity: true)
                for scalar in cell.text.unicodeScalars { scalars.append(Int32(bitPattern: scalar.value)) }
                if scalars.isEmpty { scalars.append(0x20) }
                scalars.append(0)
                // Writing the last cell of the last row reports an error, for the cursor cannot move on; the cell is written.
                _ = nc_put(window, Int32(run.row), Int32(column), scalars, attributes(cell.style), pair(cell.style))
            }
        }
        if let cursor = grid.cursor { wmove(window, Int32(cursor.row), Int32(cursor.column)) }
        if cursorIsVisible != (grid.cursor != nil) {
            cursorIsVisible.toggle()
            curs_set(cursorIsVisible ? 1 : 0)
        }
        wrefresh(window)
        shown = grid
    }

    public func invalidate() {
        guard case .open = state else { return }
        // A shell may have changed the modes while the program was stopped.
        reset_prog_mode()
        write(control: "\u{1B}[?2004h")
        clearok(nc_stdscr(), true)
        shown = nil
    }

    public func resize() -> (columns: Int, rows: Int) {
        guard case .open = state else { return size }
        var columns: Int32 = 0
        var rows: Int32 = 0
        if platform_window_size(1, &columns, &rows) == 0 { resizeterm(rows, columns) }
        clearok(nc_stdscr(), true)
        shown = nil
        return size
    }

    public func readEvents() -> [ScreenEvent] {
        guard case .open = state else { return [] }
        var out: [ScreenEvent] = []
        var value: wint_t = 0
        while out.count < 256 {
            let kind = nc_get(nc_stdscr(), &value)
            if kind == ERR { break }
            let code: KeyDecoder.Code = kind == KEY_CODE_YES ? .key(Int32(truncatingIfNeeded: value)) : .character(UInt32(value))
            if let event = decoder.decode(code) { out.append(event) }
        }
        return out
    }

    public func ringBell() {
        guard case .open = state else { return }
        beep()
    }

    public func restore() {
        guard case .open(let screen) = state else { return }
        state = .restored
        write(control: "\u{1B}[?2004l")
        curs_set(1)
        endwin()
        delscreen(screen)
        tcsetattr(0, TCSANOW, &savedState)
        platform_remove_crash_handlers()
        errorOutputPath = errors?.restore()
    }

    /// A control sequence that curses does not know of.
    private func write(control: String) {
        let bytes = Array(control.utf8)
        _ = Glibc.write(1, bytes, bytes.count)
    }

    private func attributes(_ style: Style) -> attr_t {
        var out = NC_NORMAL
        if style.attributes.contains(.bold) { out |= NC_BOLD }
        if style.attributes.contains(.dim) { out |= NC_DIM }
        if style.attributes.contains(.reverse) { out |= NC_REVERSE }
        if style.attributes.contains(.underline) { out |= NC_UNDERLINE }
        return out
    }

    /// The number of a colour pair, made when first needed; 0 (the terminal's own colours) when there are no more.
    private func pair(_ style: Style) -> Int32 {
        guard hasColours, style.foreground != .standard || style.background != .standard else { return 0 }
        let key = UInt16(style.foreground.rawValue) << 8 | UInt16(style.background.rawValue)
        if let known = pairs[key] { return known }
        let number = Int32(pairs.count + 1)
        guard number < nc_color_pairs() else { return 0 }
        let made = init_extended_pair(number, Int32(style.foreground.rawValue) - 1, Int32(style.background.rawValue) - 1) == OK
        pairs[key] = made ? number : 0
        return made ? number : 0
    }
}
