import Core
import Secure

/// What the stream transports need besides addresses. Values only; files were read by the caller.
public struct TransportConfiguration: Sendable {
    /// Whose signature counts for TLS and WSS.
    public var trust: TLSConfiguration.Trust
    /// Our certificate: what a TLS listener shows, and what a server that asks is shown.
    public var identity: TLSIdentity?
    /// The path of the WebSocket upgrade.
    public var webSocketPath: String
    /// How long the TLS handshake and the WebSocket upgrade may take together once the connection stands.
    public var handshakeLimit: Duration
    /// Whom to ask for names; nil: the system's servers, after its hosts file.
    public var nameServers: [SocketAddress]?
    /// Click to call; nil: no web port.
    public var web: WebServerConfiguration?

    public init(
        trust: TLSConfiguration.Trust = .system, identity: TLSIdentity? = nil, webSocketPath: String = "/ws", handshakeLimit: Duration = .seconds(10),
        nameServers: [SocketAddress]? = nil
    ) {
        self.trust = trust
        self.identity = identity
        self.webSocketPath = webSocketPath
        self.handshakeLimit = handshakeLimit
        self.nameServers = nameServers
    }
}
