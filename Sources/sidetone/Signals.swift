import CPlatform
import Glibc

/// The signalfd of the process, made before any thread.
enum Signals {
    nonisolated(unsafe) private static var stored: Int32 = -1
    static func open() { stored = platform_signalfd() }
    static var descriptor: Int32 { stored }

    /// The next INT, TERM or HUP that came; nil when none waits.
    /// - Parameter sizeChanged: told when the terminal has another size, or the program goes on after a stop.
    static func next(sizeChanged: () -> Void = {}) -> Int32? {
        while case let number = platform_signalfd_next(stored), number != 0 {
            if number == SIGINT || number == SIGTERM || number == SIGHUP { return number }
            if number == SIGWINCH || number == SIGCONT { sizeChanged() }
        }
        return nil
    }

    /// 130 after INT, 143 after TERM and HUP.
    static func exitCode(_ signal: Int32) -> Int32 { signal == SIGINT ? 130 : 143 }
}
