import CNcurses
import CPlatform
import Glibc
import Screen

/// The terminal in full-screen mode. To be made, used and restored on the main thread.
public final class TerminalSession: ScreenSurface {
    public let inputDescriptor: Int32
    private let outputDescriptor: Int32
    /// Whether the terminal has colours; else a theme without them should be used.
    public let hasColours: Bool
    /// What pictures can be painted with: what the terminal's description says, no more.
    public let pictureColours: PictureColours
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
    private var pairs: ColourPairs
    private var cursorIsVisible = true

    /// Leave paste mode and the alternate screen, show the cursor, reset attributes and character set, start a new line.
    private static let restoreCodes = "\u{1B}[?2004l\u{1B}[0m\u{1B}(B\u{1B}[?1049l\u{1B}[?25h\r\n"

    /// `errorLog`: where standard error goes meanwhile; nil makes a file of its own.
    public convenience init(errorLog: String? = nil) throws(TerminalError) {
        try self.init(input: 0, output: 1, type: Self.environment("TERM") ?? "", errorLog: errorLog)
    }

    /// - Parameters:
    ///   - input: a terminal, and `output` the same one; another terminal than the program's own leaves standard error alone.
    ///   - type: its name in the terminfo database.
    init(input: Int32, output: Int32, type name: String, errorLog: String? = nil) throws(TerminalError) {
        inputDescriptor = input
        outputDescriptor = output
        guard isatty(input) == 1, isatty(output) == 1, tcgetattr(input, &savedState) == 0 else { throw .notATerminal }
        guard !name.isEmpty, name != "dumb", name != "unknown" else { throw .unusableTerm(name) }
        Self.chooseLocale()

        errors = output == 1 ? StandardErrorFile(path: errorLog, environment: Self.environment) : nil
        let lastWords = errors.map { "sidetone crashed; what it said last is in \($0.path)\r\n" } ?? "sidetone crashed\r\n"
        platform_install_crash_handlers(output, Self.restoreCodes, lastWords)
        guard let screen = nc_newterm(name, output, input) else {
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
        let isDirect = nc_has_rgb() != 0 && nc_colors() >= 1 << 24
        pairs = ColourPairs(limit: hasColours ? nc_color_pairs() : 0)
        pictureColours = hasColours ? .fitting(colours: Int(nc_colors()), pairs: Int(nc_color_pairs()), isDirect: isDirect) : .monochrome
        write(control: "\u{1B}[?2004h")
    }

    deinit { restore() }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Without a UTF-8 locale curses would write "?" for every symbol; every Debian has C.UTF-8.
    private static func chooseLocale() {
        setlocale(LC_ALL, "")
        let codeset = nl_langinfo(nl_item(CODESET)).map { String(cString: $0) } ?? ""
        if codeset != "UTF-8" { setlocale(LC_CTYPE, "C.UTF-8") }
    }

    public var size: (columns: Int, rows: Int) { (Int(nc_cols()), Int(nc_lines())) }

    public func draw(_ grid: CellGrid) {
        guard case .open = state else { return }
        if !paint(grid, over: shown) {
            // No colour pair was left. With none taken the whole grid has a better chance; what still has none is painted without.
            pairs.reset()
            _ = paint(grid, over: nil)
        }
        let window = nc_stdscr()
        if let cursor = grid.cursor { wmove(window, Int32(cursor.row), Int32(cursor.column)) }
        if cursorIsVisible != (grid.cursor != nil) {
            cursorIsVisible.toggle()
            curs_set(cursorIsVisible ? 1 : 0)
        }
        wrefresh(window)
        shown = grid
    }

    /// Puts what has changed into curses' window. False when a cell has the terminal's own colours for want of a pair.
    private func paint(_ grid: CellGrid, over old: CellGrid?) -> Bool {
        let window = nc_stdscr()
        if old == nil { werase(window) }
        var isComplete = true
        var scalars: [Int32] = []
        for run in GridDifference.runs(from: old, to: grid) {
            for column in run.columns {
                let cell = grid[column, run.row]
                if cell.width == 0 { continue }
                scalars.removeAll(keepingCapacity: true)
                for scalar in cell.text.unicodeScalars { scalars.append(Int32(bitPattern: scalar.value)) }
                if scalars.isEmpty { scalars.append(0x20) }
                scalars.append(0)
                let pair = pairs.number(cell.style)
                if pair == nil { isComplete = false }
                // Writing the last cell of the last row reports an error, for the cursor cannot move on; the cell is written.
                _ = nc_put(window, Int32(run.row), Int32(column), scalars, attributes(cell.style), pair ?? 0)
            }
        }
        return isComplete
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
        if platform_window_size(outputDescriptor, &columns, &rows) == 0 { resizeterm(rows, columns) }
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
        tcsetattr(inputDescriptor, TCSANOW, &savedState)
        platform_remove_crash_handlers()
        errorOutputPath = errors?.restore()
    }

    /// A control sequence that curses does not know of.
    private func write(control: String) {
        let bytes = Array(control.utf8)
        _ = Glibc.write(outputDescriptor, bytes, bytes.count)
    }

    private func attributes(_ style: Style) -> attr_t {
        var out = NC_NORMAL
        if style.attributes.contains(.bold) { out |= NC_BOLD }
        if style.attributes.contains(.dim) { out |= NC_DIM }
        if style.attributes.contains(.reverse) { out |= NC_REVERSE }
        if style.attributes.contains(.underline) { out |= NC_UNDERLINE }
        return out
    }
}
