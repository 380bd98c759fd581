import Core
import Secure

/// The web port of click to call. Values only.
public struct WebServerConfiguration: Sendable {
    /// Where to listen; may be unspecified (0.0.0.0), and port 0 takes any.
    public var address: SocketAddress
    /// False for the default port, which gives way to any other when it is taken.
    public var isExplicit: Bool
    /// The name by which people reach it; nil: the address itself.
    public var hostName: String?
    /// The certificate of HTTPS; nil: HTTP, whose pages get the microphone on loopback only.
    public var identity: TLSIdentity?

    public init(address: SocketAddress, isExplicit: Bool = true, hostName: String? = nil, identity: TLSIdentity? = nil) {
        self.address = address
        self.isExplicit = isExplicit
        self.hostName = hostName
        self.identity = identity
    }

    /// The host of the link: the name, the address, or for all addresses the one that leads out.
    public static func host(name: String?, address: IPAddress) -> String {
        if let name { return name }
        guard address.isUnspecified else { return address.uriHost }
        let known = Sockets.interfaceAddresses().usable
        return (known.first { $0.isV4 == address.isV4 } ?? known.first ?? (address.isV4 ? .loopbackV4 : .loopbackV6)).uriHost
    }
}
