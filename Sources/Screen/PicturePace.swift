import Core

/// When the next picture may be drawn: 15 a second where the terminal takes them quickly, down to 5 where it is slow.
/// Drawing takes a third of the time at most, so that keys and text are never far behind. There is no queue: whoever asks
/// late draws the newest picture.
public struct PicturePace: Sendable, Equatable {
    public static let shortestInterval = Duration.nanoseconds(1_000_000_000 / 15)
    public static let longestInterval = Duration.milliseconds(200)
    /// What is left for everything else even when one picture takes longer than the longest interval.
    private static let pause = Duration.milliseconds(20)

    /// From one picture to the next.
    public private(set) var interval = PicturePace.shortestInterval
    /// Before this no picture is drawn.
    public private(set) var due = Instant.zero
    private var cost = Duration.zero

    public init() {}

    /// One picture was drawn and has left for the terminal.
    /// - Parameter start: when drawing it began; `end`: when the terminal had taken it.
    public mutating func drew(from start: Instant, to end: Instant) {
        let took = max(.zero, end - start)
        // Up at once, down slowly: one quick picture on a slow line proves little.
        cost = took > cost ? took : (cost * 7 + took) / 8
        interval = min(max(Self.shortestInterval, cost * 3), Self.longestInterval)
        due = max(start + interval, end + Self.pause)
    }

    /// Pictures a second at this interval.
    public var rate: Double { 1 / max(interval.inSeconds, 0.001) }
}
