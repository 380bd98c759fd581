import Core
import RTP

/// A UDP datagram under way.
public struct Datagram: Sendable, Equatable {
    public enum Kind: String, Sendable { case sip, stun, dtls, rtp, rtcp, other }

    public var source: SocketAddress
    public var destination: SocketAddress
    public var payload: [UInt8]

    public init(source: SocketAddress, destination: SocketAddress, payload: [UInt8]) {
        self.source = source
        self.destination = destination
        self.payload = payload
    }

    /// By the first byte (RFC 7983); a capital letter begins a SIP message: no client binds so many TURN channels that one begins like it.
    public var kind: Kind {
        guard let first = payload.first else { return .other }
        if (65...90).contains(first) { return .sip }
        switch PacketKind.classify(payload.span.bytes) {
        case .stun: return .stun
        case .dtls: return .dtls
        case .rtp: return .rtp
        case .rtcp: return .rtcp
        case .zrtp, .turnChannel, .unknown: return .other
        }
    }

    /// The message type of the first DTLS handshake record in clear (1 is ClientHello); nil for anything else.
    public var handshakeType: UInt8? {
        guard payload.count > 13, payload[0] == 22, payload[3] == 0, payload[4] == 0 else { return nil }
        return payload[13]
    }

    /// The same datagram with its SIP message changed; itself when it holds none.
    public func editing(_ edit: (inout SIPText) -> Void) -> Datagram {
        guard kind == .sip, var text = SIPText(payload) else { return self }
        edit(&text)
        var out = self
        out.payload = text.bytes
        return out
    }
}

/// Who has addresses in the simulated network.
public protocol Host: AnyObject {
    var name: String { get }
    var addresses: [IPAddress] { get }
    func receive(_ datagram: Datagram)
    /// A connection to `local` was opened. False refuses it.
    func accept(_ end: StreamEnd, local: SocketAddress, remote: SocketAddress) -> Bool
    /// When `wake` wants to be called; nil when nothing is due.
    var wakeAt: Instant? { get }
    func wake()
}

extension Host {
    public func accept(_ end: StreamEnd, local: SocketAddress, remote: SocketAddress) -> Bool { false }
    public var wakeAt: Instant? { nil }
    public func wake() {}
}
