import Core

/// RTCP received, reports built, feedback sent (RFC 3550 §6, RFC 4585 §3.5).
extension RTPSession {
    /// Takes one decrypted RTCP datagram.
    /// - Returns: what was odd about it, for the trace.
    @discardableResult
    public mutating func receiveRTCP(_ bytes: RawSpan, at now: Instant) -> [RTCPIssue] {
        guard case .open = state else { return [] }
        let compound = RTCPCompound(bytes)
        guard !compound.packets.isEmpty else { return compound.issues }
        reports.handle(.joined, at: now)
        reports.handle(.compound(octets: bytes.byteCount), at: now)
        for packet in compound.packets { receive(packet, at: now) }
        return compound.issues
    }

    private mutating func receive(_ packet: RTCPPacket, at now: Instant) {
        switch packet {
        case .senderReport(let ssrc, let info, let blocks):
            guard let index = hear(ssrc, at: now) else { return }
            // The first one is answered soon: the far end learns its round trip from our next report.
            if table[index].stream.lastSenderReport == nil { reports.handle(.urgent, at: now) }
            table[index].stream.receive(info, at: now)
            receive(blocks, at: now)
        case .receiverReport(let ssrc, let blocks):
            guard hear(ssrc, at: now) != nil else { return }
            receive(blocks, at: now)
        case .sourceDescription(let chunks):
            for chunk in chunks {
                guard let cname = chunk.cname, let index = hear(chunk.ssrc, at: now) else { continue }
                table[index].cname = cname
                if let mid = chunk.mid { table[index].mid = mid }
            }
        case .goodbye(let ssrcs, let reason):
            for ssrc in ssrcs { receiveGoodbye(ssrc, reason: reason, at: now) }
        case .feedback(let sender, let media, let feedback): receive(feedback, from: sender, about: media, at: now)
        case .extendedReport(let ssrc, let blocks): if let index = hear(ssrc, at: now) { receive(blocks, from: index, at: now) }
        case .application: break
        }
    }

    /// The table entry of a source that sent RTCP; a collision with ours and a full table give nil.
    private mutating func hear(_ ssrc: UInt32, at now: Instant) -> Int? {
        guard ssrc != outbound.ssrc else {
            collide(at: now)
            return nil
        }
        // Our own BYE or report under an identifier given up may come back.
        guard !formerSSRCs.contains(ssrc) || table.index(of: ssrc) != nil else { return nil }
        guard let index = table.admit(ssrc, needsProbation: current != nil, keeping: current, at: now) else { return nil }
        table[index].lastHeard = now
        return index
    }

    private mutating func receive(_ blocks: [ReportBlock], at now: Instant) {
        for block in blocks where block.ssrc == outbound.ssrc {
            outbound.receive(block, clock: clock, at: now)
            isMIDKnown = true
        }
    }

    private mutating func receiveGoodbye(_ ssrc: UInt32, reason: String?, at now: Instant) {
        guard let index = table.index(of: ssrc), table[index].leftAt == nil else { return }
        updateMembership(at: now)
        table[index].leftAt = now
        reports.handle(.memberLeft(remaining: memberCount), at: now)
        emit(.goodbye(ssrc: ssrc, reason: reason))
    }

    private mutating func receive(_ feedback: RTCPFeedback, from sender: UInt32, about media: UInt32, at now: Instant) {
        switch feedback {
        case .pictureLossIndication:
            guard media == outbound.ssrc else { return }
            receivedFeedback.pli += 1
            emit(.keyFrameRequested)
        case .fullIntraRequest(let entries):
            guard let entry = entries.first(where: { $0.ssrc == outbound.ssrc }), let index = hear(sender, at: now) else { return }
            guard table[index].lastFullIntraRequest != entry.sequenceNumber else { return }
            table[index].lastFullIntraRequest = entry.sequenceNumber
            receivedFeedback.fir += 1
            emit(.keyFrameRequested)
        case .genericNACK(let lost):
            guard media == outbound.ssrc else { return }
            receivedFeedback.nack += 1
            emit(.retransmissionRequested(lost))
        case .maximumBitrate(let rate, let ssrcs):
            guard ssrcs.isEmpty || ssrcs.contains(outbound.ssrc) else { return }
            emit(.maximumBitrate(rate))
        case .transportWide(let feedback): sentTransport.receive(feedback)
        case .other: break
        }
    }

    /// Us and everybody who has not left.
    private var memberCount: Int { 1 + table.sources.count { $0.leftAt == nil } }

    /// Since the report before the last (RFC 3550 §6.4), and at least within two intervals (§6.3.5): early reports make nobody silent.
    private func isRecent(_ instant: Instant?, at now: Instant) -> Bool {
        guard let instant else { return false }
        return reportTimes.previous.map { instant >= min($0, now - reports.deterministicInterval * 2) } ?? true
    }

    mutating func updateMembership(at now: Instant) {
        let isSender = isRecent(outbound.lastPacketAt, at: now)
        let senders = table.sources.count { $0.leftAt == nil && isRecent($0.stream.lastPacketAt, at: now) }
        reports.handle(.membership(members: memberCount, senders: senders + (isSender ? 1 : 0), isSender: isSender), at: now)
    }

    /// SR or RR, and SDES: what every compound starts with. Ends the loss intervals of the streams it reports on.
    mutating func report(at now: Instant) -> [RTCPPacket] {
        var blocks: [ReportBlock] = []
        for index in table.sources.indices where table[index].leftAt == nil && isRecent(table[index].stream.lastPacketAt, at: now) {
            if let block = table[index].stream.reportBlock(at: now) { blocks.append(block) }
        }
        let first: RTCPPacket =
            isRecent(outbound.lastPacketAt, at: now)
            ? .senderReport(ssrc: ssrc, info: outbound.senderInfo(clock: clock, at: now), blocks: blocks)
            : .receiverReport(ssrc: ssrc, blocks: blocks)
        return [first, .sourceDescription([description])]
    }

    /// At once: with two parties RFC 4585 §3.3's immediate mode holds.
    /// - Returns: false without AVPF, and when no source is known.
    mutating func sendFeedback(_ feedback: RTCPFeedback, at now: Instant) -> Bool {
        guard configuration.isAVPF, let media = current, outputs.count < Self.outputCapacity else { return false }
        var packets = configuration.reducedSize ? [] : report(at: now)
        packets.append(.feedback(sender: ssrc, media: feedback.namesItsSources ? 0 : media, feedback))
        let bytes = RTCPPacket.bytes(of: packets)
        reports.handle(.compound(octets: bytes.count), at: now)
        emit(.transmit(bytes))
        return true
    }

    /// Ends the session.
    /// - Returns: the last compound, with BYE; nil when we never sent anything (RFC 3550 §6.3.7) or had closed before.
    public mutating func close(reason: String? = nil, at now: Instant) -> [UInt8]? {
        guard case .open = state else { return nil }
        state = .closed
        reports.handle(.closed, at: now)
        guard outbound.packetsSent > 0 || reportTimes.last != nil else { return nil }
        return RTCPPacket.bytes(of: report(at: now) + [.goodbye(ssrcs: [ssrc], reason: reason)])
    }
}
