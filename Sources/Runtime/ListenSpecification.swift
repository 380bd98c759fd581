import Core
import SIP

/// One `--listen TRANSPORT:HOST:PORT`.
public struct ListenSpecification: Sendable, Equatable {
    public var transport: SIPTransport
    public var address: SocketAddress
    /// False for the default port, which gives way to any other when it is taken.
    public var isExplicit: Bool
    /// UDP that nobody asked for, to send from: it is not announced and takes no calls but those that our own servers pass on.
    public var sendsOnly = false

    public init(transport: SIPTransport, address: SocketAddress, isExplicit: Bool) {
        self.transport = transport
        self.address = address
        self.isExplicit = isExplicit
    }

    /// "udp:192.0.2.1:5060", "tcp:[::1]:0"; nil when it is not of that form. The host is numeric.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), let transport = SIPTransport(rawValue: text[..<colon].lowercased()),
            let address = SocketAddress(text[text.index(after: colon)...])
        else { return nil }
        self.init(transport: transport, address: address, isExplicit: address.port != 0)
    }
}
