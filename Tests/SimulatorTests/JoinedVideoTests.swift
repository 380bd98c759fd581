import Audio
import Core
import Engine
import Interface
import RTP
import Simulator
import Testing

/// Video of two calls that are joined: packets pass untouched.
@Suite struct JoinedVideoTests {
    private static let file = Pictures.file(3000)
    private static let other = Pictures.file(3000, seed: 7)

    private static func films(_ configuration: inout PhoneConfiguration) {
        configuration.videoSource = .file(file)
        configuration.takesOfferedVideo = true
        configuration.offersVideo = true
    }

    private static func sees(_ configuration: inout PhoneConfiguration) {
        configuration.takesOfferedVideo = true
        configuration.receivesVideo = true
    }

    @Test func pictureAndPleasGoAcross() {
        let trio = Trio(alice: Self.films, bob: Self.sees, hub: { $0.offersVideo = true })
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(4))
        let frames = trio.bob.frames()
        #expect(Pictures.faults(frames, of: Self.file).isEmpty && frames.count > 100, "\(frames.count)")
        #expect(trio.hub.frames.isEmpty && trio.hub.notices.contains("bridged"))
        // A plea of Bob's leads to a key frame of Alice's.
        let before = trio.alice.video()?.statistics.keyFramesSent ?? 0
        let seen = frames.count(where: \.isKeyFrame)
        trio.bob.command(.viewVideo(trio.bob.call, true))
        trio.simulation.run(for: .milliseconds(500))
        #expect(trio.alice.video()?.statistics.keyFramesSent == before + 1 && trio.bob.frames().count(where: \.isKeyFrame) == seen + 1)
        #expect(trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        trio.finish()
    }

    /// Each leg repairs its own losses.
    @Test(arguments: [UInt64](1...4)) func lossOnBothLegs(seed: UInt64) {
        let trio = Trio(
            seed: seed, profile: .rough(loss: .bernoulli(0.05)), all: { _ in }, alice: Self.films, bob: Self.sees, hub: { $0.offersVideo = true })
        guard trio.bridge() else {
            Issue.record("seed \(seed): not joined")
            return
        }
        trio.simulation.run(for: .seconds(3))
        let before = trio.bob.frames().count
        trio.simulation.run(for: .seconds(10))
        let frames = trio.bob.frames()
        #expect(Pictures.faults(frames, of: Self.file).isEmpty, "seed \(seed)")
        #expect(frames.count - before > 270, "seed \(seed): \(frames.count - before) of 300")
        #expect(trio.hub.video(trio.toAlice)?.statistics.retransmittedPacketsReceived ?? 0 > 10)
        #expect(trio.hub.video(trio.toBob)?.statistics.retransmittedPacketsSent ?? 0 > 10)
        trio.finish()
    }

    /// Bob's picture comes from Alice, then from Carol, then from Alice: one stream.
    @Test func aSwitchOfSource() throws {
        let trio = Trio(alice: Self.films, bob: Self.sees, hub: { $0.offersVideo = true })
        var configuration = PhoneConfiguration.lean
        configuration.security = .none
        configuration.autoAnswer = true
        configuration.takesOfferedVideo = true
        configuration.videoSource = .file(Self.other)
        var options = Node.Options()
        options.source = .tone(1500)
        let carol = Node(
            "carol", addresses: ["192.0.2.4"], in: trio.simulation, configuration: configuration, identity: Identities.bob, options: options)
        carol.start()
        for node in [trio.alice, trio.bob, carol] { trio.hub.command(.dial(uri: node.uri)) }
        #expect(trio.simulation.run(limit: .seconds(10)) { trio.alice.hasMedia && trio.bob.hasMedia && carol.hasMedia })
        let ids = trio.hub.snapshot.calls.map(\.id)
        try #require(ids.count == 3)
        for source in [0, 2, 0] {
            trio.hub.command(.join(ids[source], ids[1]))
            let before = trio.bob.frames().count
            trio.simulation.run(for: .seconds(2))
            let frames = Array(trio.bob.frames().dropFirst(before))
            #expect(frames.count > 50 && frames.first?.isKeyFrame == true)
            #expect(Pictures.faults(frames, of: source == 0 ? Self.file : Self.other).isEmpty)
            #expect(trio.bob.heard().share(of: source == 0 ? Pair.aliceTone : 1500) > 0.9)
            trio.hub.command(.part(ids[1]))
            trio.simulation.run(for: .milliseconds(500))
        }
        let video = try #require(trio.hub.video(ids[1]))
        let went = trio.sent(from: trio.hub, to: trio.bob).filter { $0.header.ssrc == video.ssrc }
        #expect(went.count > 180)
        var pictures: [UInt16] = []
        for (one, next) in zip(went, went.dropFirst()) {
            #expect(next.header.sequenceNumber == one.header.sequenceNumber &+ 1)
            let step = Int32(bitPattern: next.header.timestamp &- one.header.timestamp)
            #expect(step >= 0 && step < 90_000, "\(step)")
        }
        for packet in went { if let id = try VP8Descriptor(packet.payload.span.bytes).pictureID, id != pictures.last { pictures.append(id) } }
        #expect(pictures.count > 150)
        for (one, next) in zip(pictures, pictures.dropFirst()) { #expect(next == (one + 1) & 0x7FFF) }
        carol.command(.hangUp(carol.call))
        trio.finish()
        #expect(carol.isQuiet)
    }

    /// A leg that is held sees nothing; on return it sees again, from a key frame on.
    @Test func aHeldLeg() {
        let trio = Trio(alice: Self.films, bob: Self.sees, hub: { $0.offersVideo = true })
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(2))
        trio.bob.command(.setHeld(trio.bob.call, true))
        trio.simulation.run(for: .seconds(1))
        let held = trio.bob.frames().count
        trio.simulation.run(for: .seconds(3))
        #expect(trio.bob.frames().count == held)
        trio.bob.command(.setHeld(trio.bob.call, false))
        trio.simulation.run(for: .seconds(2))
        let frames = trio.bob.frames()
        #expect(frames.count > held + 40 && frames.indices.contains(held) && frames[held].isKeyFrame, "\(frames.count - held)")
        #expect(Pictures.faults(frames, of: Self.file).isEmpty)
        trio.finish()
    }

    /// Only one leg has video: audio lives, and nothing is asked for without end.
    @Test func onlyOneHasVideo() {
        let trio = Trio(alice: Self.films, hub: { $0.offersVideo = true })
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(5))
        #expect(trio.bob.heard().share(of: Pair.aliceTone) > 0.9 && trio.alice.heard().share(of: Pair.bobTone) > 0.9)
        #expect(trio.bob.snapshot.calls.first?.hasVideo == false)
        trio.finish()
        #expect((trio.hub.results + trio.alice.results + trio.bob.results).map(\.outcome) == [.answered, .answered, .answered, .answered])
    }

    /// A bridge negotiates video both ways before it knows whether anybody has some.
    @Test func nobodyHasAPicture() {
        let trio = Trio(alice: { $0.isEcho = true }, bob: { $0.isEcho = true }, hub: { $0.offersVideo = true })
        #expect(trio.bridge())
        trio.simulation.run(for: .seconds(3))
        #expect(trio.hub.snapshot.calls.allSatisfy { $0.streams.last?.kind == "video" && $0.streams.last?.direction == "sendrecv" })
        trio.finish()
        #expect((trio.hub.results + trio.alice.results + trio.bob.results).map(\.outcome) == [.answered, .answered, .answered, .answered])
    }
}
