import Audio
import Core
import ICE
import Interface
import RTP
import SDP
import Secure

/// Packets in and out (RFC 7983, RFC 3711).
extension MediaSession {
    func receive(_ datagram: RawSpan, base: SocketAddress, from: SocketAddress, at now: Instant) {
        let component = component(of: base)
        switch PacketKind.classify(datagram) {
        case .stun, .turnChannel:
            if let inner = ice?.receive(datagram, from: from, to: base, at: now) {
                return receive(datagram.extracting(inner.range), base: inner.base, from: inner.source, at: now)
            }
            pump(at: now)
        case .dtls:
            transports[component]?.countReceived(datagram.byteCount)
            receiveDTLS(datagram, component: component, base: base, from: from, at: now)
            pump(at: now)
        case .rtp:
            if let transport = transports[component] {
                transport.countReceived(datagram.byteCount)
                receiveRTP(datagram, transport, from: from, at: now)
            }
        case .rtcp:
            if let transport = transports[component] ?? transports[1] {
                transport.countReceived(datagram.byteCount)
                receiveRTCP(datagram, transport, from: from, at: now)
                pumpControl(at: now)
            }
        case .zrtp, .unknown: transports[component]?.dropped.unknownSource += 1
        }
    }

    /// With ICE: who proved to know our password, or answered a check. Without: the address of the peer's SDP, or where verified packets came from.
    func isKnown(_ from: SocketAddress, _ transport: MediaTransport) -> Bool {
        if let ice { return ice.isKnownSource(from, component: transport.component) }
        return transport.route?.remote == from
    }

    private func receiveDTLS(_ datagram: RawSpan, component: Int, base: SocketAddress, from: SocketAddress, at now: Instant) {
        guard let transport = transports[component] else {
            // Before the description is here, only ICE can tell who is known.
            guard negotiated == nil, ice?.isKnownSource(from, component: component) == true else { return }
            let waiting = MediaTransport(component: component)
            transports[component] = waiting
            waiting.keepEarly(datagram, from: from, at: now)
            return
        }
        let known = isKnown(from, transport)
        if transport.receiveDTLS(datagram, from: from, isKnown: known, at: now) { return }
        if known {
            if transport.dtlsState == nil { transport.keepEarly(datagram, from: from, at: now) }
            return
        }
        // A peer behind a NAT, without ICE: whoever completes the handshake with the signalled fingerprint is it.
        if ice == nil, negotiated?.dtls?.role == .passive, transport.canStartBeside(datagram), let association = makeAssociation(at: now),
            transport.startBeside(association, source: from, at: now)
        {
            _ = transport.receiveDTLS(datagram, from: from, isKnown: false, at: now)
            return
        }
        transport.dropped.unknownSource += 1
    }

    /// A plain source that is silent for so long may be replaced.
    private static let plainSilence: Duration = .seconds(2)

    /// Plain RTP has nothing but the address to go by; a NAT changes that too, so the first source that speaks as agreed is taken.
    private func admitsPlain(_ datagram: RawSpan, _ from: SocketAddress, _ transport: MediaTransport, at now: Instant) -> Bool {
        if isKnown(from, transport) { return true }
        guard ice == nil, let route = transport.route, let header = try? RTPHeader(datagram), let media = negotiated else { return false }
        // Once somebody is heard nobody else is, until that one falls silent and another port of the same host goes on (a NAT's new binding).
        if let last = lastReceivedAt, route.remote.ip != from.ip || now - last < Self.plainSilence { return false }
        return media.expects(header.payloadType)
    }

    /// RTCP follows RTP: its source shares the address with what was signalled or with what RTP was taken from.
    private func admitsPlainControl(_ from: SocketAddress, _ transport: MediaTransport) -> Bool {
        if isKnown(from, transport) { return true }
        return ice == nil && (transport.route?.remote.ip == from.ip || transports[1]?.route?.remote.ip == from.ip)
    }

    private func receiveRTP(_ datagram: RawSpan, _ transport: MediaTransport, from: SocketAddress, at now: Instant) {
        guard datagram.byteCount <= scratch.count else { return }
        if let keys = transport.keys {
            // With DTLS or SDES and no ICE the tag proves the sender; with ICE the source must be known as well.
            guard ice == nil || isKnown(from, transport) else {
                transport.dropped.unknownSource += 1
                return
            }
            copy(datagram)
            do throws(SRTPError) {
                let length = try keys.inbound.unprotectRTP(scratch, length: datagram.byteCount)
                latch(transport, from: from)
                deliver(UnsafeRawBufferPointer(rebasing: scratch[..<length]).bytes, transport, at: now)
            } catch {
                transport.countRefused(error)
            }
        } else if transport.isPlain {
            guard admitsPlain(datagram, from, transport, at: now) else {
                transport.dropped.unknownSource += 1
                return
            }
            latch(transport, from: from)
            deliver(datagram, transport, at: now)
        } else {
            transport.dropped.noKey += 1
        }
    }

    /// Symmetric RTP (RFC 4961): without ICE, media goes to where authenticated media comes from.
    private func latch(_ transport: MediaTransport, from: SocketAddress) {
        guard ice == nil, let route = transport.route, route.remote != from else { return }
        transport.setRoute(MediaTransport.Route(base: route.base, remote: from))
    }

    private func copy(_ datagram: RawSpan) { datagram.withUnsafeBytes { scratch.copyMemory(from: $0) } }

    private func deliver(_ packet: RawSpan, _ transport: MediaTransport, at now: Instant) {
        guard let header = try? RTPHeader(packet) else { return }
        lastReceivedAt = now
        if !hasReceived {
            hasReceived = true
            outputs.append(.firstReceived)
        }
        if receiveVideo(header, in: packet, at: now) {
            videoFlow.hasReceived = true
            return
        }
        // What was never agreed on makes no new source: it would silence the one that is heard.
        guard header.ssrc == rtp.remoteSSRC || describer.negotiated?.expects(header.payloadType) == true else {
            transport.dropped.other += 1
            return
        }
        audioFlow.hasReceived = true
        let payload = packet.extracting(header.payloadRange)
        let reception = rtp.receiveRTP(header, in: packet, at: now)
        switch reception {
        case .restarted, .ssrcChanged: digits.restart()
        default: break
        }
        guard reception.isPlayable else { return }
        if digits.receive(payload, header: header, at: now) {
            passOver(header)
            pump(at: now)
            return
        }
        if passOn(header, payload) { return }
        port?.receive(
            AudioPacketHeader(
                sequence: header.sequenceNumber, timestamp: header.timestamp, ssrc: header.ssrc, payloadType: header.payloadType,
                marker: header.marker),
            payload: payload, arrival: now)
    }

    private func receiveRTCP(_ datagram: RawSpan, _ transport: MediaTransport, from: SocketAddress, at now: Instant) {
        guard datagram.byteCount <= scratch.count else { return }
        if let keys = transport.keys {
            guard ice == nil || isKnown(from, transport) else {
                transport.dropped.unknownSource += 1
                return
            }
            copy(datagram)
            do throws(SRTPError) {
                let length = try keys.inbound.unprotectRTCP(scratch, length: datagram.byteCount)
                if transport.component == 2 { latch(transport, from: from) }
                deliverRTCP(UnsafeRawBufferPointer(rebasing: scratch[..<length]).bytes, at: now)
            } catch {
                transport.countRefused(error)
            }
        } else if transport.isPlain {
            guard admitsPlainControl(from, transport) else {
                transport.dropped.unknownSource += 1
                return
            }
            if transport.component == 2 { latch(transport, from: from) }
            deliverRTCP(datagram, at: now)
        } else {
            transport.dropped.noKey += 1
        }
    }

    /// A compound may speak of audio and video; each takes what is about itself.
    private func deliverRTCP(_ compound: RawSpan, at now: Instant) {
        rtp.receiveRTCP(compound, at: now)
        guard video != nil else { return }
        video?.receiveRTCP(compound, at: now)
        // Protecting what goes out uses the same memory as the compound: it is read by now.
        pumpVideo(at: now)
    }

    // MARK: out

    /// By the socket, or through the TURN server that the route's base is an address of.
    func transmit(_ bytes: [UInt8], _ route: MediaTransport.Route) {
        guard ice != nil else {
            outputs.append(.transmit(Transmit(payload: bytes, source: route.base, destination: route.remote)))
            return
        }
        switch ice?.carry(bytes, from: route.base, to: route.remote) {
        case .datagram(let transmit): outputs.append(.transmit(transmit))
        case .stream(let stream, let bytes): outputs.append(.stream(.send(stream, bytes)))
        case nil: break
        }
    }

    /// Sends what the audio thread encoded since the last time.
    func sendEncoded(at now: Instant) {
        guard let port else { return }
        while port.popEncoded({ header, payload, _ in send(header, payload, at: now) }) {}
    }

    private func send(_ frame: EncodedAudioHeader, _ payload: UnsafeRawBufferPointer, at now: Instant) {
        guard let transport = transports[1], let route = transport.route, transport.isReady else { return }
        // Digits count in the stream's clock, which goes on where our frames' starts anew.
        let shift = rtp.ownClockShift(frame.timestamp, payloadType: frame.payloadType, at: now)
        if isAnswered, let event = digits.next(timestamp: frame.timestamp &+ shift) {
            event.packet.event.payload.withUnsafeBytes {
                sendRTP(event.payloadType, $0, timestamp: event.timestamp &- shift, marker: event.packet.marker, transport, route, at: now)
            }
            if let completed = event.packet.completed { outputs.append(.digit(completed.digit, durationMs: completed.durationMs, .outgoing)) }
            return
        }
        sendRTP(frame.payloadType, payload, timestamp: frame.timestamp, marker: frame.marker, transport, route, at: now)
    }

    private func sendRTP(
        _ payloadType: UInt8, _ payload: UnsafeRawBufferPointer, timestamp: UInt32, marker: Bool, _ transport: MediaTransport,
        _ route: MediaTransport.Route, at now: Instant
    ) {
        guard RTPSession.maximumHeaderLength + payload.count + 64 <= scratch.count,
            let head = rtp.writeHeader(
                payloadType: payloadType, payloadLength: payload.count, timestamp: timestamp, marker: marker, audioLevel: sentLevel, into: scratch,
                at: now)
        else { return }
        UnsafeMutableRawBufferPointer(rebasing: scratch[head...]).copyMemory(from: payload)
        if protectAndSend(head + payload.count, transport, route) { audioFlow.hasSent = true }
    }

    /// Sends the packet that stands at the beginning of `scratch`.
    /// - Returns: whether it left.
    func protectAndSend(_ count: Int, _ transport: MediaTransport, _ route: MediaTransport.Route) -> Bool {
        var length = count
        if let keys = transport.keys {
            guard let protected = try? keys.outbound.protectRTP(scratch, length: length) else { return false }
            length = protected
        }
        transport.countSent(length)
        transmit(Array(scratch[..<length]), route)
        if !hasSent {
            hasSent = true
            outputs.append(.firstSent)
        }
        return true
    }

    /// How loud we are (RFC 6464), where the peer wants to know.
    private var sentLevel: RTPAudioLevel? {
        guard writesLevel, let level = port?.statistics.sentLevelDbov else { return nil }
        let below = UInt8(exactly: min(127, max(0, -level)).rounded()) ?? 127
        return RTPAudioLevel(level: below, isVoice: below < 50)
    }

    /// RTCP goes by its own transport, or by RTP's when muxed.
    func pumpControl(at now: Instant) {
        while let output = rtp.poll() {
            guard case .transmit(let compound) = output else { continue }
            sendControl(compound)
        }
    }

    func sendControl(_ compound: [UInt8]) {
        guard let transport = transports[2] ?? transports[1], let route = transport.route, transport.isReady else { return }
        var bytes = compound
        if let keys = transport.keys {
            guard (try? keys.outbound.protectRTCP(&bytes)) != nil else { return }
        }
        transport.countSent(bytes.count)
        transmit(bytes, route)
    }
}
