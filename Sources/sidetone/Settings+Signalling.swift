import CPlatform
import Core
import Engine
import Glibc
import Runtime
import SIP

/// Addresses: where to listen, whom to be, whom to go through.
extension Settings {
    mutating func readSignalling(_ choices: Choices, role: Role) throws {
        listeners = try choices.all("listen").map(Settings.listener)
        if listeners.isEmpty {
            // Who waits to be called stands at the usual place; `serve` is called by way of its page.
            let port: UInt16 = role == .screen || role == .answer ? 5060 : 0
            listeners = [ListenSpecification(transport: .udp, address: SocketAddress(.anyV4, port), isExplicit: false)]
            // When the port is taken, the second family takes any without saying so again.
            let second = port != 0 && !Settings.canBind(.anyV4, port) ? 0 : port
            if Settings.canBind(.loopbackV6, 0) {
                listeners.append(ListenSpecification(transport: .udp, address: SocketAddress(.v6(0, 0), second), isExplicit: false))
            }
        } else if !listeners.contains(where: { $0.transport == .udp }) {
            // Outgoing UDP still needs a socket to send from; nobody asked for calls to it.
            var source = ListenSpecification(transport: .udp, address: SocketAddress(listeners[0].address.ip, 0), isExplicit: false)
            source.sendsOnly = true
            listeners.append(source)
        }
        phone.identity = try choices.value("identity").map(Settings.uri)
        phone.proxy = try choices.value("proxy").map(Settings.uri)
    }

    /// Whether a UDP socket can be bound there: the machine has the family, and the port is free.
    static func canBind(_ ip: IPAddress, _ port: UInt16) -> Bool {
        let bytes = ip.bytes
        let descriptor = platform_udp_bind(bytes, Int32(bytes.count), port, 0)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    /// TRANSPORT:HOST:PORT. A name must have an address; the first one is taken.
    static func listener(_ given: Given) throws -> ListenSpecification {
        let form = "\(quoted(given.text)) is not TRANSPORT:HOST:PORT, e.g. udp:0.0.0.0:5060 or tls:[::1]:0"
        guard let colon = given.text.firstIndex(of: ":") else { throw given.error(form) }
        let word = given.text[..<colon].lowercased()
        guard let transport = SIPTransport(rawValue: word) else { throw given.error(form) }
        if let listener = ListenSpecification(given.text) { return listener }
        let rest = given.text[given.text.index(after: colon)...]
        guard let last = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: last)...]) else { throw given.error(form) }
        let name = rest[..<last]
        guard !name.isEmpty, name.utf8.allSatisfy({ $0.isHostNameByte }), name.utf8.contains(where: { !$0.isDigitOrDot }) else {
            throw given.error(form)
        }
        guard let ip = NameResolver.addresses(of: String(name)).first else { throw given.error("no address for \(quoted(name))") }
        return ListenSpecification(transport: transport, address: SocketAddress(ip, port), isExplicit: port != 0)
    }

    /// A SIP URI that this version can reach.
    static func uri(_ given: Given) throws -> SIPURI {
        guard let uri = SIPURI(given.text), uri.isSIP, !given.text.contains(where: \.isWhitespace) else {
            throw given.error("\(quoted(given.text)) is not a SIP URI, e.g. sip:user@example.org")
        }
        try checkReachable(uri, "\(given.origin)")
        return uri
    }

    static func checkReachable(_ uri: SIPURI, _ place: String) throws {
        guard let name = uri.transport else { return }
        guard let transport = SIPTransport(rawValue: name) else {
            throw UsageError("\(place): transport=\(Sanitiser.text(name)) is not udp, tcp, tls, ws or wss")
        }
        if uri.isSecure, transport == .udp { throw UsageError("\(place): sips: cannot go over UDP: leave transport=udp out") }
    }
}

extension UInt8 {
    fileprivate var isDigitOrDot: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") || self == UInt8(ascii: ".") }
    fileprivate var isHostNameByte: Bool {
        isDigitOrDot || self == UInt8(ascii: "-") || self == UInt8(ascii: "_") || self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z")
            || self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z")
    }
}
