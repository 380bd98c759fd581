import Core
import Engine
import NIOCore
import NIOPosix
import SIP

extension PhoneClient {
    /// Answers with the targets to try, each with the local address toward it. Never inside this call.
    func resolve(_ id: ResolutionID, _ query: ResolutionQuery) {
        loop.execute {
            self.assumeIsolated { me in
                me.lookUp(id, query) { [weak me] found in me?.assumeIsolated { $0.found(id, query, found) } }
            }
        }
    }

    private func found(_ id: ResolutionID, _ query: ResolutionQuery, _ found: Found) {
        switch found {
        case .failure(let failure): tell(.signalling(.resolutionFailed(id, failure.text)))
        case .success(let places):
            let targets = places.compactMap { target($0.address.ip, $0.address.port, $0.transport) }
            guard targets.isEmpty else { return tell(.signalling(.resolved(id, targets))) }
            tell(.signalling(.resolutionFailed(id, places.isEmpty ? "no address for \(query.host)" : "no route to \(query.host)")))
        }
    }

    /// The addresses of a URI's servers, in the order to try. Never inside this call.
    func addresses(of query: ResolutionQuery, _ finish: @escaping @Sendable (Result<[IPAddress], LookupFailure>) -> Void) {
        loop.execute {
            self.assumeIsolated { me in
                // The user agent counts its own from 1.
                let id = ResolutionID(raw: 1 << 63 | me.nextLookup)
                me.nextLookup &+= 1
                me.lookUp(id, query) { found in
                    finish(
                        found.map { places in
                            places.reduce(into: []) { if !$0.contains($1.address.ip) { $0.append($1.address.ip) } }
                        })
                }
            }
        }
    }

    /// Where `sips:` stands nothing but TLS is used, whatever transport is named (RFC 3261 §26.2.2).
    static func transport(of query: ResolutionQuery) -> SIPTransport {
        guard query.secure else { return query.transport ?? .udp }
        return query.transport == .ws || query.transport == .wss ? .wss : .tls
    }

    private func target(_ ip: IPAddress, _ port: UInt16, _ transport: SIPTransport) -> ResolvedTarget? {
        guard transport == .udp else {
            let route = localAddress(toward: ip, transport)
            return route.map { ResolvedTarget(transport: transport, address: Core.SocketAddress(ip, port), local: Core.SocketAddress($0, 0)) }
        }
        // A socket bound to one address sends from it; a wildcard one from the route's.
        let sockets = signalling.filter { $0.transport == .udp && $0.address.ip.isV4 == ip.isV4 }
        guard let route = Sockets.route(to: ip) else { return nil }
        let socket = sockets.first { $0.address.ip == route } ?? sockets.first { $0.address.ip.isUnspecified } ?? sockets.first
        guard let socket else { return nil }
        let local = socket.address.ip.isUnspecified ? route : socket.address.ip
        return ResolvedTarget(transport: .udp, address: Core.SocketAddress(ip, port), local: Core.SocketAddress(local, socket.address.port))
    }

    /// The local address toward `ip`, bounded by the hosts that `--listen` names: those of the transport itself when there are any.
    func localAddress(toward ip: IPAddress, _ transport: SIPTransport? = nil) -> IPAddress? {
        let family = listeners.filter { $0.address.ip.isV4 == ip.isV4 }
        let own = family.filter { $0.transport == transport }
        let named = (own.isEmpty ? family : own).map(\.address.ip)
        guard let route = Sockets.route(to: ip) else { return nil }
        if named.isEmpty || named.contains(where: \.isUnspecified) || named.contains(route) { return route }
        return named.first
    }
}
