import Audio
import Core
import Engine
import ICE
import Interface
import Simulator
import Testing

/// Candidates that become known after the descriptions (RFC 8838, RFC 8840): Bob's STUN server is slow, and his answer does not wait for it.
@Suite struct TrickleTests {
    /// Bob is behind a NAT; the way to his STUN server takes 700 ms.
    private func pair(trickle: Bool = true) -> (Simulation, Node, Node, StunServer) {
        let simulation = Simulation(seed: 3)
        let stun = StunServer("stun", "203.0.113.1", in: simulation)
        simulation.link("bob", "stun", LinkProfile(delay: .milliseconds(350)))
        var options = Node.Options()
        options.dtlsClock = setVirtualClock
        options.source = .tone(Pair.aliceTone)
        let alice = Node("alice", addresses: ["192.0.2.1"], in: simulation, configuration: .lean, identity: Identities.alice, options: options)
        var configuration = PhoneConfiguration.lean
        configuration.autoAnswer = true
        configuration.stunServers = [stun.address]
        configuration.trickle = trickle
        options.source = .tone(Pair.bobTone)
        let bob = Node("bob", addresses: ["192.0.2.2"], in: simulation, configuration: configuration, identity: Identities.bob, options: options)
        alice.start()
        bob.start()
        return (simulation, alice, bob, stun)
    }

    private func watch(_ simulation: Simulation) -> () -> [SIPText] {
        final class Box { var texts: [SIPText] = [] }
        let box = Box()
        simulation.filters.append { datagram in
            if datagram.kind == .sip, let text = SIPText(datagram.payload) { box.texts.append(text) }
            return [datagram]
        }
        return { box.texts }
    }

    @Test func theAnswerDoesNotWaitAndTheRestComesByInfo() {
        let (simulation, alice, bob, _) = pair()
        let seen = watch(simulation)
        let began = simulation.now
        alice.command(.dial(uri: bob.uri))
        #expect(simulation.run(limit: .seconds(2)) { alice.hasMedia && bob.hasMedia })
        #expect(simulation.now - began < .milliseconds(400), "the answer waited for the STUN server")
        simulation.run(for: .seconds(2))
        let infos = seen().filter { $0.start.hasPrefix("INFO ") }
        #expect(!infos.isEmpty)
        for info in infos {
            #expect(info["Info-Package"] == "trickle-ice" && info["Content-Type"] == "application/trickle-ice-sdpfrag")
            #expect(info.body.contains("a=ice-ufrag:"))
        }
        #expect(infos.last?.body.contains("a=end-of-candidates") == true)
        #expect(seen().filter { $0.cseqMethod == "INFO" && $0.status != nil }.allSatisfy { $0.status == 200 })
        // Bob's answer says that it is not complete; Alice's offer is.
        let offer = seen().first { $0.start.hasPrefix("INVITE ") }
        let answer = seen().first { $0.status == 200 && $0.cseqMethod == "INVITE" }
        #expect(offer?.body.contains("a=end-of-candidates") == true && offer?.body.contains("a=ice-options:trickle") == true)
        #expect(answer?.body.contains("a=end-of-candidates") == false && answer?.body.contains("a=ice-options:trickle") == true)
    }

    /// The peer's signalling does not say that it takes INFO: a browser behind a simple gateway writes "trickle" in its SDP all the same.
    @Test func withoutTheOptionEverythingIsInTheAnswer() {
        let (simulation, alice, bob, _) = pair()
        let seen = watch(simulation)
        simulation.filters.insert(
            { datagram in
                [
                    datagram.editing { text in
                        text.headers.removeAll { $0.0 == "Recv-Info" }
                        text.headers = text.headers.map { $0.0 == "Supported" ? ($0.0, "path") : $0 }
                    }
                ]
            }, at: 0)
        let began = simulation.now
        alice.command(.dial(uri: bob.uri))
        #expect(simulation.run(limit: .seconds(3)) { alice.hasMedia && bob.hasMedia })
        #expect(simulation.now - began > .milliseconds(650), "the answer did not wait for the STUN server")
        simulation.run(for: .seconds(2))
        #expect(!seen().contains { $0.start.hasPrefix("INFO ") })
        let answer = seen().first { $0.status == 200 && $0.cseqMethod == "INVITE" }
        #expect(answer?.body.contains("a=end-of-candidates") == true)
    }

    /// The only candidate that leads to Bob comes by INFO: his answer's own are unreachable, and he sends no checks of his own.
    @Test func aTrickledCandidateCarriesTheCall() {
        let (simulation, alice, bob, _) = pair()
        var aliceHasAsked = false
        simulation.filters.append { datagram in
            // Bob's checks are lost until Alice has asked him, so she cannot learn his address from them; his answer names no candidate.
            if datagram.kind == .stun, datagram.payload.starts(with: [0, 1]) {
                if datagram.source.ip == alice.address, datagram.destination.ip == bob.address { aliceHasAsked = true }
                if datagram.source.ip == bob.address, datagram.destination.ip == alice.address, !aliceHasAsked { return [] }
            }
            guard datagram.kind == .sip, datagram.source.ip == bob.address else { return [datagram] }
            return [
                datagram.editing { text in
                    guard text.status == 200, text.cseqMethod == "INVITE" else { return }
                    text.body = text.body.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("a=candidate") }.joined(
                        separator: "\r\n")
                }
            ]
        }
        alice.command(.dial(uri: bob.uri))
        #expect(simulation.run(limit: .seconds(10)) { alice.hasMedia })
        #expect(aliceHasAsked)
        let remote = alice.snapshot.calls.first?.transports.first?.selectedCandidatePair?.remote
        #expect(remote?.address == "192.0.2.2" && remote?.candidateType == "host", "learned by INFO, not from a check")
    }

    @Test func switchedOffNothingIsSaid() {
        let (simulation, alice, bob, _) = pair(trickle: false)
        let seen = watch(simulation)
        alice.command(.dial(uri: bob.uri))
        #expect(simulation.run(limit: .seconds(3)) { alice.hasMedia && bob.hasMedia })
        simulation.run(for: .seconds(2))
        #expect(!seen().contains { $0.start.hasPrefix("INFO ") })
        let answer = seen().first { $0.status == 200 && $0.cseqMethod == "INVITE" }
        #expect(answer?.body.contains("trickle") == false && answer?["Recv-Info"]?.contains("trickle-ice") != true)
    }
}
