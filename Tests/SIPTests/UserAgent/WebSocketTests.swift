import Core
import Testing

@testable import SIP

/// SIP over WebSocket (RFC 7118) and TLS: what is written, by which connection, and under which name.
@Suite struct WebSocketTests {
    let network = TestNetwork()
    let right = Credentials(username: "alice", password: "secret")

    func setUp(_ proxy: String, accepts: SIPTransport) -> (Phone, ScriptedServer) {
        let script = network.script("192.0.2.50")
        script.accepts = [accepts]
        network.names["pbx.example"] = [script.address]
        let server = ScriptedServer(script, right)
        let phone = network.phone("alice", "192.0.2.1")
        let uri = SIPURI(user: "alice", host: .name("pbx.example"))
        network.tell(phone, .addAccount(SIPAccount(id: "a", uri: uri, credentials: right, proxy: SIPURI(proxy))))
        network.tell(phone, .register("a"))
        network.run(until: 1)
        return (phone, server)
    }

    @Test(arguments: [SIPTransport.ws, .wss])
    func registersAndCallsOverOneConnection(transport: SIPTransport) throws {
        let (phone, server) = setUp("sip:pbx.example:5060;transport=\(transport)", accepts: transport)
        #expect(phone.story == ["registering - -", "registered 200 3600"])
        let register = try #require(server.script.requests(.register).last)
        #expect(register.headers.topVia?.transport == transport.viaToken)
        #expect(register.headers.contacts.first?.uri.transport == "ws")
        #expect(register.headers.routes.first?.uri.description == "sip:pbx.example:5060;transport=ws;lr")
        #expect(server.script.opened.map(\.serverName) == ["pbx.example"])
        #expect(server.script.opened.map(\.transport) == [transport])

        // The proxy's Contact says "ws" and an address that leads nowhere: BYE still goes by the connection.
        server.script.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            var response = SIPResponse(to: request, status: 200, toTag: "pbx")
            response.headers.add(.contact, "<sip:bob@nowhere.invalid;transport=ws>")
            return [response.serialize()]
        }
        let id = network.call(phone, SIPURI(user: "bob", host: .name("pbx.example")), account: "a")
        network.run(until: 2)
        #expect(server.script.requests(.ack).count == 1)
        network.tell(phone, .hangUp(id, reason: nil))
        network.run(until: 3)
        #expect(server.script.requests(.bye).count == 1)
        #expect(server.script.opened.count == 1)
    }

    /// A message may come without Content-Length; the answer goes back by the connection; a broken one does no harm to it.
    @Test func oneFrameIsOneMessage() {
        let (phone, server) = setUp("sip:pbx.example:5060;transport=ws", accepts: .ws)
        let lines = [
            "INVITE sip:alice@192.0.2.1;transport=ws SIP/2.0", "Via: SIP/2.0/WS abc.invalid;branch=z9hG4bKbrowser",
            "From: <sip:bob@pbx.example>;tag=b",
            "To: <sip:alice@pbx.example>", "Call-ID: browser", "CSeq: 1 INVITE", "Contact: <sip:x@abc.invalid;transport=ws>", "Max-Forwards: 69",
            "Content-Type: application/sdp",
        ]
        network.push(server.script, Array("INVITE broken\r\n\r\n".utf8))
        network.push(server.script, Array((lines.joined(separator: "\r\n") + "\r\n\r\nbody").utf8))
        network.push(server.script, [13, 10, 13, 10])
        network.run(until: 1.5)
        #expect(phone.story.last == "incoming body")
        #expect(phone.agent.strays.malformed == 1 && phone.agent.counts.connections == 1)
        #expect(server.script.pongs == 1)
        if let session = phone.session { network.tell(phone, .accept(session, body: [65])) }
        network.run(until: 1.6)
        #expect(server.script.responses.last?.status == 200)
        #expect(server.script.responses.last?.headers.contacts.first?.uri.transport == "ws")
    }

    @Test func bytesOfAnUnknownConnectionAreDropped() {
        let phone = network.phone("alice", "192.0.2.1")
        let flow = SIPFlow(transport: .ws, local: phone.address, remote: phone.address, connection: ConnectionID(raw: 99))
        phone.agent.receive(Array("OPTIONS sip:x SIP/2.0\r\n\r\n".utf8), flow: flow, at: network.now)
        if let output = phone.agent.poll() { Issue.record("\(output)") }
    }

    @Test(
        arguments: [
            ("sips:a@x", nil, true), ("sips:a@x;transport=tcp", .tls, true), ("sips:a@x;transport=ws", .wss, true),
            ("sip:a@x;transport=wss", .wss, false),
            ("sip:a@x;transport=tls", .tls, false),
        ] as [(String, SIPTransport?, Bool)])
    func transportsOfURIs(text: String, transport: SIPTransport?, secure: Bool) throws {
        let uri = try #require(SIPURI(text))
        let query = try #require(UserAgent.query(for: uri))
        #expect(query.transport == transport && query.secure == secure)
        let impossible = try #require(SIPURI("sips:a@x;transport=udp"))
        #expect(UserAgent.query(for: impossible) == nil)
    }

    @Test func sipsGoesByTLSOnly() throws {
        var agent = UserAgent(configuration: UserAgentConfiguration(), random: RandomSource(seed: 1))
        let session = agent.makeSessionID()
        let uri = try #require(SIPURI("sips:bob@x.example"))
        agent.handle(.invite(session, to: uri, account: nil, body: nil, contentType: "application/sdp"), at: .zero)
        var end: SessionEnd?
        while let output = agent.poll() {
            switch output {
            case .resolve(let id, _):
                let address = SocketAddress(.v4(0xC000_0209), 5060)
                agent.handle(.resolved(id, [ResolvedTarget(transport: .udp, address: address, local: address)]), at: .zero)
            case .transmit, .connect: Issue.record("\(output)")
            case .event(.ended(_, let told)): end = told
            default: break
            }
        }
        #expect(end?.cause == .unreachable)
    }

    /// RFC 5922: a server that proved one name is not taken for another at the same address.
    @Test func anotherNameIsAnotherConnection() {
        let (phone, server) = setUp("sip:pbx.example:5060;transport=tls", accepts: .tls)
        network.names["other.example"] = [server.script.address]
        _ = network.call(phone, SIPURI("sip:bob@other.example:5060;transport=tls") ?? phone.uri)
        network.run(until: 2)
        #expect(server.script.opened.map(\.serverName) == ["pbx.example", "other.example"])
        _ = network.call(phone, SIPURI("sip:bob@other.example:5060;transport=tls") ?? phone.uri)
        network.run(until: 3)
        #expect(server.script.opened.count == 2)
    }

    /// Kamailio writes `transport=ws` for wss as well: when the server does not take TLS any more, nothing leaves in clear.
    @Test func secureDialogIsNotContinuedInClear() {
        let (phone, server) = setUp("sip:pbx.example:5060;transport=wss", accepts: .wss)
        server.script.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            var response = SIPResponse(to: request, status: 200, toTag: "pbx")
            response.headers.add(.recordRoute, "<sip:192.0.2.50:5060;transport=ws;lr>")
            response.headers.add(.contact, "<sip:bob@nowhere.invalid;transport=ws>")
            return [response.serialize()]
        }
        let id = network.call(phone, SIPURI(user: "bob", host: .name("pbx.example")), account: "a")
        network.run(until: 2)
        server.script.accepts = [.ws, .tcp]
        network.cut(server.script)
        network.run(until: 3)
        network.tell(phone, .hangUp(id, reason: nil))
        network.run(until: 4)
        #expect(server.script.requests(.bye).isEmpty && server.script.open.isEmpty)
        #expect(server.script.opened.allSatisfy { $0.transport == .wss })
    }
}
