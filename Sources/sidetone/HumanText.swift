import Control
import Interface

/// Lines of the log file: the line for people with its time.
enum HumanText {
    static func line(_ event: TimedEvent) -> String? { HumanLines.line(event.event).map { "\(event.time) \($0)" } }
}
