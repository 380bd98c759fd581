import Core

/// A TURN server and how it is reached (RFC 8656). What it relays is always UDP.
public struct TurnServer: Sendable, Hashable {
    public enum Transport: String, Sendable, Hashable {
        case udp, tcp, tls
    }

    public var transport: Transport
    public var address: SocketAddress
    /// The name that a TLS certificate must have; for people otherwise.
    public var serverName: String
    /// Long-term credentials (RFC 8489 §9.2), already prepared by OpaqueString.
    public var username: String
    public var password: String

    public init(transport: Transport = .udp, address: SocketAddress, serverName: String = "", username: String, password: String) {
        self.transport = transport
        self.address = address
        self.serverName = serverName
        self.username = username
        self.password = password
    }
}

/// W3C RTCIceTransportPolicy. `relay`: only relayed candidates are signalled and used, so the peer never learns our addresses.
public enum IcePolicy: String, Sendable, Hashable {
    case all, relay
}

/// Names one connection of an agent to a TURN server over TCP or TLS; unique within the agent.
public struct IceStreamID: Hashable, Sendable {
    public let raw: Int
    public init(raw: Int) { self.raw = raw }
}
