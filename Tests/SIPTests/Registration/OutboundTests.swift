import Core
import Testing

@testable import SIP

/// Client-initiated connections (RFC 5626), keep-alive, service routes (RFC 3608) and what happens when a flow is lost.
@Suite struct OutboundTests {
    let network = TestNetwork()
    let right = Credentials(username: "alice", password: "secret")
    let instance = "urn:uuid:00000000-0000-1000-8000-000a95a0e128"

    func setUp(_ transport: SIPTransport = .tcp, instanceID: String? = nil, _ prepare: (ScriptedServer) -> Void = { _ in }) -> (Phone, ScriptedServer)
    {
        let script = network.script("192.0.2.50")
        script.accepts = [.tcp, .tls, .ws, .wss]
        network.names["pbx.example"] = [script.address]
        let server = ScriptedServer(script, right)
        prepare(server)
        let phone = network.phone("alice", "192.0.2.1", UserAgentConfiguration(instanceID: instanceID))
        let proxy = SIPURI("sip:pbx.example:5060;transport=\(transport)")
        let uri = SIPURI(user: "alice", host: .name("pbx.example"))
        network.tell(phone, .addAccount(SIPAccount(id: "a", uri: uri, credentials: right, registrar: proxy, expiresSeconds: 3600)))
        network.tell(phone, .register("a"))
        network.run(until: 1)
        return (phone, server)
    }

    @Test func registerCarriesInstanceAndFlow() throws {
        let (phone, server) = setUp(instanceID: instance) { $0.extra = [(.require, "outbound")] }
        let register = try #require(server.script.requests(.register).last)
        let contact = try #require(register.headers.contacts.first)
        #expect(contact.description.hasSuffix(";+sip.instance=\"<\(instance)>\";reg-id=1"))
        #expect(register.headers.supported == ["path", "outbound"])
        #expect(!contact.uri.parameters.contains("ob"))
        // The dialog comes by the registered flow as well.
        _ = network.call(phone, SIPURI("sip:bob@pbx.example:5060;transport=tcp") ?? phone.uri, account: "a")
        network.run(until: 2)
        let invite = try #require(server.script.requests(.invite).last)
        #expect(invite.headers.contacts.first?.uri.parameters.contains("ob") == true)
        #expect(invite.headers.supported.contains("outbound"))
    }

    @Test func withoutInstanceNothingIsSaid() throws {
        let (phone, server) = setUp()
        let register = try #require(server.script.requests(.register).last)
        #expect(register.headers.supported == ["path"])
        #expect(register.headers.contacts.first?.parameters.contains("+sip.instance") == false)
        _ = network.call(phone, SIPURI("sip:bob@pbx.example:5060;transport=tcp") ?? phone.uri, account: "a")
        network.run(until: 2)
        #expect(server.script.requests(.invite).last?.headers.contacts.first?.uri.parameters.contains("ob") == false)
    }

    /// 439: the first hop lacks outbound support.
    @Test func refusedOutboundIsLeftOut() {
        let (phone, server) = setUp(instanceID: instance) { $0.refusals = [439] }
        #expect(phone.story.last == "registered 200 3600")
        #expect(server.script.requests(.register).map { $0.headers.supported.contains("outbound") } == [true, false, false])
    }

    @Test func pingsKeepTheFlow() {
        let (phone, server) = setUp(instanceID: instance) { $0.extra = [(.require, "outbound")] }
        network.run(until: 1000)
        let pings = server.script.pings
        let gaps = zip(pings, pings.dropFirst()).map { $1.milliseconds(since: $0) / 1000 }
        #expect((8...10).contains(pings.count))
        #expect(gaps.allSatisfy { (95...120.01).contains($0) } && Set(gaps).count > 1)
        #expect(server.script.opened.count == 1 && phone.story.count == 2)
    }

    @Test func flowTimerIsObeyed() {
        let (_, server) = setUp(instanceID: instance) { $0.extra = [(.require, "outbound"), (.flowTimer, "20")] }
        network.run(until: 201)
        #expect((10...13).contains(server.script.pings.count))
    }

    /// A server that promised pongs and sends none is dead: a new connection, a new REGISTER.
    @Test func missingPongEndsTheFlow() throws {
        let (phone, server) = setUp(instanceID: instance) { $0.extra = [(.require, "outbound")] }
        server.script.answersPings = false
        network.run(until: 135)
        #expect(server.script.opened.count == 2)
        let ping = try #require(server.script.pings.first)
        let reopened = try #require(server.script.opened.last?.at)
        #expect((9_980...10_100).contains(reopened.milliseconds(since: ping)))
        #expect(phone.story == ["registering - -", "registered 200 3600", "registering - -", "registered 200 3600"])
    }

    /// Who never spoke of outbound need not answer pings.
    @Test func silenceOfAPlainServerIsNoFault() {
        let (_, server) = setUp { $0.script.answersPings = false }
        network.run(until: 600)
        #expect(server.script.pings.count > 3 && server.script.opened.count == 1)
    }

    @Test(arguments: [(false, 0), (true, 5)])
    func webSocketsPingOnlyWithOutbound(outbound: Bool, atLeast: Int) {
        let (_, server) = setUp(.ws, instanceID: instance) { $0.extra = outbound ? [(.require, "outbound")] : [] }
        network.run(until: 650)
        #expect(outbound ? server.script.pings.count >= atLeast : server.script.pings.isEmpty)
    }

    @Test func datagramsKeepTheBinding() {
        let (phone, server) = setUp(.udp)
        network.run(until: 300)
        #expect((10...12).contains(server.script.pings.count))
        network.tell(phone, .unregister("a"))
        network.run(until: 305)
        let count = server.script.pings.count
        network.run(until: 400)
        #expect(server.script.pings.count == count && phone.leftovers == noLeftovers)
    }

    /// The flow is cut in a call: the account registers again at once, the call lives, BYE arrives by the new connection.
    @Test(arguments: [SIPTransport.tcp, .tls, .ws, .wss])
    func callSurvivesALostFlow(transport: SIPTransport) throws {
        let (phone, server) = setUp(transport, instanceID: instance) { $0.extra = [(.require, "outbound")] }
        let target = transport == .wss ? "ws" : transport.rawValue
        server.script.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            var response = SIPResponse(to: request, status: 200, toTag: "pbx")
            // As a proxy writes itself: by address.
            response.headers.add(.recordRoute, "<sip:192.0.2.50:5060;transport=\(target);lr>")
            response.headers.add(.contact, "<sip:bob@192.0.2.99;transport=\(target)>")
            response.headers.allow = [.invite, .update]
            response.headers.expires = 3600
            return [response.serialize()]
        }
        let id = network.call(phone, SIPURI("sip:bob@pbx.example:5060;transport=\(transport)") ?? phone.uri, account: "a")
        network.run(until: 2)
        let cut = network.now
        network.cut(server.script)
        network.run(until: 3)
        #expect(phone.story == ["registering - -", "registered 200 3600", "answered 200 -", "registering - -", "registered 200 3600"])
        let reopened = try #require(server.script.opened.last)
        #expect(reopened.at.milliseconds(since: cut) < 100 && reopened.serverName == "pbx.example")
        // The peer is told the new Contact, after the registration and by the same connection.
        let update = try #require(server.script.requests(.update).first)
        let contacts = [server.script.requests(.invite).last, server.script.requests(.register).last, update].map {
            $0?.headers.contacts.first?.uri.port
        }
        #expect(server.script.requests(.update).count == 1 && update.body.isEmpty)
        #expect(contacts[0] != contacts[2] && contacts[1] == contacts[2] && server.script.opened.count == 2)
        // And once more, without the registrar's help: BYE itself opens the connection.
        server.script.accepts = []
        network.cut(server.script)
        network.run(until: 4)
        #expect(phone.story.last == "failed - - unreachable")
        server.script.accepts = [transport]
        network.tell(phone, .hangUp(id, reason: nil))
        network.run(until: 6)
        #expect(server.script.requests(.bye).count == 1)
        #expect(phone.story.last == "ended local 200 bye")
        #expect(server.script.opened.allSatisfy { $0.transport == transport && $0.serverName == "pbx.example" })
    }

    /// A peer without UPDATE: the phone is asked for its description once it is registered again, and a re-INVITE brings the new Contact.
    @Test func aPeerWithoutUpdateGetsAReinvite() throws {
        let (phone, server) = setUp(.tls, instanceID: instance) { $0.extra = [(.require, "outbound")] }
        server.script.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            var response = SIPResponse(to: request, status: 200, toTag: "pbx")
            response.headers.add(.contact, "<sip:bob@192.0.2.50:5060;transport=tls>")
            response.headers.allow = [.invite, .bye]
            response.headers.expires = 3600
            return [response.serialize()]
        }
        let id = network.call(phone, SIPURI("sip:bob@pbx.example:5060;transport=tls") ?? phone.uri, account: "a")
        network.run(until: 2)
        network.cut(server.script)
        network.run(until: 3)
        #expect(phone.story.suffix(3) == ["registering - -", "registered 200 3600", "refreshNeeded"])
        #expect(server.script.requests(.update).isEmpty)
        network.tell(phone, .reoffer(id, body: Array("again".utf8)))
        network.run(until: 4)
        let invites = server.script.requests(.invite)
        let register = try #require(server.script.requests(.register).last)
        #expect(invites.count == 2 && invites.last?.headers.contacts.first?.uri.port == register.headers.contacts.first?.uri.port)
        #expect(phone.story.last == "reofferAnswered -")
    }

    /// Nobody is registered: the refresh itself opens the connection, and is tried again until it is there.
    @Test func callWithoutAccountComesBackToo() {
        let (phone, server) = setUp(.tls)
        network.tell(phone, .unregister("a"))
        network.run(until: 1.5)
        server.script.react = { message in
            guard case .request(let request) = message, request.method != .ack else { return [] }
            var response = SIPResponse(to: request, status: 200, toTag: "pbx")
            response.headers.add(.contact, "<sip:bob@192.0.2.50:5060;transport=tls>")
            response.headers.allow = [.invite, .update]
            return [response.serialize()]
        }
        let id = network.call(phone, SIPURI("sip:bob@pbx.example:5060;transport=tls") ?? phone.uri)
        network.run(until: 2)
        server.script.accepts = []
        network.cut(server.script)
        network.run(until: 20)
        #expect(server.script.requests(.update).isEmpty)
        server.script.accepts = [.tls]
        network.run(until: 70)
        #expect(server.script.requests(.update).count == 1 && server.script.open.count == 1)
        #expect(server.script.opened.allSatisfy { $0.serverName == "pbx.example" })
        network.tell(phone, .hangUp(id, reason: nil))
        network.run(until: 140)
        // The open connection holds a timer.
        #expect(phone.story.last == "ended local 200 bye" && phone.leftovers == "0 0 0 1 0")
    }

    /// Without an answer the next tries wait as RFC 5626 §4.5 says.
    @Test func deadServerIsTriedWithBackOff() {
        let (phone, server) = setUp()
        server.script.accepts = []
        network.cut(server.script)
        network.run(until: 28)
        #expect(phone.story.filter { $0.hasPrefix("failed") }.count == 1)
        server.script.accepts = [.tcp]
        network.run(until: 65)
        #expect(phone.story.last == "registered 200 3600")
    }

    /// The other end vanished without a word: TCP does not know, so the next REGISTER does not use it again.
    @Test func deafConnectionIsNotUsedAgain() {
        let (phone, server) = setUp()
        let react = server.script.react
        server.script.react = { _ in [] }
        network.tell(phone, .register("a"))
        network.run(until: 34)
        #expect(phone.story.last == "failed - - timeout" && server.script.open.isEmpty)
        server.script.react = react
        network.run(until: 100)
        #expect(phone.story.last == "registered 200 3600" && server.script.opened.count == 2)
    }

    /// Connections cut at any moment of a call: BYE arrives, nothing is left.
    @Test func hundredCutsInACall() {
        var failures: [String] = []
        for seed in UInt64(1)...100 {
            let network = TestNetwork(seed: seed)
            let random = RandomSource(seed: seed)
            let transport: SIPTransport = [.tcp, .tls, .ws, .wss][Int(seed % 4)]
            let script = network.script("192.0.2.50")
            script.accepts = [transport]
            network.names["pbx.example"] = [script.address]
            let phone = network.phone("alice", "192.0.2.1", UserAgentConfiguration(instanceID: instance))
            let proxy = SIPURI("sip:pbx.example:5060;transport=\(transport)")
            let uri = SIPURI(user: "alice", host: .name("pbx.example"))
            network.tell(phone, .addAccount(SIPAccount(id: "a", uri: uri, credentials: right, proxy: proxy)))
            script.react = { message in
                guard case .request(let request) = message, request.method != .ack else { return [] }
                var response = SIPResponse(to: request, status: 200, toTag: "pbx")
                response.headers.add(.contact, "<sip:bob@192.0.2.50:5060;transport=\(transport.uriParameter)>")
                response.headers.add(.require, "outbound")
                response.headers.allow = [.update]
                response.headers.expires = 3600
                return [response.serialize()]
            }
            network.tell(phone, .register("a"))
            network.run(until: 1)
            let id = network.call(phone, SIPURI(user: "bob", host: .name("pbx.example")), account: "a")
            network.run(until: 2)
            for _ in 0..<3 { network.at(seconds: 2 + random.uniform() * 0.2) { network.cut(script) } }
            network.at(seconds: 2.1) { network.tell(phone, .hangUp(id, reason: nil)) }
            network.run(until: 80)
            let answered = phone.story.contains("answered 200 -") && phone.story.contains("ended local 200 bye")
            network.tell(phone, .unregister("a"))
            network.run(until: 160)
            let counts = phone.agent.counts
            if !answered || script.requests(.bye).isEmpty || counts.sessions + counts.transactions + counts.requests != 0 {
                failures.append("seed \(seed): \(phone.story) \(script.requests(.bye).count) \(counts)")
            }
        }
        #expect(failures == [])
    }

    /// A request in flight when the server closes the connection goes out again by a new one.
    @Test func requestInFlightIsRepeated() {
        let (phone, server) = setUp()
        let react = server.script.react
        server.script.react = { _ in [] }
        _ = network.call(phone, SIPURI("sip:bob@pbx.example:5060;transport=tcp") ?? phone.uri, account: "a")
        network.run(until: 1.1)
        server.script.react = react
        network.cut(server.script)
        network.run(until: 2)
        #expect(phone.story.contains("answered 200 -"))
    }

    /// A re-INVITE that finds nobody fails; the dialog stays.
    @Test func lostConnectionDoesNotEndTheDialog() {
        let (phone, server) = setUp()
        let id = network.call(phone, SIPURI("sip:bob@pbx.example:5060;transport=tcp") ?? phone.uri, account: "a")
        network.run(until: 2)
        server.script.accepts = []
        network.drops = { _ in true }
        network.cut(server.script)
        network.run(until: 3)
        network.tell(phone, .reoffer(id, body: [65]))
        network.run(until: 40)
        #expect(phone.story.contains("reofferFailed 503"))
        #expect(!phone.story.contains { $0.hasPrefix("ended") })
    }

    /// The proxy first, then the service route, unless that begins with the proxy (RFC 3608 §6.1).
    @Test(arguments: [
        ("<sip:192.0.2.60;lr>", ["sip:192.0.2.50:5060;lr", "sip:192.0.2.60;lr"]),
        ("<sip:192.0.2.50:5060;lr>, <sip:192.0.2.60;lr>", ["sip:192.0.2.50:5060;lr", "sip:192.0.2.60;lr"]),
        ("<sip:192.0.2.60>", ["sip:192.0.2.50:5060;lr"]),
    ])
    func serviceRouteFollowsTheProxy(route: String, expected: [String]) {
        let server = ScriptedServer(network.script("192.0.2.50"), right)
        server.extra = [(.serviceRoute, route)]
        let phone = network.phone("alice", "192.0.2.1")
        let uri = SIPURI(user: "alice", host: .name("pbx.example"))
        network.tell(phone, .addAccount(SIPAccount(id: "a", uri: uri, credentials: right, proxy: SIPURI("sip:192.0.2.50:5060"))))
        network.tell(phone, .register("a"))
        network.run(until: 1)
        _ = network.call(phone, SIPURI(user: "bob", host: .name("far.example")), account: "a")
        network.run(until: 2)
        #expect(server.script.requests(.invite).first?.headers.routes.map(\.uri.description) == expected)
    }

    @Test func serviceRouteIsTaken() throws {
        let (phone, server) = setUp { $0.extra = [(.serviceRoute, "<sip:192.0.2.60:5060;lr>, <sip:192.0.2.61;lr>")] }
        let edge = network.script("192.0.2.60")
        _ = network.call(phone, SIPURI(user: "bob", host: .name("far.example")), account: "a")
        network.run(until: 2)
        let invite = try #require(edge.requests(.invite).first)
        #expect(invite.headers.routes.map(\.uri.description) == ["sip:192.0.2.60:5060;lr", "sip:192.0.2.61;lr"])
        #expect(invite.uri.description == "sip:bob@far.example")
        #expect(server.script.requests(.invite).isEmpty)
    }
}
