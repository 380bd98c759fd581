import Core
import Interface
import Secure
import Simulator
import Testing

@testable import Engine
@testable import RTP

extension Node {
    var media: MediaSession? { phone.calls.values.first?.media }
}

/// Row 12: what a peer's stream may do under SRTP, and what the figures say of it.
@Suite struct Row12Tests {
    private static let profiles: [SRTPProfile] = [.aesCM128Tag80, .aeadAES128GCM, .aeadAES256GCM]

    private func pair(_ profile: SRTPProfile, link: LinkProfile = LinkProfile()) -> Pair {
        Pair(
            profile: link,
            both: {
                $0.security = .dtls
                $0.dtls.srtpProfiles = [profile]
            })
    }

    /// What of the peer's media was sent, and what reaches us, by sequence number and identifier as they stand in clear.
    private final class Tap {
        struct Packet: Hashable {
            var ssrc: UInt32
            var sequence: UInt16
        }
        private(set) var sent = 0
        private(set) var passed = 0
        private(set) var last = Packet(ssrc: 0, sequence: 0)
        private(set) var captured: [Datagram] = []
        var captures = false
        /// Decides over each packet by its number: how many copies, and how late.
        var fate: (Int) -> [Duration] = { _ in [.zero] }

        init(_ pair: Pair, from peer: Node) {
            pair.simulation.filters.append { [self, unowned simulation = pair.simulation, ip = peer.address] datagram in
                guard datagram.source.ip == ip, datagram.kind == .rtp || datagram.kind == .rtcp else { return [datagram] }
                if captures { captured.append(datagram) }
                guard datagram.kind == .rtp, let header = try? RTPHeader(datagram.payload.span.bytes) else { return [datagram] }
                last = Packet(ssrc: header.ssrc, sequence: header.sequenceNumber)
                let copies = fate(sent)
                sent += 1
                if !copies.isEmpty { passed += 1 }
                for delay in copies where delay > .zero { simulation.inject(datagram, after: delay) }
                return copies.filter { $0 == .zero }.map { _ in datagram }
            }
        }
    }

    /// Everything that was sent is accounted for: received or lost, but for what is under way.
    private func expectFigures(_ own: Node, _ tap: Tap, _ location: SourceLocation = #_sourceLocation) {
        let received = own.inbound?.packetsReceived ?? 0
        let lost = own.inbound?.packetsLost ?? -1000
        #expect(abs(received - tap.passed) <= 4, "\(received) received of \(tap.passed)", sourceLocation: location)
        #expect(abs(lost - (tap.sent - tap.passed)) <= 4, "\(lost) lost of \(tap.sent - tap.passed)", sourceLocation: location)
        #expect(own.transport?.dropped.authentication == 0 && own.transport?.dropped.noKey == 0, sourceLocation: location)
    }

    @Test(arguments: profiles, Role.allCases) func row12_anotherSSRC(profile: SRTPProfile, role: Role) {
        let pair = pair(profile)
        let (own, peer) = (pair.own(role), pair.peer(role))
        let tap = Tap(pair, from: peer)
        #expect(pair.connect())
        pair.simulation.run(for: .milliseconds(1500))
        for change in UInt32(1)...3 {
            peer.media?.rtp.outbound = OutboundRTPStream(ssrc: 0xABCD_0000 + change, random: RandomSource(seed: UInt64(change)))
            pair.simulation.run(for: .milliseconds(1500))
            #expect(own.inbound?.ssrc == 0xABCD_0000 + change)
            pair.expectAudio()
        }
        #expect(own.transport?.srtpCipher == profile.rawValue && own.inbound?.unprotectErrors == 0)
        expectFigures(own, tap)
        pair.finish()
        #expect(own.result?.outcome == .answered)
    }

    /// The same identifier with other sequence numbers and timestamps: forward, since under the same keys a step back is a replay.
    @Test(arguments: profiles, Role.allCases) func row12_sequenceRestarts(profile: SRTPProfile, role: Role) {
        let pair = pair(profile)
        let (own, peer) = (pair.own(role), pair.peer(role))
        let tap = Tap(pair, from: peer)
        #expect(pair.connect())
        pair.simulation.run(for: .milliseconds(1500))
        for step in [UInt16(5000), 20_000, 30_000] {
            peer.media?.rtp.outbound = OutboundRTPStream(
                ssrc: tap.last.ssrc, firstSequence: tap.last.sequence &+ step, timestampOffset: UInt32(step) &* 77_777)
            pair.simulation.run(for: .milliseconds(1500))
            pair.expectAudio()
        }
        #expect(own.inbound?.unprotectErrors == 0)
        // The steps are no loss.
        expectFigures(own, tap)
        pair.finish()
    }

    /// A step back under keys that are in use is refused, as the replay that it might be; the call lives, and the stream goes on where it was.
    @Test(arguments: profiles) func row12_aStepBackIsAReplay(profile: SRTPProfile) {
        let pair = pair(profile)
        let tap = Tap(pair, from: pair.bob)
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(1))
        tap.captures = true
        pair.simulation.run(for: .seconds(1))
        tap.captures = false
        let old = tap.captured.filter { $0.kind == .rtp }
        // All of the second again, slowly, as if the peer had gone back by 50 packets.
        for (index, datagram) in old.enumerated() { pair.simulation.inject(datagram, after: .milliseconds(20 * index)) }
        pair.simulation.run(for: .seconds(2))
        #expect(old.count > 45 && pair.alice.transport?.dropped.replay == old.count)
        expectFigures(pair.alice, tap)
        pair.expectAudio()
        pair.finish()
    }

    /// Sequence number and timestamp begin near their ends; the roll-over comes under loss, reordering and duplicates.
    @Test(arguments: profiles, Role.allCases) func row12_rollOver(profile: SRTPProfile, role: Role) {
        let pair = pair(profile)
        let (own, peer) = (pair.own(role), pair.peer(role))
        let tap = Tap(pair, from: peer)
        // Every 12th is lost, and so is one on either side of the roll-over (packet 120); every 9th comes two packets late, every 10th twice.
        tap.fate = { number in
            if number % 12 == 5 || number == 119 || number == 120 { return [] }
            if number % 9 == 4 { return [.milliseconds(45)] }
            return number % 10 == 0 ? [.zero, .milliseconds(50)] : [.zero]
        }
        pair.dial()
        #expect(pair.simulation.run(limit: .seconds(5)) { peer.media?.negotiated != nil && pair.simulation.sent[.dtls] != nil })
        #expect(tap.sent == 0)
        if let media = peer.media {
            media.rtp.outbound = OutboundRTPStream(ssrc: media.rtp.ssrc, firstSequence: 65_535 - 119, timestampOffset: .max - 48_000)
        }
        #expect(pair.simulation.run(limit: .seconds(5)) { pair.alice.hasMedia && pair.bob.hasMedia })
        pair.simulation.run(for: .seconds(8))
        #expect(tap.sent > 380 && tap.last.sequence < 500)
        let doubled = (0..<tap.sent).count { tap.fate($0).count == 2 }
        #expect(abs((own.transport?.dropped.replay ?? 0) - doubled) <= 2)
        expectFigures(own, tap)
        #expect(own.heard().share(of: role == .caller ? Pair.bobTone : Pair.aliceTone) > 0.8)
        pair.finish()
        #expect(own.result?.outcome == .answered)
    }

    /// Everything of the peer's comes a second time, at once and again a second later: RTP and RTCP are refused and counted, and heard once.
    @Test(arguments: profiles, Role.allCases) func row12_replays(profile: SRTPProfile, role: Role) {
        let pair = pair(profile)
        let (own, peer) = (pair.own(role), pair.peer(role))
        let tap = Tap(pair, from: peer)
        #expect(pair.connect())
        pair.simulation.run(for: .milliseconds(500))
        let before = own.transport?.dropped.replay ?? 0
        tap.captures = true
        pair.simulation.run(for: .seconds(6))
        tap.captures = false
        #expect(tap.captured.contains { $0.kind == .rtcp })
        for datagram in tap.captured {
            pair.simulation.inject(datagram)
            pair.simulation.inject(datagram, after: .seconds(1))
        }
        let expected = 2 * tap.captured.count
        pair.simulation.run(for: .seconds(2))
        #expect((own.transport?.dropped.replay ?? 0) - before == expected)
        #expect(own.inbound?.unprotectErrors == before + expected)
        expectFigures(own, tap)
        pair.expectAudio()
        pair.finish()
    }
}
