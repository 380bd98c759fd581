import Core
import Interface
import SDP
import Secure
import Simulator
import Testing

@testable import Engine
@testable import RTP

/// Row 14: SRTCP, in both families, both ways (with itself here; with real peers in the interop tests).
@Suite struct Row14Tests {
    private static let profiles: [SRTPProfile] = [.aesCM128Tag80, .aeadAES128GCM, .aeadAES256GCM]

    /// Each phone sees the round trip, and the loss that the other has of it; none of the reports is refused.
    @Test(arguments: profiles, [true, false]) func row14_roundTripAndLoss(profile: SRTPProfile, hasMux: Bool) {
        let pair = Pair(
            profile: LinkProfile(delay: .milliseconds(35)),
            both: {
                $0.security = .dtls
                $0.dtls.srtpProfiles = [profile]
            })
        if !hasMux { pair.withoutMux() }
        // Every 10th packet of Alice's and every 5th of Bob's is lost; reports are not.
        var sent: [String: Int] = [:]
        var reports: [String: Int] = [:]
        pair.drop { [alice = pair.alice.address] datagram in
            let isAlices = datagram.source.ip == alice
            if datagram.kind == .rtcp { reports[isAlices ? "alice" : "bob", default: 0] += 1 }
            guard datagram.kind == .rtp else { return false }
            sent[isAlices ? "alice" : "bob", default: 0] += 1
            return (sent[isAlices ? "alice" : "bob"] ?? 0) % (isAlices ? 10 : 5) == 0
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(15))
        for (node, other, share) in [(pair.alice, pair.bob, 10), (pair.bob, pair.alice, 5)] {
            #expect(node.transport?.srtpCipher == profile.rawValue)
            let trip = node.outbound?.roundTripTimeMs ?? 0
            #expect(trip > 69 && trip < 73, "\(trip) ms over 2 × 35 ms")
            // The other's newest report is some seconds old at most.
            let reported = node.outbound?.remotePacketsLost ?? 0
            let lost = other.inbound?.packetsLost ?? 0
            #expect(abs(lost - (sent[node.name] ?? 0) / share) <= 2, "\(lost) of \(sent)")
            #expect(reported > lost / 2 && reported <= lost, "\(reported) of \(lost)")
            #expect(node.outbound?.remoteJitterMs != nil)
            #expect((reports[other.name] ?? 0) > 2)
            for transport in node.snapshot.calls.first?.transports ?? [] { #expect(transport.dropped.total == 0) }
        }
        pair.finish()
    }

    /// Both of us know extended reports and transport-wide feedback: they are agreed on, sent and read, in both families.
    @Test(arguments: profiles) func row14_extendedReportsAndFeedback(profile: SRTPProfile) {
        let pair = Pair(
            both: {
                $0.security = .dtls
                $0.codecs = ["PCMU"]
                $0.dtls.srtpProfiles = [profile]
            }, options: { $0.listensTCP = true })
        // A connection has room for the whole offer.
        pair.alice.command(.dial(uri: pair.bob.uri + ";transport=tcp"))
        #expect(pair.simulation.run(limit: .seconds(10)) { pair.alice.hasMedia && pair.bob.hasMedia })
        pair.simulation.run(for: .seconds(15))
        for node in [pair.alice, pair.bob] {
            let media = node.media?.negotiated
            #expect(media?.xr.rcvrRTT == true && media?.xr.voipMetrics == true)
            #expect(media?.feedback.contains("transport-cc") == true && media?.extensions.transportCC != nil)
            let figures = node.media?.rtp.statistics
            // The far end's VoIP metrics, its account of our packets, and the round trip by its reference time.
            #expect(figures?.outbound.voipMetrics != nil)
            #expect((figures?.outbound.transportPacketsAcknowledged ?? 0) > 500 && figures?.outbound.transportPacketsLost == 0)
            let trip = figures?.inbound?.roundTripTimeMs ?? 0
            #expect(trip > 19 && trip < 23, "\(trip)")
            #expect(node.inbound?.unprotectErrors == 0)
        }
        pair.alice.command(.hangUp(pair.alice.call))
        pair.simulation.run(for: .seconds(5))
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered && pair.faults.isEmpty)
    }
}
