import Core

/// A transport protocol as Via and the `transport` parameter name it (RFC 3261 §18, RFC 7118).
public enum SIPTransport: String, Sendable, Hashable, CaseIterable {
    case udp, tcp, tls, ws, wss

    /// Reliable transports need no retransmission.
    public var isReliable: Bool { self != .udp }
    public var isSecure: Bool { self == .tls || self == .wss }
    public var isWebSocket: Bool { self == .ws || self == .wss }

    /// What `transport=` means in a `sips:` URI (RFC 3261 §26.2.2, RFC 7118 §5.2.4); nil: not possible there.
    public var secured: SIPTransport? {
        switch self {
        case .udp: nil
        case .tcp, .tls: .tls
        case .ws, .wss: .wss
        }
    }

    /// The `transport` parameter of a Contact: `ws` stands for both kinds of WebSocket.
    public var uriParameter: String { self == .wss ? SIPTransport.ws.rawValue : rawValue }

    /// The port when a URI or a Via names none (RFC 3261 §19.1.2, RFC 7118 §5).
    public var defaultPort: UInt16 {
        switch self {
        case .udp, .tcp: 5060
        case .tls: 5061
        case .ws: 80
        case .wss: 443
        }
    }

    /// The token of a Via header: upper case.
    public var viaToken: String { rawValue.uppercased() }
}

/// One connection of a stream transport. The user agent numbers outgoing ones odd (1, 3, …); who accepts connections numbers them even.
public struct ConnectionID: Hashable, Sendable {
    public let raw: UInt64
    public init(raw: UInt64) { self.raw = raw }

    /// The user agent opened it.
    var isOutgoing: Bool { raw & 1 == 1 }
}

/// Where a message came from or goes to.
public struct SIPFlow: Hashable, Sendable {
    public var transport: SIPTransport
    /// The address on this machine; never unspecified.
    public var local: SocketAddress
    public var remote: SocketAddress
    /// nil for UDP.
    public var connection: ConnectionID?

    public init(transport: SIPTransport, local: SocketAddress, remote: SocketAddress, connection: ConnectionID? = nil) {
        self.transport = transport
        self.local = local
        self.remote = remote
        self.connection = connection
    }
}

/// A message to write: one datagram, or bytes for a connection.
public struct SIPTransmit: Sendable, Equatable {
    public var flow: SIPFlow
    public var bytes: [UInt8]

    public init(flow: SIPFlow, bytes: [UInt8]) {
        self.flow = flow
        self.bytes = bytes
    }
}

/// A message as it was on the wire, for ladder, log and capture.
public struct SIPTrace: Sendable, Equatable {
    public enum Direction: String, Sendable { case sent, received }

    public var direction: Direction
    public var flow: SIPFlow
    public var bytes: [UInt8]

    public init(direction: Direction, flow: SIPFlow, bytes: [UInt8]) {
        self.direction = direction
        self.flow = flow
        self.bytes = bytes
    }
}

/// Names one question to the resolver.
public struct ResolutionID: Hashable, Sendable {
    public let raw: UInt64
    public init(raw: UInt64) { self.raw = raw }
}

/// What has to be resolved (RFC 3263 §4). Asked for numeric hosts too: the answer says which local address reaches the target.
public struct ResolutionQuery: Sendable, Equatable {
    public var host: SIPHost
    public var port: UInt16?
    /// The URI's `transport` parameter.
    public var transport: SIPTransport?
    /// True for `sips:`: only TLS (or WSS) will do.
    public var secure: Bool

    public init(host: SIPHost, port: UInt16? = nil, transport: SIPTransport? = nil, secure: Bool = false) {
        self.host = host
        self.port = port
        self.transport = transport
        self.secure = secure
    }
}

/// One place to try.
public struct ResolvedTarget: Hashable, Sendable {
    public var transport: SIPTransport
    public var address: SocketAddress
    /// The source to use: the address that routes to the target and, for UDP, the listening port.
    public var local: SocketAddress

    public init(transport: SIPTransport, address: SocketAddress, local: SocketAddress) {
        self.transport = transport
        self.address = address
        self.local = local
    }
}

public enum ConnectionFailure: Error, Sendable, Equatable {
    case refused
    case timeout
    /// Certificate, name or version.
    case tls(String)
    case other(String)
}
