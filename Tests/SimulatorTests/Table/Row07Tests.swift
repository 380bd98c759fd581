import Core
import Interface
import Secure
import Simulator
import Testing

@testable import Engine

extension Node {
    /// RTP's transport and RTCP's of the first call, with their keys.
    var mediaTransports: [Int: MediaTransport] { phone.calls.values.first?.media.transports ?? [:] }
}

/// Row 7: without rtcp-mux RTP and RTCP have an association and keys each; with it there is a single one.
@Suite struct Row07Tests {
    @Test(arguments: [true, false], [true, false]) func row07_twoAssociations(hasIce: Bool, offererIsClient: Bool) {
        let pair = Pair(both: {
            $0.security = .dtls
            $0.ice = hasIce
        })
        pair.withoutMux()
        if offererIsClient { pair.makeOffererClient() }
        var reports: [String: Set<UInt16>] = [:]
        var media: [String: Set<UInt16>] = [:]
        pair.simulation.filters.append { datagram in
            if datagram.kind == .rtcp { reports["\(datagram.destination.ip)", default: []].insert(datagram.destination.port) }
            if datagram.kind == .rtp { media["\(datagram.destination.ip)", default: []].insert(datagram.destination.port) }
            return [datagram]
        }
        let watch = MediaWatch(pair)
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(12))
        for (node, role) in [(pair.alice, offererIsClient ? "client" : "server"), (pair.bob, offererIsClient ? "server" : "client")] {
            let transports = node.snapshot.calls.first?.transports ?? []
            #expect(transports.map(\.component) == ["rtp", "rtcp"])
            #expect(transports.map(\.dtlsState) == ["connected", "connected"])
            #expect(transports.map(\.dtlsRole) == [role, role])
            #expect(transports.map(\.rtcpMux) == [false, false])
            #expect(transports.allSatisfy { $0.remoteFingerprint?.verified == true && $0.dropped.total == 0 })
            // Reports went both ways over the second association.
            #expect(node.outbound?.roundTripTimeMs != nil)
            // RTCP sits at the port above RTP's.
            let ports = (media["\(node.address)"] ?? [], reports["\(node.address)"] ?? [])
            #expect(ports.0.count == 1 && ports.1 == Set(ports.0.map { $0 + 1 }), "\(ports)")
        }
        // The keys: the same on both sides, others for each component.
        let keys = [pair.alice, pair.bob].map { node in [1, 2].compactMap { node.mediaTransports[$0]?.keys?.negotiated?.keys } }
        #expect(keys.allSatisfy { $0.count == 2 })
        for component in 0...1 where keys.allSatisfy({ $0.count == 2 }) {
            #expect(keys[0][component].local == keys[1][component].remote && keys[0][component].remote == keys[1][component].local)
        }
        if keys[0].count == 2 { #expect(keys[0][0].local != keys[0][1].local && keys[0][0].remote != keys[0][1].remote) }
        #expect(watch.early.isEmpty, "\(watch.early)")
        pair.expectAudio()
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// RTCP's way is blocked, for ICE or for DTLS alone: RTP flows, and the call lives.
    @Test(arguments: [true, false], [true, false]) func row07_rtpDoesNotWait(offererIsClient: Bool, blocksAll: Bool) {
        let pair = Pair()
        pair.withoutMux()
        if offererIsClient { pair.makeOffererClient() }
        pair.drop { $0.source.port % 2 == 1 && (blocksAll ? $0.kind != .sip : $0.kind == .dtls) }
        let from = pair.simulation.now
        #expect(pair.connect(limit: .seconds(5)))
        #expect(pair.simulation.now - from < .milliseconds(600))
        // Longer than ICE and DTLS may take.
        pair.simulation.run(for: .seconds(75))
        for node in [pair.alice, pair.bob] {
            let transports = node.snapshot.calls.first?.transports ?? []
            #expect(transports.first?.dtlsState == "connected" && transports.last?.component == "rtcp" && transports.last?.dtlsState != "connected")
            #expect(node.snapshot.calls.first?.state == .media)
            #expect(blocksAll || node.notices == ["rtcp-failed"], "\(node.notices)")
        }
        pair.expectAudio()
        pair.finish()
        for node in [pair.alice, pair.bob] { #expect(node.result?.outcome == .answered) }
    }

    /// Only one side has no mux: as if nobody had.
    @Test(arguments: Role.allCases) func row07_onlyThePeerHasNone(role: Role) {
        let pair = Pair()
        pair.editPeer(of: role) { $0.removeLines("a=rtcp-mux") }
        // The other half of the peer: what it is told of mux it does not understand.
        pair.edit(from: pair.own(role)) { $0.removeLines("a=rtcp-mux") }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        #expect(pair.own(role).snapshot.calls.first?.transports.map(\.dtlsState) == ["connected", "connected"])
        pair.expectAudio()
        pair.finish()
    }

    @Test(arguments: [true, false]) func row07_muxedThereIsOne(offererIsClient: Bool) {
        let pair = Pair()
        if offererIsClient { pair.makeOffererClient() }
        var ports: [String: Set<UInt16>] = [:]
        pair.simulation.filters.append { datagram in
            if datagram.kind == .rtp || datagram.kind == .rtcp || datagram.kind == .dtls {
                ports["\(datagram.destination.ip)", default: []].insert(datagram.destination.port)
            }
            return [datagram]
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(8))
        #expect((pair.simulation.sent[.rtcp] ?? 0) > 2)
        for node in [pair.alice, pair.bob] {
            #expect(node.snapshot.calls.first?.transports.count == 1 && node.transport?.rtcpMux == true)
            #expect(ports["\(node.address)"]?.count == 1)
            #expect(node.outbound?.roundTripTimeMs != nil)
        }
        pair.finish()
    }
}
