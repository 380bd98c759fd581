import Core

public enum TelephoneEventError: Error, Equatable, Sendable {
    /// The payload has fewer than four bytes.
    case truncated
    /// Not one of 0–9, *, #, A–D.
    case invalidDigit(Character)
    /// More digits than `TelephoneEventSender.queueCapacity` would wait.
    case queueFull
}

/// The payload of a telephone-event packet (RFC 4733 §2.3).
public struct TelephoneEvent: Equatable, Sendable {
    public static let length = 4

    /// 0 to 15 are the DTMF digits, 16 is a hook flash.
    public var code: UInt8
    public var isEnd: Bool
    /// Power without its sign, in dBm0: 0 to 63.
    public var volume: UInt8
    /// Since the packet's timestamp, in timestamp units.
    public var duration: UInt16

    public init(code: UInt8, isEnd: Bool, volume: UInt8, duration: UInt16) {
        self.code = code
        self.isEnd = isEnd
        self.volume = min(volume, 63)
        self.duration = duration
    }

    /// Reads the first event of a payload.
    public init(_ payload: RawSpan) throws(TelephoneEventError) {
        guard let code = payload.u8(at: 0), let flags = payload.u8(at: 1), let duration = payload.u16(at: 2) else { throw .truncated }
        self.init(code: code, isEnd: flags & 0x80 != 0, volume: flags & 0x3F, duration: duration)
    }

    public var payload: [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        writer.u8(code)
        writer.u8((isEnd ? 0x80 : 0) | min(volume, 63))
        writer.u16(duration)
        return writer.bytes
    }

    private static let digits: [Character] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", "A", "B", "C", "D"]

    /// The digit of an event, nil for events that are none.
    public static func digit(of code: UInt8) -> Character? { Int(code) < digits.count ? digits[Int(code)] : nil }

    /// Letters in either case.
    public static func code(of digit: Character) -> UInt8? {
        let upper: Character =
            switch digit {
            case "a": "A"
            case "b": "B"
            case "c": "C"
            case "d": "D"
            default: digit
            }
        return digits.firstIndex(of: upper).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// Whole milliseconds, rounded down; 0 for a clock of 0 Hz.
    static func milliseconds(_ units: UInt32, clockRate: UInt32) -> Int {
        clockRate == 0 ? 0 : Int(UInt64(units) * 1000 / UInt64(clockRate))
    }
}
