/// A `sip:` or `sips:` URI (RFC 3261 §19.1); a URI of another scheme is kept as text in `opaque`.
public struct SIPURI: Hashable, Sendable, CustomStringConvertible {
    /// One `name=value` after `?`, escaped as on the wire.
    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// In lower case: "sip", "sips", "tel" and so on.
    public var scheme: String
    /// The user part as on the wire, escapes kept; nil without one.
    public var rawUser: String?
    /// As on the wire.
    public var rawPassword: String?
    public var host: SIPHost
    public var port: UInt16?
    public var parameters = SIPParameters()
    public var headers: [Header] = []
    /// All after `scheme:` when the scheme is neither sip nor sips.
    public var opaque: String?

    /// - Parameters: user: unescaped; it is escaped for the wire.
    public init(
        scheme: String = "sip", user: String? = nil, host: SIPHost, port: UInt16? = nil, parameters: SIPParameters = SIPParameters()
    ) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.parameters = parameters
        self.user = user
    }

    init(scheme: String, opaque: String) {
        self.scheme = scheme
        self.opaque = opaque
        host = .name("")
    }

    /// The user part with its escapes resolved.
    public var user: String? {
        get { rawUser.map(SIPSyntax.unescaped) }
        set { rawUser = newValue.map { SIPSyntax.escaped($0, SIPSyntax.isUser) } }
    }

    public var password: String? {
        get { rawPassword.map(SIPSyntax.unescaped) }
        set { rawPassword = newValue.map { SIPSyntax.escaped($0, SIPSyntax.isPassword) } }
    }

    /// True for sip and sips: the schemes that this library can reach.
    public var isSIP: Bool { opaque == nil }
    public var isSecure: Bool { scheme == "sips" }

    /// The `transport` parameter in lower case ("udp", "tcp", "tls", "ws", "wss").
    public var transport: String? {
        get { parameters["transport"].flatMap { $0.isEmpty ? nil : SIPSyntax.lowercased($0) } }
        set { parameters["transport"] = newValue }
    }

    /// The `lr` parameter (RFC 3261 §16.12.1.1).
    public var isLooseRouter: Bool { parameters.contains("lr") }

    /// The `maddr` parameter.
    public var maddr: SIPHost? { parameters["maddr"].flatMap { SIPHost($0) } }

    public var description: String {
        if let opaque { return "\(scheme):\(SIPSyntax.repaired(opaque))" }
        var out = scheme + ":"
        if let rawUser {
            out += SIPSyntax.repaired(rawUser, until: SIPSyntax.at, SIPSyntax.colon)
            if let rawPassword { out += ":" + SIPSyntax.repaired(rawPassword, until: SIPSyntax.at) }
            out += "@"
        }
        out += host.description
        if let port { out += ":\(port)" }
        if !parameters.isEmpty { out += parameters.uriText }
        // An `@` here would be taken for the end of a user part that is not there.
        let at = rawUser == nil ? SIPSyntax.at : SIPSyntax.ampersand
        for (i, header) in headers.enumerated() {
            out += i == 0 ? "?" : "&"
            out += SIPSyntax.repaired(header.name, until: SIPSyntax.ampersand, SIPSyntax.equals, at)
            out += "=" + SIPSyntax.repaired(header.value, until: SIPSyntax.ampersand, at)
        }
        return out
    }

    /// Without headers and, of the parameters, only those that a Request-URI keeps (RFC 3261 §19.1.1, table 1).
    public var asRequestURI: SIPURI {
        var uri = withRegisteredTransport
        uri.headers = []
        uri.parameters["method"] = nil
        return uri
    }

    /// A proxy's URI as the value of a Route: a loose router.
    public var asRoute: NameAddress {
        var uri = withRegisteredTransport
        uri.headers = []
        uri.parameters["lr"] = ""
        return NameAddress(uri: uri)
    }

    /// `transport=wss` is for people: RFC 7118 §5.2.4 registers `ws` for both, and proxies look for nothing else.
    private var withRegisteredTransport: SIPURI {
        guard transport == "wss" else { return self }
        var uri = self
        uri.transport = "ws"
        return uri
    }

    /// Scheme, user, host and port only: an address of record (RFC 3261 §10.3 step 5).
    public var asAddressOfRecord: SIPURI {
        var uri = self
        uri.headers = []
        uri.parameters = SIPParameters()
        uri.rawPassword = nil
        return uri
    }
}
