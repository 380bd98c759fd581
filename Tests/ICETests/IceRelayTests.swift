import Core
import Testing

@testable import ICE

/// An agent, a TURN server written out by the test, and a peer.
private final class RelayedSolo {
    let solo: Solo
    let server: TurnServer
    var relayed = SocketAddress(.v4(0xC633_6464), 50_000)
    let mapped = SocketAddress(.v4(0xCB00_7101), 61_000)
    private var answered = 0
    private var answeredOnStream = 0
    private(set) var asked: [StunMessage] = []

    init(_ transport: TurnServer.Transport = .udp, isControlling: Bool = true, policy: IcePolicy = .all) {
        solo = Solo(isControlling: isControlling, policy: policy)
        server = TurnServer(transport: transport, address: SocketAddress(.v4(0xC633_6401), 3478), username: "user", password: "secret")
    }

    private var key: StunKey { .longTerm(username: "user", realm: "r", password: "secret") }

    /// Answers what the server was asked, and goes on until it is asked no more.
    func serve() {
        while answered < solo.sent.count {
            let transmit = solo.sent[answered].transmit
            answered += 1
            guard transmit.destination == server.address, let message = transmit.stun, let response = answer(message) else { continue }
            solo.receive(response, from: server.address, to: transmit.source)
        }
        while answeredOnStream < solo.streamed.count {
            let (stream, bytes) = solo.streamed[answeredOnStream]
            answeredOnStream += 1
            guard let message = try? StunMessage.parse(bytes.span.bytes), let response = answer(message) else { continue }
            receiveStream(response, stream)
        }
    }

    func receiveStream(_ bytes: [UInt8], _ stream: IceStreamID) {
        inner += solo.agent.receiveStream(bytes, stream: stream, at: solo.now)
        solo.drain()
    }
    var inner: [IceStreamDatagram] = []

    private func answer(_ message: StunMessage) -> [UInt8]? {
        guard message.messageClass == .request, message.method != .binding else { return nil }
        asked.append(message)
        guard message.integrity != nil else {
            var builder = StunBuilder(.error, method: message.method, id: message.transactionID)
            builder.addError(401, reason: "No")
            builder.add(.realm, text: "r")
            builder.add(.nonce, Array("n".utf8))
            return builder.finish()
        }
        var builder = StunBuilder(.success, method: message.method, id: message.transactionID)
        if message.method == .allocate {
            builder.add(.xorRelayedAddress, xorAddress: relayed)
            builder.add(.xorMappedAddress, xorAddress: mapped)
        }
        builder.add(.lifetime, u32: 600)
        return builder.finish(key: key)
    }

    /// Checks that left through the server: the peer and the message inside.
    var relayedChecks: [(peer: SocketAddress, message: StunMessage)] {
        let all = solo.sent.map(\.transmit.payload) + solo.streamed.map(\.bytes)
        return all.compactMap { bytes in
            guard let outer = try? StunMessage.parse(bytes.span.bytes), outer.method == .send, let peer = outer.xorAddress(.xorPeerAddress),
                let data = outer.value(.data), let inner = try? StunMessage.parse(Array(data).span.bytes)
            else { return nil }
            return (peer, inner)
        }
    }

    /// A Data indication with a packet of the peer's.
    func indication(_ payload: [UInt8], from peer: SocketAddress) -> [UInt8] {
        var builder = StunBuilder(.indication, method: .data, id: StunTransactionID(high: 9, low: 9))
        builder.add(.xorPeerAddress, xorAddress: peer)
        builder.add(.data, payload)
        return builder.finish(fingerprint: false)
    }

    /// The peer's good answer to the newest check through the relay.
    func succeedRelayed() {
        guard let check = relayedChecks.last(where: { $0.message.messageClass == .request }) else { return }
        var builder = StunBuilder(.success, id: check.message.transactionID)
        builder.add(.xorMappedAddress, xorAddress: relayed)
        solo.receive(indication(builder.finish(key: solo.peerCredentials.key), from: check.peer), from: server.address)
    }

    var failures: [(code: Int?, message: String)] {
        solo.events.compactMap { if case .serverFailed(_, true, let code, let message) = $0.event { (code, message) } else { nil } }
    }
    var kinds: [IceCandidateKind] { solo.agent.localCandidates.map(\.kind) }
}

@Suite struct IceRelayTests {
    /// One Allocate gives two candidates, and a STUN server at the same place is not asked besides.
    @Test func candidatesOfAnAllocation() {
        let world = RelayedSolo()
        world.solo.handle(.gather(stunServers: [world.server.address], turnServers: [world.server]))
        #expect(world.solo.agent.gatheringState == .gathering)
        world.serve()
        world.solo.advance(.seconds(1))
        #expect(world.kinds == [.host, .serverReflexive, .relayed] && world.solo.agent.gatheringState == .complete)
        let relay = world.solo.agent.localCandidates.last
        #expect(relay?.address == world.relayed && relay?.base == world.relayed && relay?.relatedAddress == world.mapped)
        #expect(relay.map { $0.priority >> 24 } == 0)
        #expect(!world.solo.requests.contains { $0.message.method == .binding })
        // Pairs from the socket and from the relayed address; none from the reflexive one.
        world.solo.describe()
        #expect(world.solo.agent.pairs.map(\.local.kind) == [.host, .relayed])
        #expect(world.asked.count { $0.method == .createPermission } == 0)
        world.serve()
        #expect(world.asked.last?.method == .createPermission && world.asked.last?.xorAddress(.xorPeerAddress)?.ip == world.solo.peer.ip)
    }

    /// Checks wait for the permission, not for a repetition; the pair in use gets a channel, and media goes by it.
    @Test func mediaThroughTheRelay() {
        let world = RelayedSolo(policy: .relay)
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        world.solo.describe()
        #expect(world.relayedChecks.isEmpty)
        world.serve()
        #expect(world.relayedChecks.count == 1 && world.relayedChecks.first?.peer == world.solo.peer && world.solo.now == .zero)
        world.succeedRelayed()
        #expect(world.solo.agent.selectedRoute(1)?.base == world.relayed)
        let before = world.solo.agent.carry([0x80, 1, 2], from: world.relayed, to: world.solo.peer)
        world.serve()
        #expect(world.asked.last?.method == .channelBind)
        let after = world.solo.agent.carry([0x80, 1, 2], from: world.relayed, to: world.solo.peer)
        let bytes: [UInt8] = [0x40, 0, 0, 3, 0x80, 1, 2]
        #expect(after == .datagram(Transmit(payload: bytes, source: world.solo.base, destination: world.server.address)))
        #expect(before != after && before != nil)
        let inner = world.solo.agent.receive(bytes.span.bytes, from: world.server.address, to: world.solo.base, at: world.solo.now)
        #expect(inner == RelayedDatagram(component: 1, base: world.relayed, source: world.solo.peer, range: 4..<7))
        // The same from anybody else is nothing.
        #expect(world.solo.agent.receive(bytes.span.bytes, from: world.solo.peer, to: world.solo.base, at: world.solo.now) == nil)
        world.succeedRelayed()
        #expect(world.solo.agent.state == .completed && world.solo.agent.selectedPair(1)?.local.kind == .relayed)
    }

    /// `relay`: hosts are no candidates, answer no check and send nothing to anybody but the server.
    @Test func relayPolicyHidesHosts() {
        let world = RelayedSolo(isControlling: false, policy: .relay)
        world.solo.handle(.gather(stunServers: [SocketAddress(.v4(0xC633_6409), 3478)], turnServers: [world.server]))
        world.serve()
        #expect(world.kinds == [.relayed] && world.solo.agent.localCandidates.first?.relatedAddress == SocketAddress(.anyV4, 0))
        world.solo.describe()
        world.solo.check()
        world.solo.advance(.seconds(20))
        #expect(world.solo.sent.allSatisfy { $0.transmit.destination == world.server.address })
        #expect(world.solo.agent.carry([1], from: world.solo.base, to: world.solo.peer) == nil)
        #expect(!world.solo.agent.isKnownSource(world.solo.peer, component: 1))
    }

    /// A check that comes through the relay is answered through it.
    @Test func checksFromThePeer() {
        let world = RelayedSolo(isControlling: false, policy: .relay)
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        world.solo.describe([])
        var builder = StunBuilder(.request, id: StunTransactionID(high: 5, low: 5))
        builder.add(.username, text: "\(world.solo.agent.localCredentials.ufrag):peer")
        builder.add(.priority, u32: 7)
        builder.add(.iceControlling, u64: 42)
        let check = builder.finish(key: .shortTerm(password: world.solo.agent.localCredentials.pwd))
        world.solo.receive(world.indication(check, from: world.solo.peer), from: world.server.address)
        // The server knows it from before; our side asks again, and then answers.
        world.serve()
        #expect(world.solo.agent.pairs.map(\.remote.kind) == [.peerReflexive])
        #expect(world.relayedChecks.contains { $0.message.messageClass == .success && $0.peer == world.solo.peer })
    }

    @Test func connections() throws {
        let world = RelayedSolo(.tls)
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        let stream = try #require(world.solo.opened.first?.stream)
        #expect(world.solo.opened.first?.server == world.server && world.solo.streamed.isEmpty && world.solo.agent.gatheringState == .gathering)
        world.solo.handle(.streamOpened(stream))
        world.serve()
        // The address that the server sees is one of TCP: no candidate.
        #expect(world.kinds == [.host, .relayed])
        world.solo.describe()
        world.solo.advance(.milliseconds(60))
        world.serve()
        #expect(world.relayedChecks.count == 1)
        world.receiveStream(world.indication([0x80, 7, 7, 7], from: world.solo.peer), stream)
        #expect(world.inner == [IceStreamDatagram(base: world.relayed, source: world.solo.peer, payload: [0x80, 7, 7, 7])])
        world.solo.handle(.streamClosed(stream, reason: "reset"))
        #expect(world.kinds == [.host] && world.solo.agent.pairs.allSatisfy { $0.local.kind == .host })
        #expect(world.failures.map(\.message) == ["the connection was closed: reset"])
        // Gathering again opens another.
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        #expect(world.solo.opened.count == 2 && world.solo.opened.last?.stream != stream)
        world.solo.handle(.close)
        #expect(world.solo.closed == [world.solo.opened[1].stream])
    }

    @Test func aConnectionThatFails() throws {
        let world = RelayedSolo(.tcp)
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.solo.handle(.streamClosed(try #require(world.solo.opened.first?.stream), reason: "connection refused"))
        #expect(world.failures.map(\.message) == ["cannot be reached: connection refused"] && world.solo.agent.gatheringState == .complete)
    }

    @Test func bytesThatAreNoTurn() throws {
        let world = RelayedSolo(.tcp)
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        let stream = try #require(world.solo.opened.first?.stream)
        world.solo.handle(.streamOpened(stream))
        world.receiveStream([0xFF, 0, 0, 0, 0], stream)
        #expect(world.failures.count == 1 && world.solo.closed == [stream])
    }

    /// A server that gives our own address, or one twice, must not move our packets.
    @Test func anAddressThatIsOurs() {
        let world = RelayedSolo()
        world.relayed = world.solo.base
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        #expect(world.kinds == [.host] && world.failures.count == 1)
        world.solo.describe()
        world.solo.succeedAll()
        #expect(world.solo.agent.state == .completed && world.solo.agent.selectedPair(1)?.local.kind == .host)
    }

    /// RFC 8445 §9: media stays on the former route until the new pair is there, and new peers are permitted anew.
    @Test func restartThroughTheRelay() {
        let world = RelayedSolo(policy: .relay)
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        world.solo.describe()
        world.serve()
        world.succeedRelayed()
        world.serve()
        world.succeedRelayed()
        #expect(world.solo.agent.state == .completed)
        world.solo.handle(.restart(newControlling: nil))
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        #expect(world.asked.count { $0.method == .allocate } == 2)
        #expect(world.solo.agent.carry([0x80], from: world.relayed, to: world.solo.peer) != nil)
        let fresh = SocketAddress(.v4(0xC000_0209), 6000)
        let renewed = IceCredentials(ufrag: "peer2", pwd: world.solo.peerCredentials.pwd)
        let before = world.asked.count
        world.solo.handle(.setRemote(renewed, candidates: [world.solo.candidate(fresh)], isLite: false))
        #expect(world.solo.agent.selectedRoute(1)?.remote == world.solo.peer)
        world.serve()
        #expect(world.asked[before...].map { $0.xorAddress(.xorPeerAddress)?.ip } == [fresh.ip])
        world.succeedRelayed()
        #expect(world.solo.agent.selectedRoute(1)?.remote == fresh && world.solo.agent.selectedRoute(1)?.base == world.relayed)
    }

    /// A new address in mid-call: after the restart it is gathered on, the old one is not asked again.
    @Test func aNewAddress() {
        let world = RelayedSolo()
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        world.solo.describe()
        let late = SocketAddress(.v4(0x0A00_0005), 4100)
        world.solo.handle(.removeBase(world.solo.base))
        #expect(world.solo.agent.localCandidates.isEmpty && world.solo.agent.pairs.isEmpty)
        let sent = world.solo.sent.count
        world.solo.handle(.addHost(component: 1, base: late))
        world.solo.handle(.restart(newControlling: nil))
        world.relayed = SocketAddress(world.relayed.ip, 50_002)
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        #expect(world.kinds == [.host, .serverReflexive, .relayed] && world.solo.agent.localCandidates.last?.address == world.relayed)
        #expect(world.solo.sent[sent...].allSatisfy { $0.transmit.source == late })
        world.solo.describe()
        #expect(world.solo.agent.pairs.count == 2)
    }

    /// A detour that works is not nominated while a direct pair may still come.
    @Test func aRelayWaitsForBetter() {
        let world = RelayedSolo()
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        world.solo.describe()
        world.solo.advance(.milliseconds(100))
        world.serve()
        world.succeedRelayed()
        #expect(world.solo.agent.state == .connected)
        world.solo.advance(.milliseconds(600))
        #expect(world.solo.agent.selectedPair(1) == nil)
        world.solo.advance(.milliseconds(400))
        world.succeedRelayed()
        #expect(world.solo.agent.selectedPair(1)?.local.kind == .relayed)
    }

    /// RFC 8421 §4: families take turns, IPv6 first; relayed pairs come after all direct ones; caps hold for both.
    @Test func familiesAndRelaysInTheCheckList() {
        let world = RelayedSolo()
        for base in ["[2001:db8::1]:4000", "192.0.2.11:4000", "[2001:db8::2]:4000"].compactMap({ SocketAddress($0) }) {
            world.solo.handle(.addHost(component: 1, base: base))
        }
        let hosts = world.solo.agent.localCandidates.sorted { $0.priority > $1.priority }
        #expect(hosts.map(\.address.ip.isV6) == [true, false, true, false])
        world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
        world.serve()
        let six = SocketAddress(.v6(0x2001_0DB8_0000_0000, 9), 5000)
        world.solo.describe([world.solo.candidate(world.solo.peer), world.solo.candidate(six, priority: 2_130_706_430)])
        let pairs = world.solo.agent.pairs
        #expect(pairs.allSatisfy { $0.local.address.ip.isV4 == $0.remote.address.ip.isV4 })
        let kinds = pairs.map(\.local.kind)
        let relays = kinds.count { $0 == .relayed }
        #expect(relays >= 1 && kinds.suffix(relays).allSatisfy { $0 == .relayed } && kinds.count == 4 + relays)
        // 64 candidates on two IPv4 hosts and a relay are more pairs than may be: the relayed ones go first.
        world.solo.describe((1...80).map { world.solo.candidate(SocketAddress(.v4(0x0A00_0100 + $0), 1000)) })
        #expect(world.solo.agent.pairs.count == 100 && world.solo.agent.remoteCandidates.count == 64)
        #expect(world.solo.agent.pairs.count { $0.local.kind == .host } > 90)
    }

    /// What a TURN server may send never ends the program, and never becomes a packet that was not sent.
    @Test func mutatedTurn() {
        let random = RandomSource(seed: 8)
        for transport in [TurnServer.Transport.udp, .tcp] {
            let world = RelayedSolo(transport)
            world.solo.handle(.gather(stunServers: [], turnServers: [world.server]))
            if let stream = world.solo.opened.first?.stream { world.solo.handle(.streamOpened(stream)) }
            world.serve()
            world.solo.describe()
            world.serve()
            let seeds: [[UInt8]] = [
                world.indication([0x80, 1, 2, 3], from: world.solo.peer), [0x40, 0, 0, 3, 0x80, 1, 2, 0],
                world.solo.sent.last?.transmit.payload ?? world.solo.streamed.last?.bytes ?? [],
            ]
            for round in 0..<3000 {
                var bytes = seeds[round % seeds.count]
                for _ in 0..<Int(random.next() % 4) where !bytes.isEmpty {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.next() % 3 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count + 1))) }
                if let stream = world.solo.opened.first?.stream {
                    world.receiveStream(bytes, stream)
                } else {
                    let inner = world.solo.agent.receive(bytes.span.bytes, from: world.server.address, to: world.solo.base, at: world.solo.now)
                    if let inner { #expect(inner.range.upperBound <= bytes.count && inner.range.lowerBound >= 4) }
                    world.solo.drain()
                }
            }
        }
    }
}
