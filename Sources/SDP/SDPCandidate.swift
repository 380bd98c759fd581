/// a=candidate (RFC 8839 §5.1). The host may be a name (`….local`).
public struct SDPCandidate: Hashable, Sendable, CustomStringConvertible {
    public struct Extension: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public var foundation: String
    /// 1 is RTP, 2 RTCP; 1...256.
    public var component: Int
    /// As written: "UDP", "udp", "TCP".
    public var transport: String
    public var priority: UInt32
    public var host: String
    public var port: UInt16
    /// "host", "srflx", "prflx", "relay" or another.
    public var type: String
    public var relatedAddress: String?
    public var relatedPort: UInt16?
    /// In the order written, unknown ones included.
    public var extensions: [Extension]

    public init(
        foundation: String, component: Int, transport: String = "udp", priority: UInt32, host: String, port: UInt16, type: String,
        relatedAddress: String? = nil, relatedPort: UInt16? = nil, extensions: [Extension] = []
    ) {
        self.foundation = foundation
        self.component = component
        self.transport = transport
        self.priority = priority
        self.host = host
        self.port = port
        self.type = type
        self.relatedAddress = relatedAddress
        self.relatedPort = relatedPort
        self.extensions = extensions
    }

    /// From the attribute's value; a leading "candidate:" is allowed.
    public init?(_ value: some StringProtocol) {
        var fields = value.fields
        guard fields.count >= 8, fields[6].matches("typ") else { return nil }
        let (prefix, rest) = fields[0].cut(.colon)
        if let rest, prefix.matches("candidate") { fields[0] = rest }
        guard (1...32).contains(fields[0].utf8.count), let component = fields[1].decimal(Int.self), (1...256).contains(component),
            let priority = fields[3].decimal(UInt32.self), let port = fields[5].decimal(UInt16.self)
        else { return nil }
        self.init(
            foundation: String(fields[0]), component: component, transport: String(fields[2]), priority: priority,
            host: String(fields[4]), port: port, type: fields[7].lowercased())
        var at = 8
        while at + 1 < fields.count {
            let value = fields[at + 1]
            if fields[at].matches("raddr"), relatedAddress == nil {
                relatedAddress = String(value)
            } else if fields[at].matches("rport"), relatedPort == nil {
                guard let port = value.decimal(UInt16.self) else { return nil }
                relatedPort = port
            } else {
                extensions.append(Extension(name: String(fields[at]), value: String(value)))
            }
            at += 2
        }
    }

    public var isUDP: Bool { transport.matches("udp") }
    public var isTCP: Bool { transport.matches("tcp") }

    /// RFC 6544: "active", "passive" or "so".
    public var tcpType: String? { extensions.first { $0.name.matches("tcptype") }?.value.lowercased() }

    /// The attribute's value.
    public var description: String {
        var text = "\(foundation) \(component) \(transport) \(priority) \(host) \(port) typ \(type)"
        if let relatedAddress { text += " raddr \(relatedAddress)" }
        if let relatedPort { text += " rport \(relatedPort)" }
        for item in extensions { text += " \(item.name) \(item.value)" }
        return text
    }
}

/// One entry of a=remote-candidates (RFC 8839 §5.2).
public struct RemoteCandidate: Hashable, Sendable {
    public var component: Int
    public var host: String
    public var port: UInt16

    public init(component: Int, host: String, port: UInt16) {
        self.component = component
        self.host = host
        self.port = port
    }

    static func list(_ value: String) -> [RemoteCandidate] {
        let fields = value.fields
        var out: [RemoteCandidate] = []
        var at = 0
        while at + 2 < fields.count {
            guard let component = fields[at].decimal(UInt16.self), let port = fields[at + 2].decimal(UInt16.self) else { break }
            out.append(RemoteCandidate(component: Int(component), host: String(fields[at + 1]), port: port))
            at += 3
        }
        return out
    }
}
