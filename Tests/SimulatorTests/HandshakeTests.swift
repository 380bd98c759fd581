import Core
import ICE
import Interface
import Secure
import Simulator
import Testing

@testable import Engine

/// The order of answer, ICE, DTLS and media when the network and strangers disturb it.
@Suite struct HandshakeTests {
    /// The callee is DTLS client: its ClientHello is here half a second before the answer, is kept, and the handshake ends right after it.
    @Test func clientHelloBeforeTheAnswer() {
        let pair = Pair()
        var helloAt: Instant?
        var answerAt: Instant?
        pair.simulation.filters.append { [simulation = pair.simulation] datagram in
            if datagram.handshakeType == 1 { helloAt = helloAt ?? simulation.now }
            guard datagram.kind == .sip, let text = SIPText(datagram.payload), text.status == 200, text.cseqMethod == "INVITE" else {
                return [datagram]
            }
            if answerAt == nil {
                answerAt = simulation.now + .milliseconds(500)
                simulation.inject(datagram, after: .milliseconds(500))
            }
            return []
        }
        #expect(pair.connect())
        guard let helloAt, let answerAt else {
            Issue.record("no hello or answer")
            return
        }
        #expect(helloAt < answerAt - .milliseconds(200))
        #expect(pair.simulation.now - answerAt < .milliseconds(250))
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// As Asterisk does: every DTLS datagram before the peer's own first valid pair is dropped there.
    @Test(arguments: [true, false]) func earlyHellosAreDropped(hasMux: Bool) {
        let pair = Pair()
        let opened = pair.simulation.now + .milliseconds(1500)
        if !hasMux { pair.withoutMux() }
        pair.drop { [simulation = pair.simulation] in $0.kind == .dtls && simulation.now < opened }
        #expect(pair.connect())
        #expect(pair.simulation.now - opened < .milliseconds(1100))
        pair.finish()
    }

    /// No rtcp-mux: two associations with keys of their own; one phone is server of both, the other client of both.
    @Test(arguments: [true, false]) func twoAssociationsWithoutMux(hasIce: Bool) {
        let pair = Pair(both: {
            $0.security = .dtls
            $0.ice = hasIce
        })
        pair.withoutMux()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(12))
        for (node, role) in [(pair.alice, "server"), (pair.bob, "client")] {
            let transports = node.snapshot.calls.first?.transports ?? []
            #expect(transports.map(\.component) == ["rtp", "rtcp"])
            #expect(transports.map(\.dtlsState) == ["connected", "connected"])
            #expect(transports.map(\.dtlsRole) == [role, role])
            #expect(transports.map(\.rtcpMux) == [false, false])
            // Reports went both ways over the second association.
            #expect(node.snapshot.calls.first?.streams.first?.outbound.roundTripTimeMs != nil)
        }
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// RTP does not wait for RTCP's association.
    @Test func rtpDoesNotWaitForRTCP() {
        let pair = Pair()
        pair.withoutMux()
        let ports = { (datagram: Datagram) in datagram.source.port % 2 == 1 }
        pair.drop { $0.kind == .dtls && ports($0) }
        #expect(pair.connect(limit: .seconds(5)))
        pair.simulation.run(for: .seconds(1))
        let transports = pair.alice.snapshot.calls.first?.transports ?? []
        #expect(transports.map(\.dtlsState) == ["connected", "connecting"])
        pair.finish()
    }

    /// A peer answers our first checks with 401, because it has not read our answer yet.
    @Test func earlyChecksGet401() {
        let pair = Pair()
        let until = pair.simulation.now + .milliseconds(1200)
        var refused = 0
        pair.simulation.filters.append { [simulation = pair.simulation, bob = pair.bob.address] datagram in
            guard datagram.kind == .stun, simulation.now < until else { return [datagram] }
            guard let message = try? StunMessage.parse(datagram.payload.span.bytes) else { return [] }
            if message.messageClass == .request, datagram.source.ip == bob {
                refused += 1
                var response = StunBuilder(.error, id: message.transactionID)
                response.addError(401, reason: "Unauthorized")
                return [Datagram(source: datagram.destination, destination: datagram.source, payload: response.finish())]
            }
            return []
        }
        #expect(pair.connect())
        #expect(refused > 3)
        pair.finish()
    }

    /// With ICE, DTLS from somebody who proved nothing is dropped and counted, before and during the call.
    @Test func aStrangersHelloWithICE() {
        let pair = Pair()
        let stranger = Stranger("203.0.113.9", in: pair.simulation)
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(2)) { !pair.alice.mediaAddresses.isEmpty && !pair.bob.mediaAddresses.isEmpty })
        let targets = [pair.alice.mediaAddresses[0], pair.bob.mediaAddresses[0]]
        for target in targets { stranger.hello(to: target) }
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.alice.hasMedia && pair.bob.hasMedia })
        for target in targets { stranger.hello(to: target) }
        pair.simulation.run(for: .seconds(2))
        #expect(stranger.answers == 0)
        for node in [pair.alice, pair.bob] { #expect((node.snapshot.calls.first?.transports.first?.unknownSourceDropped ?? 0) >= 1) }
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// Without ICE, and the peer's SDP naming an address that is not the one it sends from: whoever proves the fingerprint is the peer.
    /// Strangers get associations of their own, at most three beside the signalled source, and none of them is heard.
    @Test func strangersWithoutICE() {
        let pair = Pair(both: {
            $0.security = .dtls
            $0.ice = false
        })
        pair.edit(from: pair.bob) { $0.replaceLines("c=", with: "c=IN IP4 192.0.2.222") }
        let strangers = (1...6).map { Stranger("203.0.113.\($0)", in: pair.simulation) }
        var held: [Datagram] = []
        var isHeld = true
        pair.simulation.filters.append { [bob = pair.bob.address] datagram in
            guard isHeld, datagram.kind == .dtls, datagram.source.ip == bob else { return [datagram] }
            held.append(datagram)
            return []
        }
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(2)) { pair.alice.states.contains(.answered) })
        for stranger in strangers.prefix(2) { stranger.hello(to: pair.alice.mediaAddresses[0]) }
        pair.simulation.run(for: .milliseconds(100))
        isHeld = false
        for datagram in held { pair.simulation.inject(datagram) }
        pair.simulation.run(for: .milliseconds(15))
        for stranger in strangers.dropFirst(2) { stranger.hello(to: pair.alice.mediaAddresses[0]) }
        #expect(pair.simulation.run(limit: .seconds(10)) { pair.alice.hasMedia && pair.bob.hasMedia })
        pair.simulation.run(for: .seconds(2))
        #expect(strangers.filter { $0.answers > 0 }.count <= 3)
        #expect(strangers.filter { $0.answers > 0 }.count >= 2)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        let transport = pair.alice.snapshot.calls.first?.transports.first
        #expect(transport?.remoteFingerprint?.value == Identities.bob.fingerprint(.sha256).value)
        #expect((transport?.unknownSourceDropped ?? 0) > 0)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// A stranger that completes a whole handshake with its own certificate changes nothing for the call.
    @Test func aStrangerThatShakesHands() {
        let pair = Pair(both: {
            $0.security = .dtls
            $0.ice = false
        })
        let stranger = Stranger("203.0.113.1", in: pair.simulation)
        var isHeld = true
        pair.drop { [bob = pair.bob.address] in isHeld && $0.kind == .dtls && $0.source.ip == bob }
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(2)) { pair.alice.states.contains(.answered) })
        stranger.shakeHands(with: pair.alice.mediaAddresses[0])
        pair.simulation.run(for: .seconds(2))
        #expect(stranger.answers > 1)
        #expect(!pair.alice.hasEnded)
        isHeld = false
        #expect(pair.simulation.run(limit: .seconds(10)) { pair.alice.hasMedia && pair.bob.hasMedia })
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }
}

extension Pair {
    /// Both sides see descriptions without rtcp-mux, as if the other had none.
    func withoutMux() {
        simulation.filters.append { [$0.editing { $0.removeLines("a=rtcp-mux") }] }
    }
}

/// Somebody with a certificate of its own who wants to get into a call.
final class Stranger {
    private let peer: ScriptedPeer
    private var association: DTLSAssociation?
    private(set) var answers = 0

    init(_ ip: String, in simulation: Simulation) {
        peer = ScriptedPeer("stranger-\(ip)", ip, in: simulation)
        peer.onDatagram = { [weak self] _, datagram in self?.receive(datagram) }
        peer.deadline = { [weak self] in self?.association?.deadline }
        peer.onWake = { [weak self] peer in
            self?.association?.handleTimeout(at: peer.now)
            self?.flush()
        }
    }

    private var target = SocketAddress(.anyV4, 0)

    /// One ClientHello and no more.
    func hello(to target: SocketAddress) {
        let once = DTLSAssociation(role: .client, identity: Identities.mallory, clock: setVirtualClock)
        once.start(at: peer.now)
        while let output = once.poll() {
            if case .transmit(let bytes) = output { peer.send(bytes, fromPort: 4000, to: target) }
        }
    }

    /// A handshake to its end.
    func shakeHands(with target: SocketAddress) {
        self.target = target
        let association = DTLSAssociation(role: .client, identity: Identities.mallory, clock: setVirtualClock)
        association.expect(fingerprints: Identities.alice.fingerprints, at: peer.now)
        self.association = association
        association.start(at: peer.now)
        flush()
    }

    private func receive(_ datagram: Datagram) {
        answers += 1
        association?.receive(datagram.payload.span.bytes, at: peer.now)
        flush()
    }

    private func flush() {
        while let output = association?.poll() {
            if case .transmit(let bytes) = output { peer.send(bytes, fromPort: 4000, to: target) }
        }
    }
}
