import Core

/// One Via value (RFC 3261 §20.42, RFC 3581).
public struct Via: Hashable, Sendable, CustomStringConvertible {
    /// The magic cookie with which every branch of RFC 3261 begins (§8.1.1.7).
    public static let magicCookie = "z9hG4bK"

    /// In upper case: "UDP", "TCP", "TLS", "WS", "WSS", or something unknown.
    public var transport: String
    public var host: SIPHost
    public var port: UInt16?
    public var parameters: SIPParameters

    public init(transport: String, host: SIPHost, port: UInt16? = nil, parameters: SIPParameters = SIPParameters()) {
        self.transport = Via.uppercased(transport)
        self.host = host
        self.port = port
        self.parameters = parameters
    }

    /// A Via of our own, which asks for `rport` (RFC 3581 §3).
    public init(transport: String, host: SIPHost, port: UInt16?, branch: String) {
        self.init(transport: transport, host: host, port: port)
        parameters.append("branch", branch)
        parameters.append("rport")
    }

    /// One value, not a list.
    public init?(_ text: some StringProtocol) {
        var scanner = ByteScanner(text)
        guard let value = scanner.via(), scanner.isAtEnd else { return nil }
        self = value
    }

    public var branch: String? {
        get { parameters["branch"].flatMap { $0.isEmpty ? nil : $0 } }
        set { parameters["branch"] = newValue }
    }

    /// True when the branch begins with the magic cookie and has more after it, so that it identifies a transaction.
    public var hasUniqueBranch: Bool {
        guard let branch else { return false }
        return branch.utf8.count > Via.magicCookie.utf8.count && SIPSyntax.lowercased(branch).hasPrefix("z9hg4bk")
    }

    public var received: IPAddress? {
        get { parameters["received"].flatMap { IPAddress($0) } }
        set { parameters["received"] = newValue?.description }
    }

    /// The value of `rport`; nil when absent and when it is the request's empty flag.
    public var rport: UInt16? {
        get { parameters["rport"].flatMap { UInt16($0) } }
        set { parameters["rport"] = newValue.map(String.init) }
    }

    /// True when the sender asked for `rport`, or it is filled in.
    public var hasRport: Bool { parameters.contains("rport") }

    public var maddr: SIPHost? { parameters["maddr"].flatMap { SIPHost($0) } }

    /// 5061 for TLS, 443 and 80 for WebSocket, else 5060.
    public var defaultPort: UInt16 {
        switch transport {
        case "TLS": 5061
        case "WSS": 443
        case "WS": 80
        default: 5060
        }
    }

    /// `host:port` as written: part of what identifies a server transaction (§17.2.3).
    public var sentBy: String { port.map { "\(host):\($0)" } ?? host.description }

    public var description: String { "SIP/2.0/\(transport) \(sentBy)\(parameters.headerText)" }

    /// What §18.2.1 and RFC 3581 §4 ask a server to note on a request's topmost Via.
    public mutating func noteSource(_ source: SocketAddress) {
        if hasRport { rport = source.port }
        // What the sender itself put into `received` does not count.
        received = hasRport || host != .ip(source.ip) ? source.ip : nil
    }

    static func uppercased(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 &- 0x61 < 26 ? $0 & 0xDF : $0 }, as: UTF8.self)
    }
}

extension ByteScanner {
    /// One via-parm; stops before a comma. A lenient reading takes any version, and keeps what comes before the first broken
    /// parameter.
    mutating func via(leniently: Bool = false) -> Via? {
        skipWhite()
        guard let name = run(SIPSyntax.isToken), isSIP(name), takeSeparator(SIPSyntax.slash) else { return nil }
        guard let version = run(SIPSyntax.isToken), takeSeparator(SIPSyntax.slash) else { return nil }
        guard leniently || bytes[version].elementsEqual([0x32, 0x2E, 0x30]) else { return nil }
        guard let transport = run(SIPSyntax.isToken) else { return nil }
        let blank = position
        skipWhite()
        guard position > blank, let host = host() else { return nil }
        var isValid = true
        let port = port(isValid: &isValid)
        guard isValid, let parameters = headerParameters(leniently: leniently) else { return nil }
        return Via(transport: transportName(transport), host: host, port: port, parameters: parameters)
    }

    private func isSIP(_ range: Range<Int>) -> Bool {
        let i = range.lowerBound
        return range.count == 3 && bytes[i] | 0x20 == 0x73 && bytes[i + 1] | 0x20 == 0x69 && bytes[i + 2] | 0x20 == 0x70
    }

    private func transportName(_ range: Range<Int>) -> String {
        if bytes[range].elementsEqual([0x55, 0x44, 0x50]) { return "UDP" }
        return text(range)
    }
}
