import Core
import RTP
import Testing

/// Sources that change, collide, leave and flood.
@Suite struct RTPSessionSourceTests {
    @Test func sourceChange() {
        var session = makeSession("x", seed: 1)
        #expect(session.receiveRTP(header(1, ssrc: 5), payloadLength: 10, at: ms(0)) == .ssrcChanged(previous: nil))
        #expect(session.receiveRTP(header(2, ssrc: 5), payloadLength: 10, at: ms(20)) == .accepted)
        #expect(session.receiveRTP(header(2, ssrc: 5), payloadLength: 10, at: ms(21)) == .duplicate)
        // While 5 is live, 6 needs two in sequence.
        #expect(session.receiveRTP(header(900, ssrc: 6), payloadLength: 10, at: ms(40)) == .probation)
        #expect(session.receiveRTP(header(901, ssrc: 6), payloadLength: 10, at: ms(60)) == .ssrcChanged(previous: 5))
        #expect(session.receiveRTP(header(3, ssrc: 5), payloadLength: 10, at: ms(61)) == .superseded)
        #expect(session.remoteSSRC == 6)
        let inbound = session.statistics.inbound
        #expect(inbound?.ssrc == 6 && inbound?.packetsReceived == 6 && inbound?.bytesReceived == 60)
        // After silence the old one may come back at once, and a new one too.
        #expect(session.receiveRTP(header(4, ssrc: 5), payloadLength: 10, at: ms(300)) == .ssrcChanged(previous: 6))
        #expect(session.receiveRTP(header(4, ssrc: 7), payloadLength: 10, at: ms(600)) == .ssrcChanged(previous: 5))
    }

    @Test func restart() {
        var session = makeSession("x", seed: 1)
        let results = [1, 2, 50_000, 50_001, 50_002].enumerated().map { index, number in
            session.receiveRTP(header(UInt16(number), ssrc: 5), payloadLength: 10, at: ms(Double(index) * 20))
        }
        #expect(results == [.ssrcChanged(previous: nil), .accepted, .probation, .restarted, .accepted])
    }

    @Test func goodbyeIsNotedAndRTPRevives() {
        var session = makeSession("x", seed: 1)
        _ = session.receiveRTP(header(1, ssrc: 5), payloadLength: 10, at: ms(0))
        let bye = RTCPPacket.bytes(of: [.receiverReport(ssrc: 5, blocks: []), .goodbye(ssrcs: [5], reason: "bye")])
        session.receiveRTCP(bye.span.bytes, at: ms(10))
        session.receiveRTCP(bye.span.bytes, at: ms(11))
        #expect(session.drain() == [.goodbye(ssrc: 5, reason: "bye")])
        #expect(session.statistics.inbound?.packetsLost == 0)
        // Another source takes over at once; so does the old one when it goes on.
        #expect(session.receiveRTP(header(7, ssrc: 6), payloadLength: 10, at: ms(12)) == .ssrcChanged(previous: 5))
        #expect(session.receiveRTP(header(2, ssrc: 5), payloadLength: 10, at: ms(400)) == .ssrcChanged(previous: 6))
    }

    @Test func goodbyeOfStrangersCreatesNothing() {
        var session = makeSession("x", seed: 1)
        for ssrc in 1...UInt32(100) {
            let bye = RTCPPacket.bytes(of: [.goodbye(ssrcs: [ssrc], reason: nil)])
            session.receiveRTCP(bye.span.bytes, at: .zero)
        }
        #expect(session.remoteSourceCount == 0 && session.poll() == nil)
    }

    @Test func tableIsCapped() {
        var session = makeSession("x", seed: 1)
        _ = session.receiveRTP(header(1, ssrc: 5), payloadLength: 10, at: ms(0))
        for n in 0..<1000 {
            let now = ms(Double(n))
            if n % 20 == 0 { _ = session.receiveRTP(header(UInt16(2 + n / 20), ssrc: 5), payloadLength: 10, at: now) }
            _ = session.receiveRTP(header(1, ssrc: UInt32(1000 + n)), payloadLength: 10, at: now)
            let report = RTCPPacket.bytes(of: [.receiverReport(ssrc: UInt32(5000 + n), blocks: [])])
            session.receiveRTCP(report.span.bytes, at: now)
        }
        #expect(session.remoteSourceCount == 16 && session.remoteSSRC == 5)
        #expect(session.statistics.inbound?.packetsReceived == 51)
        // Stale entries make room; the one that plays is kept.
        #expect(session.receiveRTP(header(1, ssrc: 77), payloadLength: 10, at: ms(10_000)) == .ssrcChanged(previous: 5))
        #expect(session.remoteSourceCount == 16)
    }

    @Test func staleSourcesAreSwept() {
        var session = makeSession("x", seed: 1)
        for ssrc in 1...UInt32(5) { _ = session.receiveRTP(header(1, ssrc: ssrc), payloadLength: 10, at: ms(Double(ssrc) * 300)) }
        #expect(session.remoteSourceCount == 5)
        while let deadline = session.deadline, deadline < ms(60_000) {
            session.handleTimeout(at: deadline)
            _ = session.drain()
        }
        #expect(session.remoteSourceCount == 1 && session.remoteSSRC == 5)
        #expect(session.statistics.inbound?.packetsReceived == 5 && session.statistics.inbound?.bytesReceived == 50)
    }

    @Test func collision() {
        var session = makeSession("x", seed: 1, ssrc: 9)
        let before = session.willSend(payloadType: 0, payloadLength: 160, timestamp: 0, at: .zero)
        #expect(session.receiveRTP(header(1, ssrc: 9), payloadLength: 10, at: ms(1)) == .collision)
        let outputs = session.drain()
        let after = session.willSend(payloadType: 0, payloadLength: 160, timestamp: 160, at: ms(20))
        #expect(before.ssrc == 9 && after.ssrc == session.ssrc && after.ssrc != 9)
        guard outputs.count == 2, case .transmit(let farewell) = outputs[0] else {
            Issue.record("no BYE: \(outputs)")
            return
        }
        #expect(RTCPCompound(farewell.span.bytes).packets.last == .goodbye(ssrcs: [9], reason: nil))
        #expect(outputs[1] == .collision(old: 9, new: after.ssrc))
        // The other one keeps the identifier and is heard under it.
        #expect(session.receiveRTP(header(2, ssrc: 9), payloadLength: 10, at: ms(21)).isPlayable)
        #expect(session.statistics.outbound.packetsSent == 2)
    }

    @Test func loopDoesNotChangeForEver() {
        var session = makeSession("x", seed: 1, ssrc: 9)
        var changes = 0
        for n in 0..<200 {
            let sent = session.willSend(payloadType: 0, payloadLength: 160, timestamp: UInt32(n) * 160, at: ms(Double(n) * 20))
            _ = session.receiveRTP(sent, payloadLength: 160, at: ms(Double(n) * 20 + 1))
            for output in session.drain() { if case .collision = output { changes += 1 } }
        }
        #expect(changes == 4)
    }

    @Test func unreadOutputsAreCapped() {
        var session = makeSession("x", seed: 1, ssrc: 9)
        let pli = RTCPPacket.bytes(of: [.feedback(sender: 5, media: 9, .pictureLossIndication)])
        for _ in 0..<1000 { session.receiveRTCP(pli.span.bytes, at: .zero) }
        #expect(session.drain().count == 64 && session.statistics.outbound.pliCount == 1000)
    }
}
