import Control
import Interface

/// Lines of the log file: the line for people with its time, and no secrets.
enum HumanText {
    static func line(_ event: TimedEvent) -> String? { HumanLines.logged(event.event).map { "\(event.time) \($0)" } }
}
