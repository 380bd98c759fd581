import Core

/// A network address translator for UDP between private addresses and one public address (RFC 4787's terms).
public final class NATBox {
    public enum Behaviour: Sendable {
        /// Endpoint-independent mapping and filtering.
        case fullCone
        /// Endpoint-independent mapping, address- and port-dependent filtering.
        case portRestricted
        /// A mapping for each destination, and only that destination may answer.
        case symmetric
    }

    private struct Inside: Hashable {
        var source: SocketAddress
        /// nil with endpoint-independent mapping.
        var destination: SocketAddress?
    }

    public let behaviour: Behaviour
    public let publicAddress: IPAddress
    private var ports: [Inside: UInt16] = [:]
    private var owners: [UInt16: Inside] = [:]
    private var allowed: [UInt16: Set<SocketAddress>] = [:]
    private var nextPort: UInt16 = 40_001
    /// Datagrams from outside that found no mapping.
    public private(set) var refused = 0

    public init(_ behaviour: Behaviour, publicAddress: IPAddress) {
        self.behaviour = behaviour
        self.publicAddress = publicAddress
    }

    /// The public source of a datagram that leaves.
    func outbound(from source: SocketAddress, to destination: SocketAddress) -> SocketAddress {
        let inside = Inside(source: source, destination: behaviour == .symmetric ? destination : nil)
        let port: UInt16
        if let known = ports[inside] {
            port = known
        } else {
            port = nextPort
            // Odd steps: a port's neighbour is never its RTCP.
            nextPort = nextPort &+ 7
            ports[inside] = port
            owners[port] = inside
        }
        allowed[port, default: []].insert(destination)
        return SocketAddress(publicAddress, port)
    }

    /// The private destination of a datagram that came to `port`, or nil when it is refused.
    func inbound(from source: SocketAddress, to port: UInt16) -> SocketAddress? {
        guard let inside = owners[port], behaviour == .fullCone || allowed[port]?.contains(source) == true else {
            refused += 1
            return nil
        }
        return inside.source
    }
}
