import Codecs
import Core
import Interface
import RTP
import SDP
import Simulator
import Testing

@testable import Engine

/// Video beside audio in a call of two phones, over DTLS-SRTP and ICE.
@Suite struct VideoCallTests {
    static let file = Pictures.file(90, keys: [0, 45])

    private func pair(
        seed: UInt64 = 1, profile: LinkProfile = LinkProfile(), file: IVFFile = Self.file, alice: (inout PhoneConfiguration) -> Void = { _ in },
        bob: (inout PhoneConfiguration) -> Void
    ) -> Pair {
        Pair(
            seed: seed, profile: profile,
            alice: {
                $0.videoSource = .file(file)
                $0.offersVideo = true
                $0.takesOfferedVideo = true
                alice(&$0)
            }, bob: bob)
    }

    private func sees(_ configuration: inout PhoneConfiguration) {
        configuration.takesOfferedVideo = true
        configuration.receivesVideo = true
    }

    @Test func anEchoReturnsEveryFrame() {
        let pair = pair(alice: { $0.receivesVideo = true }, bob: { $0.isEcho = true })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(6))
        let frames = pair.alice.frames()
        let numbers = Pictures.numbers(frames, of: Self.file)
        // From the first frame on, without a hole; a plea for a key frame at the start may turn it back once.
        #expect(Pictures.faults(frames, of: Self.file).isEmpty && frames.count > 170, "\(frames.count)")
        #expect(zip(numbers.dropFirst(10), numbers.dropFirst(11)).allSatisfy { one, next in one.map { ($0 + 1) % 90 } == next })
        #expect(pair.alice.snapshot.calls.first?.hasVideo == true && pair.bob.snapshot.calls.first?.hasVideo == true)
        #expect(pair.alice.heard().peak > 0 && pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        let streams = pair.alice.snapshot.calls.first?.streams ?? []
        #expect(streams.count == 2, "\(streams.count)")
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// Twice 5 % lost: what comes is right, and nearly everything comes.
    @Test(arguments: [UInt64](1...6)) func anEchoOverLoss(seed: UInt64) {
        let pair = pair(
            seed: seed, profile: .rough(loss: seed % 2 == 0 ? .bernoulli(0.05) : .bursts(0.05)), alice: { $0.receivesVideo = true },
            bob: { $0.isEcho = true })
        #expect(pair.connect(limit: .seconds(40)))
        pair.simulation.run(for: .seconds(2))
        let before = pair.alice.frames().count
        pair.simulation.run(for: .seconds(10))
        let frames = pair.alice.frames()
        #expect(Pictures.faults(frames, of: Self.file).isEmpty, "seed \(seed): \(Pictures.faults(frames, of: Self.file).prefix(3))")
        #expect(frames.count - before > 270, "seed \(seed): \(frames.count - before) of 300")
        #expect(pair.bob.video()?.statistics.retransmittedPacketsReceived ?? 0 > 10)
        #expect(pair.alice.video()?.statistics.inbound?.nackCount ?? 0 > 5)
        pair.finish()
    }

    /// Retransmission is not agreed on: key frames repair.
    @Test func lossWithoutRetransmission() {
        let pair = pair(seed: 3, profile: .rough(loss: .bernoulli(0.05)), bob: sees)
        pair.edit(from: pair.alice) { text in
            text.lines = text.lines.filter { !$0.hasSuffix(" nack") && !$0.contains("rtx/") && !$0.contains("apt=") }
        }
        #expect(pair.connect(limit: .seconds(40)))
        pair.simulation.run(for: .seconds(12))
        let frames = pair.bob.frames()
        let figures = pair.bob.video()?.statistics
        #expect(Pictures.faults(frames, of: Self.file).isEmpty && frames.count > 60, "\(frames.count)")
        #expect(figures?.inbound?.pliCount ?? 0 > 3 && figures?.retransmittedPacketsReceived == 0 && figures?.inbound?.nackCount == 0)
        #expect(pair.alice.video()?.statistics.keyFramesSent ?? 0 > 3)
        pair.finish()
    }

    /// A person looks at the picture in mid-file: the plea leads to a key frame, long before the file has one.
    @Test func whoLooksGetsAKeyFrame() {
        let file = Pictures.file(3000)
        let pair = pair(file: file, bob: { $0.takesOfferedVideo = true })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(3))
        // Nobody looks: nothing is given out.
        #expect(pair.bob.frames().isEmpty && pair.bob.video()?.statistics.framesReceived ?? 0 > 60)
        pair.bob.command(.viewVideo(pair.bob.call, true))
        pair.simulation.run(for: .milliseconds(200))
        let frames = pair.bob.frames()
        #expect(frames.count(where: \.isKeyFrame) == 1 && frames.count >= 4)
        #expect(pair.bob.video()?.statistics.inbound?.pliCount ?? 0 >= 1)
        pair.bob.command(.viewVideo(pair.bob.call, false))
        let seen = pair.bob.frames().count
        pair.simulation.run(for: .seconds(1))
        #expect(pair.bob.frames().count == seen)
        pair.finish()
    }

    @Test func refusedVideoLeavesAudio() {
        let pair = pair(bob: { _ in })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.snapshot.calls.first?.hasVideo == false && pair.bob.snapshot.calls.first?.hasVideo == false)
        #expect(pair.alice.heard().share(of: Pair.bobTone) > 0.9 && pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        #expect(pair.alice.frames.isEmpty && pair.bob.frames.isEmpty && pair.alice.snapshot.calls.first?.security == .dtls)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered)
    }

    /// On hold no picture is sent; it comes back with a key frame, under the same numbers.
    @Test(arguments: [true, false]) func holdAndReturn(isByAlice: Bool) {
        let pair = pair(bob: sees)
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        let (holder, ssrc) = (isByAlice ? pair.alice : pair.bob, pair.alice.video()?.ssrc)
        holder.command(.setHeld(holder.call, true))
        pair.simulation.run(for: .seconds(1))
        let held = pair.bob.frames().count
        #expect(held > 50)
        pair.simulation.run(for: .seconds(3))
        #expect(pair.bob.frames().count == held)
        holder.command(.setHeld(holder.call, false))
        pair.simulation.run(for: .seconds(2))
        let frames = pair.bob.frames()
        #expect(frames.count > held + 45 && frames.indices.contains(held) && frames[held].isKeyFrame)
        #expect(Pictures.faults(frames, of: Self.file).isEmpty && pair.alice.video()?.ssrc == ssrc && ssrc != nil)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9 && pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        pair.finish()
    }

    /// The picture is taken out of the call and comes back: under the same SSRC, whose numbers SRTP knows.
    @Test(arguments: [UInt64](1...4)) func takenOutAndBack(seed: UInt64) {
        let pair = pair(seed: seed, bob: sees)
        var isOut = false
        pair.edit(from: pair.alice) { text in
            guard isOut else { return }
            text.lines = text.lines.map { line in
                line.hasPrefix("m=video")
                    ? "m=video 0" + line.dropFirst("m=video".count).drop { $0 == " " }.drop { $0 != " " }
                    : line.hasPrefix("a=group:BUNDLE") ? String(line.split(separator: " ").prefix(2).joined(separator: " ")) : line
            }
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        let ssrc = pair.alice.video()?.ssrc
        #expect(ssrc != nil && pair.bob.frames().count > 40)
        isOut = true
        pair.alice.command(.setHeld(pair.alice.call, true))
        pair.simulation.run(for: .seconds(1))
        #expect(pair.alice.video() == nil && pair.bob.video() == nil)
        isOut = false
        pair.alice.command(.setHeld(pair.alice.call, false))
        pair.simulation.run(for: .seconds(1))
        let before = pair.bob.frames().count
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.video()?.ssrc == ssrc && pair.bob.frames().count > before + 50, "seed \(seed): \(pair.bob.frames().count - before)")
        #expect(Pictures.faults(pair.bob.frames(), of: Self.file).isEmpty)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9 && pair.alice.heard().share(of: Pair.bobTone) > 0.9)
        pair.finish()
    }

    /// Muted, the file stands still; afterwards it goes on.
    @Test func mutedAndBack() {
        let pair = pair(bob: sees)
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        pair.alice.command(.setMuted(pair.alice.call, true))
        pair.simulation.run(for: .milliseconds(500))
        let before = pair.bob.frames().count
        pair.simulation.run(for: .seconds(2))
        #expect(before > 40 && pair.bob.frames().count == before)
        pair.alice.command(.setMuted(pair.alice.call, false))
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.frames().count > before + 50 && Pictures.faults(pair.bob.frames(), of: Self.file).isEmpty)
        pair.finish()
    }

    /// Another address in mid-call: the picture comes back with the sound.
    @Test(arguments: [Interface.SecurityPolicy.dtls, .sdes, .none]) func anotherAddress(_ policy: Interface.SecurityPolicy) {
        let pair = pair(
            alice: { $0.security = policy },
            bob: {
                $0.security = policy
                sees(&$0)
            })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.frames().count > 40)
        pair.alice.move(to: ["192.0.2.77"])
        pair.simulation.run(for: .seconds(4))
        let before = pair.bob.frames().count
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.frames().count > before + 50)
        #expect(pair.bob.heard().share(of: Pair.aliceTone) > 0.9)
        pair.finish()
    }

    /// Only the section of video has the transport's numbers: they are answered all the same.
    @Test func transportFeedbackOfVideoAlone() {
        let pair = pair(bob: sees)
        pair.edit(from: pair.alice) { text in
            guard let video = text.lines.firstIndex(where: { $0.hasPrefix("m=video") }) else { return }
            text.lines = text.lines.enumerated().filter { $0.offset > video || !$0.element.contains("transport-wide-cc") }.map(\.element)
        }
        #expect(pair.connect())
        // The first offer had no room for it in a datagram; the next ones are not counted.
        let media = pair.alice.phone.calls[pair.alice.call]?.media
        media?.describer.offerLimit = nil
        for isHeld in [true, false] {
            pair.alice.command(.setHeld(pair.alice.call, isHeld))
            pair.simulation.run(for: .seconds(1))
        }
        #expect(media?.negotiated?.transportCCFeedback == false && media?.describer.negotiatedVideo?.transportCCFeedback == true)
        pair.simulation.run(for: .seconds(3))
        let figures = pair.alice.phone.calls[pair.alice.call]?.media.rtp.statistics.outbound
        #expect(figures?.transportPacketsAcknowledged ?? 0 > 60, "\(figures?.transportPacketsAcknowledged ?? -1)")
        pair.finish()
    }

    /// Both send their own file, without encryption.
    @Test func bothWaysInClear() {
        let other = Pictures.file(40, seed: 9)
        var packets: [WirePacket] = []
        let pair = pair(
            alice: {
                $0.security = .none
                $0.receivesVideo = true
            },
            bob: {
                $0.security = .none
                $0.videoSource = .file(other)
                sees(&$0)
            })
        pair.simulation.tap { packets.append($0) }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(3))
        #expect(Pictures.faults(pair.bob.frames(), of: Self.file).isEmpty && Pictures.faults(pair.alice.frames(), of: other).isEmpty)
        #expect(pair.bob.frames().count > 75 && pair.alice.frames().count > 75)
        // Audio and video share ports and have SSRCs of their own.
        #expect(Set(packets.filter { $0.from == "192.0.2.1" }.map(\.header.ssrc)).count == 2)
        pair.finish()
    }

    // MARK: exit code 23

    /// Each kind is judged by its own packets: what came of the other does not count for it.
    @Test(arguments: ["VP8", "opus"]) func oneKindAloneIsOneWay(lost: String) {
        let pair = pair(
            alice: { $0.receivesVideo = true },
            bob: {
                $0.videoSource = .file(Self.file)
                sees(&$0)
            })
        let payloadTypes: Set<UInt8> = lost == "VP8" ? [97, 98] : [96]
        pair.drop { [bob = pair.bob.address] in
            $0.kind == .rtp && $0.source.ip == bob && $0.payload.count > 1 && payloadTypes.contains($0.payload[1] & 0x7F)
        }
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        pair.finish()
        #expect(pair.alice.result?.outcome == .oneWay && pair.alice.result?.exitCode == 23)
        #expect(pair.bob.result?.outcome == .answered)
        let received = pair.alice.result?.streams.map(\.inbound.packetsReceived) ?? []
        #expect(received.count == 2 && (received[0] == 0) == (lost == "opus") && (received[1] == 0) == (lost == "VP8"), "\(received)")
    }

    /// Who only asks to see gets no promise of a picture from an echo, to which nothing comes.
    @Test func anEchoOfNothingSendsNothing() {
        let pair = Pair(alice: { $0.offersVideo = true }, bob: { $0.isEcho = true })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.snapshot.calls.first?.streams.last?.kind == "video")
        #expect(pair.alice.snapshot.calls.first?.streams.last?.direction == "inactive")
        #expect(pair.bob.snapshot.calls.first?.streams.last?.direction == "inactive")
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// Two echoes wait for each other's picture: nobody is at fault.
    @Test func echoesWithoutAPicture() {
        let pair = Pair(
            alice: {
                $0.offersVideo = true
                $0.isEcho = true
            }, bob: { $0.isEcho = true })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.alice.snapshot.calls.first?.streams.last?.direction == "sendrecv")
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }

    /// A file alone is shown, and nothing is asked for: also by who is called.
    @Test func aFileAloneAsksForNothing() {
        let pair = pair(
            alice: { $0.receivesVideo = true },
            bob: {
                $0.videoSource = .file(Self.file)
                $0.takesOfferedVideo = true
            })
        #expect(pair.connect())
        pair.simulation.run(for: .seconds(2))
        #expect(pair.bob.snapshot.calls.first?.streams.last?.direction == "sendonly")
        #expect(pair.alice.frames().count > 40 && pair.bob.frames().isEmpty)
        pair.finish()
        #expect(pair.alice.result?.outcome == .answered && pair.bob.result?.outcome == .answered)
    }
}
