import Audio
import Core
import Engine
import Interface
import SIP
import Simulator
import Testing

/// An account, its registrar and calls through it.
@Suite struct RegistrationTests {
    /// A registrar, a phone with an account there, and Bob, to whom the registrar sends calls on.
    private final class Domain {
        let simulation: Simulation
        let registrar: Registrar
        let alice: Node
        let bob: Node

        init(password: String = "secret", seed: UInt64 = 5, profile: LinkProfile = LinkProfile(), registers: Bool = true) throws {
            simulation = Simulation(seed: seed, profile: profile)
            registrar = Registrar("registrar", "192.0.2.20", username: "alice", password: "secret", in: simulation)
            var configuration = PhoneConfiguration.lean
            configuration.accounts = [
                SIPAccount(
                    id: "home", uri: try #require(SIPURI("sip:alice@sip.example")), credentials: Credentials(username: "alice", password: password),
                    proxy: SIPURI("sip:192.0.2.20:5060;lr"))
            ]
            if !registers { configuration.unregisteredAccounts = ["home"] }
            var options = Node.Options()
            options.dtlsClock = setVirtualClock
            options.source = .silence
            alice = Node(
                "alice", addresses: ["192.0.2.1"], in: simulation, configuration: configuration, identity: Identities.alice, options: options)
            alice.zone["sip.example"] = [IPAddress("192.0.2.20")].compactMap { $0 }
            var answering = PhoneConfiguration.lean
            answering.autoAnswer = true
            bob = Node("bob", addresses: ["192.0.2.2"], in: simulation, configuration: answering, identity: Identities.bob, options: options)
        }

        /// The registrar redirects the INVITE to Bob as a stateless proxy does.
        func forwardToBob() {
            let target = bob.signallingAddress
            let own = registrar.peer.address
            var caller: SocketAddress?
            registrar.onInvite = { peer, text, from in
                caller = from
                var forwarded = text
                forwarded.headers.insert(("Via", "SIP/2.0/UDP \(own);branch=\(text.branch ?? "z9hG4bK")-p"), at: 0)
                forwarded.start = "INVITE \(self.bob.uri) SIP/2.0"
                peer.send(forwarded, to: target)
            }
            let react = registrar.peer.react
            registrar.peer.react = { peer, text, from in
                guard text.status != nil, from == target, let caller else { return react(peer, text, from) }
                var back = text
                back["Via"] = nil
                peer.send(back, to: caller)
            }
        }
    }

    @Test(arguments: [Registrar.Challenge.unauthorized, .proxy]) func registersAndCalls(challenge: Registrar.Challenge) throws {
        let domain = try Domain()
        domain.registrar.challenge = challenge
        domain.registrar.challengesInvites = true
        domain.forwardToBob()
        domain.alice.start()
        domain.bob.start()
        #expect(domain.simulation.run(limit: .seconds(3)) { domain.alice.registrations.last == .registered })
        #expect(domain.registrar.bindings.keys.contains("sip:alice@sip.example"))
        #expect(domain.alice.snapshot.accounts.first?.state == .registered)
        domain.alice.command(.dial(uri: "sip:bob@sip.example"))
        #expect(domain.simulation.run(limit: .seconds(5)) { domain.alice.hasMedia && domain.bob.hasMedia })
        #expect(domain.registrar.refusals == 2)
        #expect(domain.registrar.peer.requests("INVITE").count == 2)
        domain.simulation.run(for: .seconds(2))
        let at = domain.simulation.now
        domain.alice.command(.quit)
        domain.simulation.run(for: .seconds(3))
        #expect(domain.alice.isFinished && (domain.alice.finishedAt ?? .distantFuture) - at <= .seconds(2))
        #expect(domain.registrar.bindings.isEmpty, "un-registered")
        #expect(domain.bob.hasEnded && domain.alice.result?.outcome == .answered)
        #expect(domain.alice.faults.isEmpty && domain.simulation.faults.isEmpty)
    }

    /// Exit 12, and no INVITE leaves.
    @Test(arguments: [Registrar.Challenge.unauthorized, .proxy]) func wrongPassword(challenge: Registrar.Challenge) throws {
        let domain = try Domain(password: "wrong")
        domain.registrar.challenge = challenge
        domain.alice.start()
        domain.alice.command(.dial(uri: "sip:bob@sip.example"))
        domain.simulation.run(for: .seconds(5))
        #expect(domain.alice.result?.outcome == .unauthorized && domain.alice.result?.exitCode == 12)
        #expect(domain.registrar.peer.requests("INVITE").isEmpty)
        #expect(domain.registrar.refusals == 2, "one try without and one with credentials")
        #expect(domain.alice.registrations.last == .failed)
    }

    @Test func registrarIsSilent() throws {
        let domain = try Domain()
        domain.registrar.peer.react = { _, _, _ in }
        domain.alice.start()
        domain.alice.command(.dial(uri: "sip:bob@sip.example"))
        domain.simulation.run(for: .seconds(40))
        #expect(domain.alice.result?.outcome == .unreachable)
        #expect(domain.registrar.peer.requests("INVITE").isEmpty)
    }

    /// `registrar = "none"`: calls go out at once, with the account's credentials.
    @Test func anAccountThatDoesNotRegister() throws {
        let domain = try Domain(registers: false)
        domain.registrar.challengesInvites = true
        domain.forwardToBob()
        domain.alice.start()
        domain.bob.start()
        domain.alice.command(.dial(uri: "sip:bob@sip.example"))
        #expect(domain.simulation.run(limit: .seconds(5)) { domain.alice.hasMedia })
        #expect(domain.registrar.peer.requests("REGISTER").isEmpty)
    }

    /// A binding is refreshed before it expires.
    @Test func refreshes() throws {
        let domain = try Domain()
        domain.alice.start()
        domain.simulation.run(for: .seconds(3600))
        #expect(domain.registrar.peer.requests("REGISTER").count >= 3)
        #expect(domain.alice.registrations.filter { $0 == .failed || $0 == .unregistered }.isEmpty)
    }

    @Test func registersOverLoss() throws {
        var failed: [UInt64] = []
        for seed in UInt64(1)...UInt64(Seeds.count(50)) {
            let domain = try Domain(seed: seed, profile: .rough(loss: .bernoulli(0.2)))
            domain.alice.start()
            if !domain.simulation.run(limit: .seconds(70), until: { domain.alice.registrations.last == .registered }) { failed.append(seed) }
        }
        #expect(failed.count <= 1, "\(failed)")
    }

    /// The address that the registrar knows is gone: the phone registers from the new one at once, not when the old binding ends.
    @Test func anotherAddressRegistersAnew() throws {
        let domain = try Domain()
        domain.alice.start()
        #expect(domain.simulation.run(limit: .seconds(5)) { domain.alice.registrations.last == .registered })
        #expect(domain.registrar.bindings.values.first?.contains("192.0.2.1") == true)
        domain.alice.move(to: ["192.0.2.77"])
        #expect(domain.simulation.run(limit: .seconds(1)) { domain.registrar.bindings.values.contains { $0.contains("192.0.2.77") } })
        domain.simulation.run(for: .seconds(1))
        #expect(domain.alice.registrations.suffix(2) == [.registering, .registered])
        // Another address beside the one in use changes nothing.
        let count = domain.alice.registrations.count
        domain.alice.move(to: ["192.0.2.77", "198.51.100.7"])
        domain.simulation.run(for: .seconds(2))
        #expect(domain.alice.registrations.count == count)
    }
}
