/// A datagram that a machine wants sent.
public struct Transmit: Sendable, Equatable {
    public var payload: [UInt8]
    /// The local address (base) to send from.
    public var source: SocketAddress
    public var destination: SocketAddress

    public init(payload: [UInt8], source: SocketAddress, destination: SocketAddress) {
        self.payload = payload
        self.source = source
        self.destination = destination
    }
}
