import Core
import SIP
import Testing

@Suite struct RegistrationTests {
    let network = TestNetwork()
    let right = Credentials(username: "alice", password: "secret")

    func setUp(
        _ mode: ScriptedServer.Mode = .server, password: String = "secret", expires: Int = 600
    ) -> (Phone, ScriptedServer) {
        network.names["example.org"] = [SocketAddress(IPAddress("192.0.2.50") ?? .loopbackV4, 5060)]
        let server = ScriptedServer(network.script("192.0.2.50"), right, mode: mode)
        let phone = network.phone("alice", "192.0.2.1")
        let uri = SIPURI(user: "alice", host: .name("example.org"))
        let credentials = Credentials(username: "alice", password: password)
        network.tell(phone, .addAccount(SIPAccount(id: "a", uri: uri, credentials: credentials, expiresSeconds: expires)))
        return (phone, server)
    }

    @Test(arguments: [ScriptedServer.Mode.server, .proxy])
    func registersRefreshesAndUnregisters(mode: ScriptedServer.Mode) {
        let (phone, server) = setUp(mode)
        network.tell(phone, .register("a"))
        network.run(until: 1)
        #expect(phone.story == ["registering - -", "registered 200 600"])
        #expect(server.bindings.keys.map(\.description) == ["sip:alice@192.0.2.1:5060"])
        // REGISTER, challenged, REGISTER; the refresh at 90 % uses the nonce that is known.
        network.run(until: 539)
        #expect(server.script.requests(.register).count == 2)
        network.run(until: 545)
        #expect(server.script.requests(.register).count == 3)
        #expect(server.script.requests(.register).map { $0.headers.cSeq?.number } == [1, 2, 3])
        #expect(Set(server.script.requests(.register).map { $0.headers.callID }).count == 1)
        network.tell(phone, .unregister("a"))
        network.run(until: 600)
        #expect(phone.story.last == "unregistered 200 -")
        #expect(server.bindings.values.first == 0)
        #expect(phone.leftovers == noLeftovers)
    }

    @Test func staleNonceIsAnswered() {
        let (phone, server) = setUp()
        network.tell(phone, .register("a"))
        network.run(until: 1)
        server.nonce = "nonce-2"
        network.run(until: 545)
        #expect(phone.story.last == "registered 200 600")
        #expect(server.script.requests(.register).count == 4)
    }

    @Test func wrongPasswordFailsWithoutHammering() {
        let (phone, server) = setUp(password: "wrong")
        network.tell(phone, .register("a"))
        network.run(until: 4000)
        #expect(phone.story == ["registering - -", "failed 401 - unauthorized"])
        #expect(server.script.requests(.register).count == 2)
        #expect(phone.leftovers == noLeftovers)
    }

    @Test func intervalTooBriefIsHonoured() {
        let (phone, server) = setUp(expires: 60)
        server.minimumExpires = 1800
        network.tell(phone, .register("a"))
        network.run(until: 2)
        #expect(phone.story.last == "registered 200 1800")
    }

    @Test func grantedTimeIsOurOwnContacts() {
        let (phone, server) = setUp()
        server.grantedExpires = 100
        network.tell(phone, .register("a"))
        network.run(until: 89)
        #expect(phone.story.last == "registered 200 100")
        #expect(server.script.requests(.register).count == 2)
        network.run(until: 91)
        #expect(server.script.requests(.register).count == 3)
    }

    @Test func failureIsTriedAgainWithBackOff() {
        let (phone, server) = setUp()
        server.refusals = [500, 500]
        network.tell(phone, .register("a"))
        network.run(until: 29)
        #expect(phone.story == ["registering - -", "failed 500 - rejected"])
        network.run(until: 400)
        #expect(phone.story.filter { $0 == "failed 500 - rejected" }.count == 2)
        #expect(phone.story.last == "registered 200 600")
        let instants = server.script.instants(.register)
        let first = instants[1].milliseconds(since: instants[0])
        let second = instants[2].milliseconds(since: instants[1])
        #expect((30_000...60_100).contains(first) && (60_000...120_100).contains(second))
    }

    @Test func silenceIsATimeout() {
        let (phone, _) = setUp()
        network.drops = { _ in true }
        network.tell(phone, .register("a"))
        network.run(until: 33)
        #expect(phone.story.last == "failed - - timeout")
        // Timer E: 0.5, 1.5, 3.5, then each 4 s (RFC 3261 §17.1.2.2).
        #expect(phone.sent.map { $0.at.milliseconds(since: .zero) } == [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500])
    }

    @Test func callIsAuthenticated() {
        let (phone, server) = setUp(.proxy)
        let id = network.call(phone, SIPURI(user: "bob", host: .name("example.org")), account: "a")
        network.run(until: 1)
        #expect(phone.story == ["answered 200 -"])
        #expect(server.script.requests(.invite).map { $0.headers.cSeq?.number } == [1, 2])
        #expect(server.script.requests(.ack).map { $0.headers.cSeq?.number } == [1, 2])
        #expect(server.script.requests(.ack).last?.headers.contains(.proxyAuthorization) == true)
        network.tell(phone, .hangUp(id, reason: nil))
        network.run(until: 80)
        #expect(phone.story.last == "ended local 200 bye credentials")
        #expect(server.script.requests(.bye).map { $0.headers.cSeq?.number } == [3, 4])
        #expect(phone.leftovers == noLeftovers)
    }

    @Test func wrongPasswordEndsTheCallUnauthorized() {
        let (phone, server) = setUp(password: "wrong")
        _ = network.call(phone, SIPURI(user: "bob", host: .name("example.org")), account: "a")
        network.run(until: 80)
        #expect(phone.story == ["ended remote 401 unauthorized credentials"])
        #expect(server.script.requests(.invite).count == 2)
        #expect(phone.leftovers == noLeftovers)
    }

    /// Credentials go to nobody but the account's own hosts.
    @Test func strangersChallengeIsNotAnswered() {
        let (phone, _) = setUp()
        network.names["other.example"] = [SocketAddress(IPAddress("192.0.2.60") ?? .loopbackV4, 5060)]
        let other = ScriptedServer(network.script("192.0.2.60"), right)
        _ = network.call(phone, SIPURI(user: "bob", host: .name("other.example")), account: "a")
        _ = network.call(phone, SIPURI(user: "bob", host: .name("example.org")))
        network.run(until: 5)
        #expect(phone.story == ["ended remote 401 unauthorized", "ended remote 401 unauthorized"])
        #expect(other.script.requests(.invite).count == 1)
    }

    @Test func nextTargetAfterServiceUnavailable() {
        let (phone, server) = setUp()
        network.names["example.org"] = ["192.0.2.51", "192.0.2.50"].map { SocketAddress(IPAddress($0) ?? .loopbackV4, 5060) }
        let dead = network.script("192.0.2.51")
        dead.react = { message in
            guard case .request(let request) = message else { return [] }
            return [SIPResponse(to: request, status: 503, toTag: "x").serialize()]
        }
        network.tell(phone, .register("a"))
        network.run(until: 1)
        #expect(phone.story.last == "registered 200 600")
        #expect(dead.requests(.register).count == 1)
        #expect(server.script.requests(.register).count == 2)
    }
}
