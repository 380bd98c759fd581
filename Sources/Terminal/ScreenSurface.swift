import Screen

/// What the loop needs of a terminal. One implementation draws with curses; tests bring their own.
public protocol ScreenSurface: AnyObject {
    /// Readable when keys wait.
    var inputDescriptor: Int32 { get }
    /// Columns and rows now.
    var size: (columns: Int, rows: Int) { get }
    func draw(_ grid: CellGrid)
    /// Forgets what is on the terminal: the next `draw` writes every cell.
    func invalidate()
    /// Takes over a new size of the window and returns it.
    func resize() -> (columns: Int, rows: Int)
    /// Keys and pastes that wait; never blocks.
    func readEvents() -> [ScreenEvent]
    func ringBell()
    /// Gives the terminal back; may be called twice.
    func restore()
}
