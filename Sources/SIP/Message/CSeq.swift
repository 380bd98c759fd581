/// The CSeq header field (RFC 3261 §20.16).
public struct CSeq: Hashable, Sendable, CustomStringConvertible {
    /// Less than 2^31 (§8.1.1.5).
    public var number: UInt32
    public var method: SIPMethod

    public init(_ number: UInt32, _ method: SIPMethod) {
        self.number = number
        self.method = method
    }

    public init(number: UInt32, method: SIPMethod) { self.init(number, method) }

    /// Nil when malformed or when the number is 2^31 or more.
    public init?(_ text: some StringProtocol) {
        var scanner = ByteScanner(text)
        scanner.skipWhite()
        guard let number = scanner.number(), number < 0x8000_0000 else { return nil }
        let blank = scanner.position
        scanner.skipWhite()
        guard scanner.position > blank, let method = scanner.token() else { return nil }
        scanner.skipWhite()
        guard scanner.isAtEnd else { return nil }
        self.init(UInt32(truncatingIfNeeded: number), SIPMethod(rawValue: method))
    }

    public var description: String { "\(number) \(method)" }
}
