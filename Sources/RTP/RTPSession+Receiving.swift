import Core

/// What `RTPSession.receiveRTP` made of a packet.
public enum RTPReception: Sendable, Equatable {
    /// Play it.
    case accepted
    /// Play it; the sequence numbers (and maybe timestamps) started anew.
    case restarted
    /// Play it; it comes from another source than before, nil for the first one.
    case ssrcChanged(previous: UInt32?)
    /// Seen before.
    case duplicate
    /// Not believed until the next packet follows on.
    case probation
    /// Counted, but another source is being played.
    case superseded
    /// Carries our own identifier: another source's by chance, or ours come back.
    case collision
    /// The source table is full, or the session is closed.
    case refused

    public var isPlayable: Bool {
        switch self {
        case .accepted, .restarted, .ssrcChanged: true
        case .duplicate, .probation, .superseded, .collision, .refused: false
        }
    }
}

/// Sources, their changes and collisions (RFC 3550 §6.2.1, §8.2, A.1).
extension RTPSession {
    /// A source that has been silent for this long gives way to another at once.
    static let handover: Duration = .milliseconds(200)

    /// Takes one authenticated packet.
    public mutating func receiveRTP(_ header: RTPHeader, payloadLength: Int, at now: Instant) -> RTPReception {
        guard case .open = state else { return .refused }
        guard header.ssrc != outbound.ssrc else {
            collide(at: now)
            return .collision
        }
        let isOther = header.ssrc != current
        let isCurrentLive = isOther && isLive(current, at: now)
        guard let index = table.admit(header.ssrc, needsProbation: isCurrentLive, keeping: current, at: now) else { return .refused }
        reports.handle(.joined, at: now)
        let wasValid = table[index].stream.isValid
        let arrival = table[index].stream.receive(
            header, payloadLength: payloadLength, clockRate: configuration.mediaClock(of: header.payloadType), at: now)
        table[index].lastHeard = now
        switch arrival {
        case .probation: return .probation
        case .duplicate: return .duplicate
        case .inOrder, .restarted: table[index].leftAt = nil
        case .reordered: break
        }
        guard isOther else { return arrival == .restarted ? .restarted : .accepted }
        // A newly believed source takes over; one known before does so only when the present one has fallen silent.
        if wasValid, isCurrentLive { return .superseded }
        let previous = current
        current = header.ssrc
        return .ssrcChanged(previous: previous)
    }

    private func isLive(_ ssrc: UInt32?, at now: Instant) -> Bool {
        guard let ssrc, let index = table.index(of: ssrc), table[index].leftAt == nil, let last = table[index].stream.lastPacketAt
        else { return false }
        return now - last < Self.handover
    }

    /// Another source has our identifier: we leave it with a BYE and take a new one. Identifiers we had before are not fought over,
    /// and after a few changes it is a loop: then such packets are only dropped.
    mutating func collide(at now: Instant) {
        let old = outbound.ssrc
        guard formerSSRCs.count < Self.maximumCollisions else { return }
        let farewell = outbound.packetsSent > 0 || reportTimes.last != nil
        if farewell {
            let packets: [RTCPPacket] = [
                .receiverReport(ssrc: old, blocks: []), .sourceDescription([description]),
                .goodbye(ssrcs: [old], reason: nil),
            ]
            emit(.transmit(RTCPPacket.bytes(of: packets)))
        }
        formerSSRCs.append(old)
        outbound.changeSSRC(random: random)
        isMIDKnown = false
        emit(.collision(old: old, new: outbound.ssrc))
    }
}
