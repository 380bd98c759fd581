import Core
import Engine
import NIOCore
import NIOPosix
import SIP

extension PhoneClient {
    /// Answers with the targets to try, each with the local address toward it.
    func resolve(_ id: ResolutionID, _ query: ResolutionQuery) {
        let transport = query.transport ?? (query.secure ? .tls : .udp)
        let port = query.port ?? transport.defaultPort
        let finish: @Sendable ([IPAddress]) -> Void = { [weak self] addresses in
            self?.assumeIsolated { me in
                let targets = addresses.compactMap { me.target($0, port, transport) }
                if targets.isEmpty {
                    let message = addresses.isEmpty ? "no address for \(query.host)" : "no route to \(query.host)"
                    me.tell(.signalling(.resolutionFailed(id, message)))
                } else {
                    me.tell(.signalling(.resolved(id, targets)))
                }
            }
        }
        addresses(of: query.host, finish)
    }

    /// Numeric hosts at once, names by the resolver's thread; `finish` runs on the loop, never inside this call.
    func addresses(of host: SIPHost, _ finish: @escaping @Sendable ([IPAddress]) -> Void) {
        switch host {
        case .ip(let ip): loop.execute { finish([ip]) }
        case .name(let name):
            // Names come from strangers too (Contact, Record-Route): they wait in a short queue or get no answer.
            guard lookups < PhoneClient.lookupLimit else { return loop.execute { finish([]) } }
            lookups += 1
            // The first name starts the threads; a no-op afterwards.
            resolverThreads.start()
            resolverThreads.runIfActive(eventLoop: loop) { NameResolver.addresses(of: name) }
                .whenComplete { [weak self] result in
                    self?.assumeIsolated { $0.lookups -= 1 }
                    finish((try? result.get()) ?? [])
                }
        }
    }

    private func target(_ ip: IPAddress, _ port: UInt16, _ transport: SIPTransport) -> ResolvedTarget? {
        guard transport == .udp else {
            let route = localAddress(toward: ip)
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

    /// The local address toward `ip`, bounded by the hosts that `--listen` names.
    func localAddress(toward ip: IPAddress) -> IPAddress? {
        let named = listeners.map(\.address.ip).filter { $0.isV4 == ip.isV4 }
        guard let route = Sockets.route(to: ip) else { return nil }
        if named.isEmpty || named.contains(where: \.isUnspecified) || named.contains(route) { return route }
        return named.first
    }
}
