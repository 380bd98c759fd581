import Core
import Testing

@testable import RTP

/// What is asked for again, and what is sent again.
@Suite struct VideoRepairTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test func missingNumbersAreAskedForOverTheWrap() {
        var missing = MissingPackets()
        #expect(missing.receive(65_533, at: at(0)) && missing.deadline == nil)
        #expect(missing.receive(65_539, at: at(10)) == true)
        #expect(missing.deadline == at(15) && missing.takeDue(roundTrip: .milliseconds(40), at: at(14)).isEmpty)
        // One came after all.
        #expect(missing.receive(65_536, at: at(14)) == true)
        #expect(missing.takeDue(roundTrip: .milliseconds(40), at: at(15)) == [65_534, 65_535, 1, 2])
        #expect(missing.takeDue(roundTrip: .milliseconds(40), at: at(15)).isEmpty && missing.deadline == at(65))
        missing.forget(before: 65_537)
        #expect(missing.takeDue(roundTrip: .milliseconds(40), at: at(65)) == [1, 2])
        // Ten times, then no more.
        var asked = 2
        while let due = missing.deadline {
            let numbers = missing.takeDue(roundTrip: .milliseconds(40), at: due)
            if !numbers.isEmpty { asked += 1 }
            #expect(asked < 20)
            if asked >= 20 { break }
        }
        #expect(asked == 10 && missing.isEmpty)
    }

    @Test func requestsAndListAreBounded() {
        var missing = MissingPackets()
        #expect(missing.receive(0, at: at(0)) && missing.receive(401, at: at(0)))
        // In pieces of a hundred, each number once.
        var all: [UInt16] = []
        for _ in 0..<4 { all += missing.takeDue(roundTrip: .milliseconds(10), at: at(5)) }
        #expect(all == Array(1...400) && missing.takeDue(roundTrip: .milliseconds(10), at: at(5)).isEmpty)
        #expect(missing.receive(502, at: at(6)) && !missing.receive(504, at: at(6)) && missing.isEmpty)
        // It goes on from there.
        #expect(missing.receive(506, at: at(7)) && missing.takeDue(roundTrip: .milliseconds(10), at: at(20)) == [505])
    }

    /// A peer that takes neither PLI nor FIR: a wish for a key frame wakes nobody, or it would do so for ever.
    @Test func aWishThatCannotBeToldIsNeverDue() {
        var source = VideoSamples.session(VideoSamples.configuration(0x1111_0000))
        var configuration = VideoSamples.configuration(0x2222_0000)
        configuration.takesPLI = false
        var session = VideoSamples.session(configuration, seed: 2)
        for number in 0..<20 as Range<UInt32> {
            let now = at(Int64(number) * 33)
            source.send(
                VideoSamples.frame(number, isKeyFrame: false, count: 500, random: RandomSource(seed: 3)), mediaTime: UInt64(number) * 3000,
                isKeyFrame: false, at: now)
            for packet in source.drain().rtp { session.receive(packet, at: now) }
            session.handle(.requestKeyFrame, at: now)
            session.handleTimeout(at: now)
            #expect(session.deadline.map { $0 > now } ?? true, "\(number)")
        }
        let feedback = session.drain().feedback
        #expect(feedback.allSatisfy { $0 != .pictureLossIndication })
    }

    /// Whom FIR and REMB are about stands in their entries; NACK and PLI name it in the head.
    @Test func onlySomeFeedbackNamesTheSourceInItsHead() {
        var source = VideoSamples.session(VideoSamples.configuration(0x1111_0000))
        var configuration = VideoSamples.configuration(0x2222_0000)
        configuration.announcesBitrate = true
        configuration.takesFIR = true
        for takesPLI in [true, false] {
            configuration.takesPLI = takesPLI
            var session = VideoSamples.session(configuration, seed: 2)
            source.send(VideoSamples.frame(0, isKeyFrame: true, count: 500, random: RandomSource(seed: 3)), mediaTime: 0, isKeyFrame: true, at: at(0))
            for packet in source.drain().rtp { session.receive(packet, at: at(0)) }
            session.handle(.requestKeyFrame, at: at(10))
            session.handleTimeout(at: at(1500))
            var kinds: [String] = []
            for case .feedback(_, let media, let feedback) in session.drain().rtcp.flatMap({ RTCPCompound($0.span.bytes).packets }) {
                switch feedback {
                case .pictureLossIndication:
                    kinds.append("PLI")
                    #expect(media == 0x1111_0000)
                case .fullIntraRequest(let entries):
                    kinds.append("FIR")
                    #expect(media == 0 && entries.map(\.ssrc) == [0x1111_0000])
                case .maximumBitrate(_, let ssrcs):
                    kinds.append("REMB")
                    #expect(media == 0 && ssrcs == [0x1111_0000])
                default: break
                }
            }
            #expect(Set(kinds) == [takesPLI ? "PLI" : "FIR", "REMB"], "\(kinds)")
        }
    }

    /// A session under the same SSRCs as one before it: SRTP sends none of its numbers again.
    @Test(arguments: 1...8) func numbersGoOnWhereASessionStopped(seed: UInt64) throws {
        var former = VideoSamples.session(VideoSamples.configuration(0x1111_0000), seed: seed)
        func frames(_ session: inout VideoSession, _ from: Int64) throws -> [RTPHeader] {
            session.send(
                VideoSamples.frame(0, isKeyFrame: true, count: 3000, random: RandomSource(seed: 3)), mediaTime: 0, isKeyFrame: true, at: at(from))
            let first = session.drain().rtp
            let packet = try #require(first.first)
            let number = try RTPHeader(packet.span.bytes).sequenceNumber
            session.receiveControl(
                RTCPPacket.bytes(of: [.feedback(sender: 1, media: session.ssrc, .genericNACK([number]))]), at: at(from + 50))
            return (first + session.drain().rtp).compactMap { packet in try? RTPHeader(packet.span.bytes) }
        }
        let before = try frames(&former, 0)
        var next = VideoSession(
            configuration: VideoSamples.configuration(0x1111_0000), after: former.numbers, random: RandomSource(seed: seed + 100),
            clock: NTPClock(unixNanoseconds: 1_790_000_000_000_000_000, at: .zero))
        let after = try frames(&next, 5000)
        for ssrc in [0x1111_0000, 0x1111_0001] as [UInt32] {
            let numbers = (before + after).filter { $0.ssrc == ssrc }.map(\.sequenceNumber)
            #expect(numbers.count >= 2 && zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 }, "\(numbers)")
        }
    }

    @Test func retransmissionPayload() {
        #expect(RTXPayload.wrap(0xABCD, [1, 2]) == [0xAB, 0xCD, 1, 2])
        for (payload, number): ([UInt8], UInt16?) in [([0xAB, 0xCD, 1], 0xABCD), ([], nil), ([1], nil), ([1, 2], nil)] {
            let read = RTXPayload.originalSequence(payload.span.bytes)
            #expect(read == number)
        }
    }

    @Test func historyIsBoundedInNumberBytesAndTime() {
        var history = SentPacketHistory()
        for number in 0..<3000 { history.add(UInt16(number), timestamp: UInt32(number), marker: false, payload: [UInt8(number & 255)], at: at(0)) }
        let found = history.take((0..<3000).map(UInt16.init), roundTrip: .milliseconds(10), at: at(1))
        #expect(found.map(\.sequenceNumber) == (3000 - 1024..<3000).map(UInt16.init) && found[5].payload == [UInt8((3000 - 1019) & 255)])
        // Too old, as soon as a new one is added.
        history.add(3000, timestamp: 1, marker: true, payload: [1], at: at(2500))
        #expect(history.take([2999, 3000], roundTrip: .milliseconds(10), at: at(2500)).map(\.sequenceNumber) == [3000])
        // In bytes.
        var large = SentPacketHistory()
        for number in UInt16(0)..<200 { large.add(number, timestamp: 0, marker: false, payload: [UInt8](repeating: 0, count: 60_000), at: at(0)) }
        var kept = 0
        for number in UInt16(0)..<200 { kept += large.take([number], roundTrip: .zero, at: at(Int64(number) * 1000)).count }
        #expect(kept == SentPacketHistory.byteCapacity / 60_000)
    }

    @Test func whatIsSentAgainIsBounded() {
        var history = SentPacketHistory()
        for number in UInt16(0)..<1000 { history.add(number, timestamp: 0, marker: false, payload: [UInt8](repeating: 0, count: 1000), at: at(0)) }
        let all = [UInt16](0..<1000)
        // The burst, and once in a round trip; the same number twice in a request is one.
        #expect(history.take([7, 7, 7], roundTrip: .milliseconds(50), at: at(1)).count == 1)
        #expect(history.take([7], roundTrip: .milliseconds(50), at: at(50)).isEmpty)
        #expect(history.take([7], roundTrip: .milliseconds(50), at: at(51)).count == 1)
        var bytes = 0
        for step in Int64(1)...100 {
            bytes += history.take(all, roundTrip: .milliseconds(5), at: at(51 + step * 10)).reduce(0) { $0 + $1.payload.count }
        }
        #expect(bytes > 350_000 && bytes <= SentPacketHistory.burst + SentPacketHistory.rate)
    }

    /// Many requests are one; the answer to a NACK is a retransmission with the packet's own bytes.
    @Test func requestsOfThePeer() throws {
        var session = VideoSamples.session(VideoSamples.configuration(0x1000), seed: 2)
        session.send(VideoSamples.frame(1, isKeyFrame: true, count: 3000, random: RandomSource(seed: 1)), mediaTime: 0, isKeyFrame: true, at: at(0))
        let sent = session.drain().rtp
        #expect(sent.count == 3)
        let original = sent[1]
        let second = try RTPHeader(original.span.bytes)
        let nack: [UInt8] =
            [0x81, 205, 0, 3] + hex("00000009 00001000") + [UInt8(second.sequenceNumber >> 8), UInt8(second.sequenceNumber & 255), 0, 0]
        let report = hex("80c90001 00000009")
        session.receiveControl(report + nack, at: at(30))
        let again = session.drain().rtp
        #expect(again.count == 1)
        let answer = again[0]
        let header = try RTPHeader(answer.span.bytes)
        #expect(header.payloadType == 97 && header.ssrc == 0x1001 && header.timestamp == second.timestamp && header.marker == second.marker)
        #expect(Array(answer[header.payloadRange]) == RTXPayload.wrap(second.sequenceNumber, Array(original[second.payloadRange])))
        // A flood of pleas within a short time.
        var asked = 0
        for step in Int64(0)..<100 {
            session.receiveControl(report + hex("81ce0002 00000009 00001000"), at: at(100 + step))
            asked += session.drain().count { $0 == .keyFrameRequested }
        }
        #expect(asked == 1)
        // FIR (RFC 5104 §4.3.1): a new number is a request, the same number again is not.
        session.receiveControl(report + hex("84ce0004 00000009 00000000 00001000 05000000"), at: at(1000))
        #expect(session.drain().contains(.keyFrameRequested))
        session.receiveControl(report + hex("84ce0004 00000009 00000000 00001000 05000000"), at: at(2000))
        #expect(!session.drain().contains(.keyFrameRequested))
        // For somebody else.
        session.receiveControl(report + hex("81ce0002 00000009 00001002"), at: at(3000))
        #expect(!session.drain().contains(.keyFrameRequested))
    }

    @Test func keyFrameRequests() {
        var request = KeyFrameRequest()
        request.want(at: at(0))
        // Nobody is there to be asked.
        #expect(request.deadline == nil && !request.takeDue(at: at(5)))
        request.heard(at: at(10))
        #expect(request.takeDue(at: at(10)) && !request.takeDue(at: at(10)) && request.deadline == at(710))
        request.want(at: at(20))
        #expect(!request.takeDue(at: at(709)) && request.takeDue(at: at(710)))
        // A stream that stopped is not asked, until it goes on.
        #expect(request.takeDue(at: at(1410)) && request.deadline == nil && !request.takeDue(at: at(9000)))
        request.heard(at: at(9000))
        let isAsked = request.takeDue(at: at(9000))
        #expect(isAsked)
        request.fulfil()
        #expect(request.deadline == nil && !request.takeDue(at: at(20_000)))
        request.heard(at: at(9100))
        request.want(at: at(9100))
        #expect(!request.takeDue(at: at(9299)) && request.takeDue(at: at(9300)))
    }

    @Test func bitrateFollowsWhatComes() {
        var estimate = BitrateEstimate()
        #expect(estimate.deadline == nil && estimate.take(lost: 0, at: at(5000)) == nil)
        func second(_ start: Int64, packets: Int64, lost: Int) -> UInt64? {
            for packet in 0..<packets { estimate.receive(1250, at: at(start + packet * 1000 / packets)) }
            #expect(estimate.take(lost: lost, at: at(start + 999)) == nil && estimate.deadline == at(start + 1000))
            return estimate.take(lost: lost, at: at(start + 1000))
        }
        // 2 Mbit/s without loss: half more. Some loss changes nothing; much says less than what comes.
        #expect(second(0, packets: 200, lost: 0) == 3_000_000)
        #expect(second(1000, packets: 200, lost: 10) == 3_000_000)
        #expect(second(2000, packets: 200, lost: 60) == 1_700_000)
        // Loss that was counted is not counted again, and a count that falls is none.
        #expect(second(3000, packets: 200, lost: 20) == 3_000_000)
        #expect(second(4000, packets: 1, lost: 500) == 150_000)
        #expect(second(5000, packets: 1900, lost: 500) == 20_000_000)
    }
}
