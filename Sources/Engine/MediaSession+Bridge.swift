import Audio
import Core
import Interface
import RTP
import SDP

/// A received packet of audio that goes to another call as it is.
struct RelayedAudio {
    /// The codec's name and clock, as negotiated with the call that it came from.
    var codec: NegotiatedCodec
    var header: RTPHeader
    var payload: [UInt8]
}

/// One of two calls that are joined: what is heard here is said there.
extension MediaSession {
    enum AudioBridge: Equatable {
        /// Audio is the person's.
        case none
        /// Packets go to the other call as they are; nothing is decoded or encoded.
        case passing
        /// The audio thread decodes, and encodes for the other call.
        case transcoding
    }

    func setAudioBridge(_ bridge: AudioBridge, at now: Instant) {
        guard bridge != audioBridge else { return }
        // The audio thread begins anew.
        if audioBridge == .passing { rtp.ownClockRestarts() }
        audioBridge = bridge
        applyControls()
    }

    /// - Returns: whether the packet is on its way to the other call.
    func passOn(_ header: RTPHeader, _ payload: RawSpan) -> Bool {
        guard audioBridge == .passing else { return false }
        guard let codec = negotiated?.codecs.first(where: { $0.receivePayloadType == header.payloadType }) else {
            passOver(header)
            return true
        }
        outputs.append(.audioPacket(RelayedAudio(codec: codec, header: header, payload: payload.copy())))
        return true
    }

    /// A packet that was received but is not audio (an event): the other call does not miss its number.
    func passOver(_ header: RTPHeader) {
        guard audioBridge == .passing else { return }
        outputs.append(.audioSkipped(header.sequenceNumber, ssrc: header.ssrc))
    }

    /// Sends a packet of the other call. One of a codec that this call has not is dropped: its number is not missed.
    func relay(_ packet: RelayedAudio, at now: Instant) {
        guard let transport = transports[1], let route = transport.route, transport.isReady, isAnswered, let media = negotiated,
            media.localDirection.sends, describer.direction.receives, !isMuted,
            RTPSession.maximumHeaderLength + packet.payload.count + 64 <= scratch.count,
            let codec = media.codecs.first(where: { $0.isSame(as: packet.codec) })
        else {
            rtp.relaySwallows(packet.header.sequenceNumber, ssrc: packet.header.ssrc)
            return
        }
        let header = packet.header
        guard
            let number = rtp.relayed(
                sequence: header.sequenceNumber, timestamp: header.timestamp, ssrc: header.ssrc, clockRate: UInt32(clamping: codec.clockRate), at: now
            )
        else { return }
        if let event = digits.next(timestamp: number.timestamp &- rtp.timestampOffset) {
            event.packet.event.payload.withUnsafeBytes {
                sendRelayed(
                    event.payloadType, $0, sequence: number.sequence, timestamp: event.timestamp &+ rtp.timestampOffset, marker: event.packet.marker,
                    transport, route, at: now)
            }
            if let completed = event.packet.completed { outputs.append(.digit(completed.digit, durationMs: completed.durationMs, .outgoing)) }
            return
        }
        packet.payload.withUnsafeBytes {
            sendRelayed(
                codec.sendPayloadType, $0, sequence: number.sequence, timestamp: number.timestamp, marker: header.marker, transport, route, at: now)
        }
    }

    private func sendRelayed(
        _ payloadType: UInt8, _ payload: UnsafeRawBufferPointer, sequence: UInt16, timestamp: UInt32, marker: Bool, _ transport: MediaTransport,
        _ route: MediaTransport.Route, at now: Instant
    ) {
        guard
            let head = rtp.writeRelayedHeader(
                payloadType: payloadType, payloadLength: payload.count, sequence: sequence, timestamp: timestamp, marker: marker, into: scratch,
                at: now)
        else { return }
        UnsafeMutableRawBufferPointer(rebasing: scratch[head...]).copyMemory(from: payload)
        if protectAndSend(head + payload.count, transport, route) { audioFlow.hasSent = true }
    }

    /// The codec that is sent to this call's peer, and what comes from it.
    var codecInUse: NegotiatedCodec? { negotiated?.codecs.first }
}

extension NegotiatedMedia {
    /// The peer was told of this payload type.
    func expects(_ payloadType: UInt8) -> Bool {
        codecs.contains { $0.receivePayloadType == payloadType } || dtmf.contains { $0.receivePayloadType == payloadType }
    }

    func has(_ codec: NegotiatedCodec) -> Bool { codecs.contains { $0.isSame(as: codec) } }
}

extension NegotiatedCodec {
    /// The payloads of one can be sent as the other's.
    func isSame(as other: NegotiatedCodec) -> Bool { name.uppercased() == other.name.uppercased() && clockRate == other.clockRate }
}
