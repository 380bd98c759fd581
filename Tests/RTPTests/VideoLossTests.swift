import Core
import Testing

@testable import RTP

/// A whole stream over bad paths: what comes out is right, and comes out at all.
@Suite struct VideoLossTests {
    static let paths: [VideoPair.Path] = [
        .init(), .init(jitter: 15), .init(loss: 0.05), .init(jitter: 30, loss: 0.2, controlLoss: 0.2, duplicates: 0.1),
        .init(delay: 150, jitter: 100, loss: 0.1, controlLoss: 0.1, duplicates: 0.3), .init(loss: 0.6, controlLoss: 0.5),
    ]

    @Test(arguments: Array(paths.enumerated()).map(\.offset), [UInt64](1...6))
    func everyFrameIsOneThatWasSent(path: Int, seed: UInt64) {
        for (repairs, retransmits) in [(true, true), (true, false), (false, false)] {
            var pair = VideoPair(path: Self.paths[path], repairs: repairs, retransmits: retransmits, seed: seed)
            pair.run(for: .seconds(12))
            #expect(pair.faults.isEmpty, "path \(path), seed \(seed): \(pair.faults.prefix(3))")
            #expect(pair.longestSpin < 300)
            #expect(pair.sent.count > 350)
            // Without repair a key frame must be whole by luck; where six of ten are lost hardly a frame is.
            if path < 5 { #expect(pair.received.count > (repairs && retransmits ? 150 : 0), "path \(path), seed \(seed)") }
        }
    }

    @Test(arguments: [UInt64](1...12)) func withRetransmissionEverythingArrives(seed: UInt64) {
        var pair = VideoPair(path: VideoPair.Path(jitter: 8), seed: seed)
        pair.run(for: .milliseconds(500))
        let before = pair.received.count
        pair.path.loss = 0.08
        pair.path.duplicates = 0.05
        pair.run(for: .seconds(20))
        pair.path = VideoPair.Path()
        pair.run(for: .seconds(1))
        #expect(before > 5 && pair.faults.isEmpty)
        // Frames on their way at the end do not count.
        #expect(
            pair.received.count >= pair.sent.count - 2 && pair.keyFrameRequests <= 1,
            "seed \(seed): \(pair.received.count) of \(pair.sent.count), \(pair.keyFrameRequests) requests")
        let figures = pair.receiver.statistics
        #expect(figures.framesReceived == pair.received.count && figures.framesDropped == 0 && figures.retransmittedPacketsReceived > 50)
        #expect(figures.framesDropped == 0, "\(figures)")
        #expect(figures.frameWidth == 640 && figures.frameHeight == 480 && figures.keyFramesReceived == pair.sent.count { $0.isKeyFrame })
        #expect(figures.inbound?.nackCount ?? 0 > 20 && pair.sender.statistics.retransmittedPacketsSent >= figures.retransmittedPacketsReceived)
        // Each packet is passed on once, and carries what was sent.
        #expect(Set(pair.packets.map(\.sequenceNumber)).count == pair.packets.count)
    }

    /// A loss that nothing repairs: silence until a key frame, which is asked for.
    @Test func withoutRepairAKeyFrameEndsTheGap() {
        var pair = VideoPair(repairs: false, retransmits: false)
        pair.run(for: .seconds(1))
        pair.path.loss = 1
        pair.run(for: .milliseconds(100))
        pair.path.loss = 0
        let before = pair.received.count
        pair.run(for: .seconds(1))
        #expect(pair.faults.isEmpty && pair.keyFrameRequests == 1 && pair.received.count > before + 20)
        #expect(pair.received[before].isKeyFrame)
        #expect(pair.feedback.contains(.pictureLossIndication) && !pair.feedback.contains { if case .genericNACK = $0 { true } else { false } })
        #expect(pair.receiver.statistics.inbound?.pliCount == 1 && pair.receiver.statistics.inbound?.nackCount == 0)
    }

    /// The request and the key frame may be lost: it is asked for again, and not in a flood.
    @Test func aLostRequestIsRepeated() {
        var pair = VideoPair(repairs: false, retransmits: false)
        pair.run(for: .seconds(1))
        pair.path.loss = 1
        pair.run(for: .milliseconds(100))
        pair.path.loss = 0
        pair.path.controlLoss = 1
        pair.run(for: .seconds(5))
        let asked = pair.feedback.count { $0 == .pictureLossIndication }
        #expect((5...9).contains(asked), "\(asked)")
        pair.path.controlLoss = 0
        pair.run(for: .seconds(2))
        #expect(pair.faults.isEmpty && pair.received.last?.timestamp == pair.sent[pair.sent.count - 2].timestamp)
    }

    /// Large frames leave in bursts with pauses between, in order.
    @Test func largeFramesArePaced() {
        var pair = VideoPair()
        pair.sizes = (key: 400_000, delta: 20_000)
        pair.run(for: .seconds(2))
        #expect(pair.faults.isEmpty && pair.received.count > 50)
        #expect(pair.feedback.allSatisfy { if case .genericNACK = $0 { false } else { true } })
    }
}
