/// A request method (RFC 3261 §7.1); compared with its case, unlike header field names.
public struct SIPMethod: Hashable, Sendable, RawRepresentable, CustomStringConvertible {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ name: some StringProtocol) { rawValue = String(name) }

    public static let invite = SIPMethod(rawValue: "INVITE")
    public static let ack = SIPMethod(rawValue: "ACK")
    public static let bye = SIPMethod(rawValue: "BYE")
    public static let cancel = SIPMethod(rawValue: "CANCEL")
    public static let register = SIPMethod(rawValue: "REGISTER")
    public static let options = SIPMethod(rawValue: "OPTIONS")
    /// RFC 3262.
    public static let prack = SIPMethod(rawValue: "PRACK")
    /// RFC 3311.
    public static let update = SIPMethod(rawValue: "UPDATE")
    /// RFC 6086.
    public static let info = SIPMethod(rawValue: "INFO")
    /// RFC 3515.
    public static let refer = SIPMethod(rawValue: "REFER")
    /// RFC 6665.
    public static let notify = SIPMethod(rawValue: "NOTIFY")
    public static let subscribe = SIPMethod(rawValue: "SUBSCRIBE")
    /// RFC 3428.
    public static let message = SIPMethod(rawValue: "MESSAGE")
    /// RFC 3903.
    public static let publish = SIPMethod(rawValue: "PUBLISH")

    public var description: String { rawValue }
}
