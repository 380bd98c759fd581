import COpenSSL
import Core
import Interface
import Simulator
import Testing

@testable import Engine
@testable import Secure

/// Row 10: whatever comes to an association that stands, from the peer's own address, the call lives.
@Suite struct Row10Tests {
    /// A DTLS record with nothing protected in it.
    fileprivate static func record(_ type: UInt8, epoch: UInt16 = 0, sequence: UInt16, _ body: [UInt8]) -> [UInt8] {
        var w = ByteWriter()
        w.u8(type)
        w.u16(0xFEFD)
        w.u16(epoch)
        w.u32(0)
        w.u16(sequence)
        w.u16(UInt16(clamping: body.count))
        w.append(body)
        return w.bytes
    }

    enum Attack: CaseIterable {
        case freshHello, replayedHandshake, fatalAlert, closeNotify, changeCipherSpec, oldEpoch, forgedAlert, nextEpoch, nonsense

        func datagrams(_ flights: [[UInt8]], at now: Instant) -> [[UInt8]] {
            switch self {
            case .freshHello:
                let client = DTLSAssociation(role: .client, identity: Identities.mallory, clock: setVirtualClock)
                client.start(at: now)
                var out: [[UInt8]] = []
                while let output = client.poll() { if case .transmit(let bytes) = output { out.append(bytes) } }
                return out
            case .replayedHandshake: return flights + flights
            case .fatalAlert: return [Row10Tests.record(21, sequence: 200, [2, 40]), Row10Tests.record(21, sequence: 201, [2, 80])]
            case .closeNotify: return [Row10Tests.record(21, sequence: 210, [1, 0]), Row10Tests.record(21, sequence: 211, [2, 0])]
            case .changeCipherSpec: return [Row10Tests.record(20, sequence: 220, [1]), Row10Tests.record(20, epoch: 1, sequence: 221, [1])]
            case .oldEpoch:
                return [
                    Row10Tests.record(22, sequence: 230, Array(repeating: 0, count: 24)), Row10Tests.record(23, sequence: 231, Array("hello".utf8)),
                ]
            case .forgedAlert:
                return [
                    Row10Tests.record(21, epoch: 1, sequence: 900, Array(repeating: 7, count: 26)),
                    Row10Tests.record(21, epoch: 1, sequence: 901, [2, 0]),
                ]
            case .nextEpoch:
                return [
                    Row10Tests.record(22, epoch: 2, sequence: 0, Array(repeating: 5, count: 60)),
                    Row10Tests.record(21, epoch: 65535, sequence: 1, [2, 40]),
                ]
            case .nonsense: return [[22], [20, 254, 253], Array(repeating: 22, count: 1200), [63] + Array(repeating: 0xFF, count: 40)]
            }
        }
    }

    @Test(arguments: Attack.allCases, [true, false]) func row10_injected(attack: Attack, offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        var flights: [Datagram] = []
        var isRecording = true
        pair.simulation.filters.append { datagram in
            if isRecording, datagram.kind == .dtls { flights.append(datagram) }
            return [datagram]
        }
        #expect(pair.connect())
        isRecording = false
        pair.simulation.run(for: .seconds(1))
        #expect(flights.count >= 4)
        let ways = [pair.alice, pair.bob].compactMap { node in flights.first { $0.destination.ip == node.address } }
        #expect(ways.count == 2)
        let before = [pair.alice, pair.bob].map { $0.transport?.remoteFingerprint?.value }
        for way in ways {
            let own = flights.filter { $0.destination == way.destination }.map(\.payload)
            for payload in attack.datagrams(own, at: pair.simulation.now) {
                pair.simulation.inject(Datagram(source: way.source, destination: way.destination, payload: payload))
            }
        }
        pair.simulation.run(for: .seconds(12))
        #expect([pair.alice, pair.bob].map { $0.transport?.remoteFingerprint?.value } == before)
        pair.expectVerified()
        pair.expectAudio()
        for node in [pair.alice, pair.bob] { #expect(node.inbound?.unprotectErrors == 0) }
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// The peer itself asks for a renegotiation, encrypted and authentic: it gets none, and the call goes on with its keys. (The library that
    /// plays the peer would end itself on our refusal, so it does not hear it.)
    @Test(arguments: [true, false]) func row10_renegotiation(asksAsClient: Bool) throws {
        let pair = Pair()
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        let (asking, asked) = asksAsClient ? (pair.bob, pair.alice) : (pair.alice, pair.bob)
        let association = try #require(asking.mediaTransports[1]?.association)
        let route = try #require(asking.mediaTransports[1]?.route)
        let keys = asked.mediaTransports[1]?.keys?.negotiated
        let ssl = try #require(association.ssl)
        SSL_clear_options(ssl, UInt64(1) << 30)
        association.prepare(at: pair.simulation.now)
        #expect(SSL_renegotiate(ssl) == 1)
        _ = SSL_do_handshake(ssl)
        let datagrams = association.drain()
        // Encrypted handshake records: none that the filter would drop as one in clear.
        #expect(datagrams.contains { $0.first == 22 && $0.count > 4 && $0[4] == 1 })
        var replies: [Datagram] = []
        pair.drop { [ip = asked.address] datagram in
            guard datagram.kind == .dtls, datagram.source.ip == ip else { return false }
            replies.append(datagram)
            return true
        }
        for payload in datagrams + datagrams {
            pair.simulation.inject(Datagram(source: route.base, destination: route.remote, payload: payload))
        }
        pair.simulation.run(for: .seconds(5))
        // No new flight: at most an alert.
        #expect(replies.allSatisfy { $0.recordTypes.allSatisfy { $0 == 21 } })
        #expect(asked.transport?.dtlsState == "connected" && asked.mediaTransports[1]?.keys?.negotiated == keys)
        #expect(asked.inbound?.unprotectErrors == 0 && asking.inbound?.unprotectErrors == 0)
        pair.expectAudio()
        pair.finish()
        #expect(asked.result?.outcome == .answered)
    }
}
