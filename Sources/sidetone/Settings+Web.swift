import Core
import Runtime
import Secure

/// Where `serve` listens for browsers.
extension Settings {
    struct Web: Sendable, Equatable {
        var address = SocketAddress(.loopbackV4, Web.defaultPort)
        /// The default port gives way to any other when it is taken.
        var isExplicit = false
        var hostName: String?

        static let defaultPort: UInt16 = 8089

        /// Browsers give the microphone to HTTP on loopback, and else to HTTPS only.
        var isSecure: Bool { !address.ip.isLoopback }
        var host: String { WebServerConfiguration.host(name: hostName, address: address.ip) }
    }

    /// HOST:PORT; a name must be this machine's.
    static func web(_ given: Given) throws -> Web {
        if let address = SocketAddress(given.text) { return Web(address: address, isExplicit: address.port != 0) }
        let form = "\(quoted(given.text)) is not HOST:PORT, e.g. 127.0.0.1:8089 or 0.0.0.0:0"
        guard let colon = given.text.lastIndex(of: ":"), let port = UInt16(given.text[given.text.index(after: colon)...]) else {
            throw given.error(form)
        }
        let name = String(given.text[..<colon])
        guard !name.contains("["), TLSServerName(name) != nil else { throw given.error(form) }
        guard let ip = NameResolver.addresses(of: name).first else { throw given.error("no address for \(quoted(name))") }
        return Web(address: SocketAddress(ip, port), isExplicit: port != 0, hostName: name)
    }
}
