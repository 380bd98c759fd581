import Core

/// Frames and packets of ours, and what is sent again.
extension VideoSession {
    /// Packets of a frame that leave at once, and how long the next ones wait: 8 of 1,100 bytes each 3 ms are 23 Mbit/s.
    static let burst = 8
    static let pause = Duration.milliseconds(3)
    /// Packets that may wait; more leave early.
    static let pacedCapacity = 512

    /// Cuts a frame into packets and sends them.
    /// - Parameter mediaTime: 1/90,000 s from any start.
    public mutating func send(_ frame: some RandomAccessCollection<UInt8>, mediaTime: UInt64, isKeyFrame: Bool, at now: Instant) {
        let media = UInt32(truncatingIfNeeded: mediaTime)
        let offset = timestampOffset ?? newOffset(media, at: now)
        timestampOffset = offset
        if let last = forwarder.pictureID, sent != nil { packetizer.continueAfter(last) }
        let payloads = packetizer.payloads(of: frame, maximumPayload: configuration.maximumPayload)
        guard !payloads.isEmpty else { return }
        forwarder.interrupt(pictureID: packetizer.pictureID)
        framesSent += 1
        if isKeyFrame { keyFramesSent += 1 }
        for (index, payload) in payloads.enumerated() {
            let packet = packet(
                sequence: rtp.outbound.upcoming.sequence, timestamp: media &+ offset, marker: index == payloads.count - 1, payload: payload, at: now)
            if pacedAt == nil, index < Self.burst || paced.count >= Self.pacedCapacity { outputs.append(packet) } else { paced.append(packet) }
        }
        if pacedAt == nil, !paced.isEmpty { pacedAt = now + Self.pause }
        pump(at: now)
    }

    /// Our clock goes on where the other source's left it.
    private func newOffset(_ media: UInt32, at now: Instant) -> UInt32 {
        guard let sent else { return rtp.outbound.upcoming.timestampOffset }
        return sent.timestamp &+ UInt32(truncatingIfNeeded: max(3000, Int64((now - sent.at).inSeconds * 90_000))) &- media
    }

    /// Passes on a packet of somebody else's stream.
    /// - Parameter source: whose it is: a change begins with a key frame of the new one.
    /// - Returns: true when the source should be asked for a key frame.
    public mutating func forward(_ packet: VideoPacket, from source: UInt64, at now: Instant) -> Bool {
        let upcoming = rtp.outbound.upcoming
        let result = forwarder.forward(
            packet, from: source, after: sent, upcoming: (upcoming.sequence, upcoming.timestampOffset), at: now)
        guard let out = result.packet else { return result.needsKeyFrame }
        timestampOffset = nil
        if packet.marker { framesSent += 1 }
        if packet.startsKeyFrame { keyFramesSent += 1 }
        outputs.append(
            self.packet(sequence: out.sequenceNumber, timestamp: out.timestamp, marker: packet.marker, payload: out.payload, at: now))
        pump(at: now)
        return result.needsKeyFrame
    }

    /// Packets of a source are left out from now on: when they come again it is with a key frame, and without a gap.
    public mutating func stopForwarding() { forwarder.stop() }

    mutating func releasePaced(at now: Instant) {
        outputs += paced.prefix(Self.burst)
        paced.removeFirst(min(Self.burst, paced.count))
        pacedAt = paced.isEmpty ? nil : now + Self.pause
    }

    /// Sends again what was asked for (RFC 4588). Without retransmission packets nothing is: SRTP sends no number twice.
    mutating func resend(_ lost: [UInt16], at now: Instant) {
        guard let payloadType = configuration.sendRTXPayloadType else { return }
        for packet in history.take(lost, roundTrip: currentRoundTrip, at: now) {
            let header = RTPHeader(
                payloadType: payloadType, sequenceNumber: rtxSequence, timestamp: packet.timestamp, ssrc: configuration.rtxSSRC, marker: packet.marker
            )
            rtxSequence &+= 1
            retransmittedPacketsSent += 1
            // No report ever names this source, and Firefox drops packets of one that it cannot place, although a=ssrc-group has told it.
            outputs.append(bytes(header, RTXPayload.wrap(packet.sequenceNumber, packet.payload), namesSection: true))
        }
    }

    private mutating func packet(sequence: UInt16, timestamp: UInt32, marker: Bool, payload: [UInt8], at now: Instant) -> Output {
        rtp.reports.handle(.joined, at: now)
        let header = rtp.outbound.forwardedHeader(
            payloadType: configuration.sendPayloadType, payloadLength: payload.count, sequence: sequence, timestamp: timestamp, marker: marker,
            clockRate: 90_000, at: now)
        if sent.map({ sequence.isNewerSequence(than: $0.sequence) }) ?? true {
            sent = VP8Forwarder.Sent(sequence: sequence, timestamp: timestamp, at: now)
        }
        history.add(sequence, timestamp: timestamp, marker: marker, payload: payload, at: now)
        return bytes(header, payload)
    }

    private mutating func bytes(_ header: RTPHeader, _ payload: [UInt8], namesSection: Bool = false) -> Output {
        var place: Int?
        var bytes = [UInt8](repeating: 0, count: RTPSession.maximumHeaderLength)
        let length = bytes.withUnsafeMutableBytes { buffer in
            let written = rtp.write(header, transportNumber: { _ in 0 }, namesSection: namesSection, into: buffer)
            place = written.transportNumberAt
            return written.length
        }
        bytes.removeLast(bytes.count - length)
        bytes += payload
        return .rtp(bytes, transportNumberAt: place)
    }
}
