import Core
import Digest
import SIP

/// The paths of the web port: a link's page, and its WebSocket. There are no others.
enum WebRoute: Equatable {
    case page(token: String)
    case signalling(token: String)

    static let tokenLength = 22
    static let cookie = "sidetone"

    /// nil for every other target, one with a query included.
    init?(_ target: String) {
        let parts = target.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].isEmpty, WebRoute.isToken(String(parts[1])) else { return nil }
        switch parts.count {
        case 2: self = .page(token: String(parts[1]))
        case 3 where parts[2] == "sip": self = .signalling(token: String(parts[1]))
        default: return nil
        }
    }

    static func isToken(_ text: String) -> Bool {
        text.utf8.count == tokenLength
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
    }

    /// The host of a Host field, when it is ours: as in the link, or the address that the connection came to.
    static func host(_ field: String, _ state: PhoneClient.WebState, local: SocketAddress) -> SIPHost? {
        let own = [state.host, local.ip.uriHost] + (local.ip.isLoopback ? ["localhost"] : [])
        guard let found = own.first(where: { state.authority($0) == field }) else { return nil }
        return SIPHost(found.hasPrefix("[") ? String(found.dropFirst().dropLast()) : found)
    }

    /// The proof that we understood the key (RFC 6455 §4.2.2).
    static func accept(_ key: String) -> String { Base64.encode(Digest.hash(.sha1, Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))) }
}
