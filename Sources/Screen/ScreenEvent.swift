import Interface

/// One fact that the screen is told.
public enum ScreenEvent: Sendable, Equatable {
    case key(Key)
    /// A bracketed paste: always text for the dial line, never commands.
    case paste(String)
    case resize(columns: Int, rows: Int)
    case snapshot(Snapshot)
    /// The newest picture of a call that is looked at.
    case picture(CallPicture)
    /// The wall clock, for the timers of calls.
    case tick(WallTime)
}

/// What the screen asks of the world after an event.
public enum Effect: Sendable, Equatable {
    case command(Command)
    /// End every call, then the program; the screen stays until the phone says that it is done.
    case quit
    /// Asked to quit a second time: end at once.
    case quitNow
    case bell
    /// Paint every cell again, also those that did not change.
    case redraw
}
