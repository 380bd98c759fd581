import Core
import Engine
import Glibc
import NIOCore
import NIOPosix
import SIP
import Secure

/// The web port: a page that calls this phone, and the WebSocket by which it does.
extension PhoneClient {
    /// From the first byte of a connection to the last of the answer, or to the upgrade.
    static let webPatience = TimeAmount.seconds(15)

    /// What the open web port knows about itself.
    struct WebState {
        var host: String
        var port: UInt16
        var tls: TLSContext?
        var admission = WebAdmission()

        var scheme: String { tls == nil ? "http" : "https" }
        private var portText: String { port == (tls == nil ? 80 : 443) ? "" : ":\(port)" }
        /// As browsers write it into Host.
        var authority: String { authority(host) }
        func authority(_ host: String) -> String { host.lowercased() + portText }
        var base: String { "\(scheme)://\(authority)/" }
    }

    func openWeb(_ configuration: WebServerConfiguration) async throws {
        var tls: TLSContext?
        if let identity = configuration.identity {
            var own = TLSConfiguration(identity: identity)
            own.keyLog = logsKeys
            do throws(TLSFailure) {
                tls = try TLSContext(role: .server, configuration: own)
            } catch { throw StartError(message: "cannot serve at \(configuration.address): \(error)", isWeb: true) }
        }
        let bound = try await bindWeb(configuration)
        let host = WebServerConfiguration.host(name: configuration.hostName, address: configuration.address.ip)
        web = WebState(host: host, port: bound.port, tls: tls)
        servers.append(bound.server)
    }

    private func bindWeb(_ configuration: WebServerConfiguration) async throws -> (server: any Channel, port: UInt16) {
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture { try self?.assumeIsolated { try $0.acceptedWeb(channel) } }
            }
        var ports = [configuration.address.port]
        if !configuration.isExplicit, configuration.address.port != 0 { ports.append(0) }
        for port in ports {
            guard let address = Sockets.nio(Core.SocketAddress(configuration.address.ip, port)) else { break }
            do {
                let server = try await bootstrap.bind(to: address).get()
                guard let actual = server.localAddress.flatMap(Sockets.address(of:)) else { break }
                return (server, actual.port)
            } catch {
                if port != ports.last, let error = error as? IOError, error.errnoCode == EADDRINUSE { continue }
                let text = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
                throw StartError(message: "cannot serve at \(configuration.address): \(text)", isWeb: true)
            }
        }
        throw StartError(message: "cannot serve at \(configuration.address)", isWeb: true)
    }

    private func acceptedWeb(_ channel: any Channel) throws {
        guard let remote = channel.remoteAddress.flatMap(Sockets.address(of:)), let local = channel.localAddress.flatMap(Sockets.address(of:)),
            web?.admission.connected(remote.ip, at: PhoneClient.now()) == true
        else {
            channel.close(promise: nil)
            return
        }
        let visit = WebVisit(channel: channel, local: local, remote: remote)
        visit.patience = loop.scheduleTask(in: PhoneClient.webPatience) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [weak self] _ in self?.assumeIsolated { $0.leave(visit) } }
        guard let tls = web?.tls else { return try talk(visit) }
        try channel.pipeline.syncOperations.addHandler(
            tlsHandler(TLSConnection(server: tls, unixTime: Int64(time(nil)))) { me, result in
                if case .success = result { try? me.talk(visit) }
            })
    }

    private func talk(_ visit: WebVisit) throws {
        try visit.channel.pipeline.syncOperations.addHandler(
            WebConnection { [weak self] request in
                self?.assumeIsolated { $0.answer(request, visit) } ?? .response(WebResponse(404))
            })
    }

    /// It counts no longer: it ended, or became a WebSocket.
    private func leave(_ visit: WebVisit) {
        visit.patience?.cancel()
        guard visit.isCounted else { return }
        visit.isCounted = false
        web?.admission.disconnected(visit.remote.ip)
    }

    // MARK: answering

    private func answer(_ read: Result<WebRequest, WebRequest.Failure>, _ visit: WebVisit) -> WebConnection.Answer {
        let now = PhoneClient.now()
        guard let state = web else { return .response(WebResponse(404)) }
        guard web?.admission.takes(visit.remote.ip, at: now) == true else {
            return .response(.message(429, "Too many requests", "Wait a minute, then load this page again.", fields: [("Retry-After", "30")]))
        }
        switch read {
        case .failure(.malformed): return .response(WebResponse(400))
        case .failure(.tooLarge): return .response(WebResponse(431))
        case .failure(.version): return .response(WebResponse(505))
        case .success(let request): return answer(request, visit, state, at: now)
        }
    }

    private func answer(_ request: WebRequest, _ visit: WebVisit, _ state: WebState, at now: Instant) -> WebConnection.Answer {
        guard let host = request.only("host")?.lowercased(), let name = WebRoute.host(host, state, local: visit.local) else {
            // A page of elsewhere whose name leads here by a trick of DNS.
            return .response(WebResponse(421))
        }
        guard let route = WebRoute(request.target) else { return .response(.message(404, "Not found", "There is nothing here.")) }
        guard request.method == "GET" || request.method == "HEAD" else { return .response(WebResponse(405, fields: [("Allow", "GET, HEAD")])) }
        switch route {
        case .page(let token): return .response(page(token, request, host, state, at: now))
        case .signalling(let token): return upgrade(token, request, host, name, visit, state, at: now)
        }
    }

    private func page(_ token: String, _ request: WebRequest, _ host: String, _ state: WebState, at now: Instant) -> WebResponse {
        let visitor = request.cookie(WebRoute.cookie)
        guard phone.admitsGuest(token: token, visitor: visitor, at: now) else {
            return .message(403, "This link no longer works", "It was used, is in use, or has expired. Ask for a new one.")
        }
        let socket = "\(state.tls == nil ? "ws" : "wss")://\(host)"
        var fields = [
            ("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", WebPage.policy(webSocket: socket)),
            ("Permissions-Policy", "microphone=(self), camera=(self)"),
        ]
        if visitor.map(WebRoute.isToken) != true {
            let secure = state.tls == nil ? "" : "; Secure"
            let value = RandomSource { SystemRandomNumberGenerator.draw() }.token(WebRoute.tokenLength)
            fields.append(("Set-Cookie", "\(WebRoute.cookie)=\(value); Path=/\(token); Max-Age=3600; HttpOnly; SameSite=Lax\(secure)"))
        }
        return WebResponse(200, fields: fields, body: WebPage.document)
    }

    private func upgrade(
        _ token: String, _ request: WebRequest, _ host: String, _ name: SIPHost, _ visit: WebVisit, _ state: WebState, at now: Instant
    ) -> WebConnection.Answer {
        guard request.method == "GET", request.list("upgrade").contains(where: { $0.lowercased() == "websocket" }),
            request.list("connection").contains(where: { $0.lowercased() == "upgrade" }), request.only("sec-websocket-version") == "13",
            let key = request.only("sec-websocket-key"), Base64.decode(key)?.count == 16
        else { return .response(WebResponse(426, fields: [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")])) }
        guard request.list("sec-websocket-protocol").contains(WebSocketUpgrade.subprotocol) else { return .response(WebResponse(400)) }
        // Only the page itself connects: another site's script sends the browser's cookie too, but its own Origin.
        guard request.only("origin")?.lowercased() == "\(state.scheme)://\(host)" else { return .response(WebResponse(403)) }
        let id = ConnectionID(raw: nextAccepted)
        guard phone.claimLink(token: token, visitor: request.cookie(WebRoute.cookie), connection: id, at: now) else {
            drain(at: now)
            return .response(WebResponse(403))
        }
        drain(at: now)
        nextAccepted &+= 2
        let flow = SIPFlow(transport: state.tls == nil ? .ws : .wss, local: visit.local, remote: visit.remote, connection: id)
        return .webSocket(accept: WebRoute.accept(key), handler: webSocketHandler(flow, isServer: true)) { [weak self] in
            self?.assumeIsolated { me in
                me.leave(visit)
                me.connections[id] = visit.channel
                let now = PhoneClient.now()
                me.phone.guestConnected(flow, host: name, at: now)
                me.drain(at: now)
            }
        }
    }
}

/// One connection until it ends or is a WebSocket. Belongs to the loop.
final class WebVisit: @unchecked Sendable {
    let channel: any Channel
    let local: Core.SocketAddress
    let remote: Core.SocketAddress
    var patience: Scheduled<Void>?
    var isCounted = true

    init(channel: any Channel, local: Core.SocketAddress, remote: Core.SocketAddress) {
        self.channel = channel
        self.local = local
        self.remote = remote
    }
}

extension SystemRandomNumberGenerator {
    fileprivate static func draw() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
