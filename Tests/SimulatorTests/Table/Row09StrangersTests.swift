import Core
import Interface
import Secure
import Simulator
import Testing

@testable import Engine

/// Row 9 without ICE: strangers who begin a handshake.
@Suite struct Row09StrangersTests {
    /// Without ICE, and the peer's SDP naming an address that is not the one it sends from: whoever proves the fingerprint is the peer.
    /// Strangers get associations of their own, at most three beside the signalled source, and none of them is heard.
    @Test func row09_strangersWithoutICE() {
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
        #expect((transport?.dropped.unknownSource ?? 0) > 0)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// A stranger that completes a whole handshake with its own certificate changes nothing for the call.
    @Test func row09_aStrangerThatShakesHands() {
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
