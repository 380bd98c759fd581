import Core

/// What shares one UDP port, told apart by the first bytes (RFC 7983 §7, RFC 5761 §4).
public enum PacketKind: Sendable, Equatable {
    case stun
    case zrtp
    case dtls
    case turnChannel
    case rtp
    case rtcp
    /// An empty datagram or a first byte outside every range.
    case unknown

    /// - Parameter secondByte: nil when the datagram has one byte only.
    public static func classify(firstByte: UInt8, secondByte: UInt8?) -> PacketKind {
        switch firstByte {
        case 0...3: return .stun
        case 16...19: return .zrtp
        case 20...63: return .dtls
        case 64...79: return .turnChannel
        case 128...191:
            guard let secondByte else { return .unknown }
            return (192...223).contains(secondByte) ? .rtcp : .rtp
        default: return .unknown
        }
    }

    public static func classify(_ datagram: RawSpan) -> PacketKind {
        guard let first = datagram.u8(at: 0) else { return .unknown }
        return classify(firstByte: first, secondByte: datagram.u8(at: 1))
    }
}
