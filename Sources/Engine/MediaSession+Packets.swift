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
        case .stun:
            ice?.receive(datagram, from: from, to: base, at: now)
            pump(at: now)
        case .dtls:
            receiveDTLS(datagram, component: component, base: base, from: from, at: now)
            pump(at: now)
        case .rtp:
            if let transport = transports[component] { receiveRTP(datagram, transport, from: from, at: now) }
        case .rtcp:
            if let transport = transports[component] ?? transports[1] {
                receiveRTCP(datagram, transport, from: from, at: now)
                pumpControl(at: now)
            }
        case .zrtp, .turnChannel, .unknown: transports[component]?.unknownSourceDropped += 1
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
            waiting.keepEarly(datagram, from: from)
            return
        }
        let known = isKnown(from, transport)
        if transport.receiveDTLS(datagram, from: from, isKnown: known, at: now) { return }
        if known {
            if transport.dtlsState == nil { transport.keepEarly(datagram, from: from) }
            return
        }
        // A peer behind a NAT, without ICE: whoever completes the handshake with the signalled fingerprint is it.
        if ice == nil, negotiated?.dtls?.role == .passive, transport.canStartBeside(datagram), let association = makeAssociation(at: now),
            transport.startBeside(association, source: from, at: now)
        {
            _ = transport.receiveDTLS(datagram, from: from, isKnown: false, at: now)
            return
        }
        transport.unknownSourceDropped += 1
    }

    /// A plain source that is silent for so long may be replaced.
    private static let plainSilence: Duration = .seconds(2)

    /// Plain RTP has nothing but the address to go by; a NAT changes that too, so the first source that speaks as agreed is taken.
    private func admitsPlain(_ datagram: RawSpan, _ from: SocketAddress, _ transport: MediaTransport, at now: Instant) -> Bool {
        if isKnown(from, transport) { return true }
        guard ice == nil, let route = transport.route, let header = try? RTPHeader(datagram), let media = negotiated else { return false }
        // Once somebody is heard nobody else is, until that one falls silent and another port of the same host goes on (a NAT's new binding).
        if let last = lastReceivedAt, route.remote.ip != from.ip || now - last < Self.plainSilence { return false }
        return media.codecs.contains { $0.receivePayloadType == header.payloadType }
            || media.dtmf.contains { $0.receivePayloadType == header.payloadType }
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
                transport.unknownSourceDropped += 1
                return
            }
            copy(datagram)
            do throws(SRTPError) {
                let length = try keys.inbound.unprotectRTP(scratch, length: datagram.byteCount)
                latch(transport, from: from)
                deliver(UnsafeRawBufferPointer(rebasing: scratch[..<length]).bytes, at: now)
            } catch {
                transport.unprotectErrors += 1
            }
        } else if transport.isPlain {
            guard admitsPlain(datagram, from, transport, at: now) else {
                transport.unknownSourceDropped += 1
                return
            }
            latch(transport, from: from)
            deliver(datagram, at: now)
        } else {
            transport.noKeyDropped += 1
        }
    }

    /// Symmetric RTP (RFC 4961): without ICE, media goes to where authenticated media comes from.
    private func latch(_ transport: MediaTransport, from: SocketAddress) {
        guard ice == nil, let route = transport.route, route.remote != from else { return }
        transport.setRoute(MediaTransport.Route(base: route.base, remote: from))
    }

    private func copy(_ datagram: RawSpan) { datagram.withUnsafeBytes { scratch.copyMemory(from: $0) } }

    private func deliver(_ packet: RawSpan, at now: Instant) {
        guard let header = try? RTPHeader(packet) else { return }
        let payload = packet.extracting(header.payloadRange)
        let reception = rtp.receiveRTP(header, payloadLength: payload.byteCount, at: now)
        lastReceivedAt = now
        if !hasReceived {
            hasReceived = true
            outputs.append(.firstReceived)
        }
        switch reception {
        case .restarted, .ssrcChanged: digits.restart()
        default: break
        }
        guard reception.isPlayable else { return }
        if digits.receive(payload, header: header, at: now) {
            pump(at: now)
            return
        }
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
                transport.unknownSourceDropped += 1
                return
            }
            copy(datagram)
            do throws(SRTPError) {
                let length = try keys.inbound.unprotectRTCP(scratch, length: datagram.byteCount)
                if transport.component == 2 { latch(transport, from: from) }
                rtp.receiveRTCP(UnsafeRawBufferPointer(rebasing: scratch[..<length]).bytes, at: now)
            } catch {
                transport.unprotectErrors += 1
            }
        } else if transport.isPlain {
            guard admitsPlainControl(from, transport) else {
                transport.unknownSourceDropped += 1
                return
            }
            if transport.component == 2 { latch(transport, from: from) }
            rtp.receiveRTCP(datagram, at: now)
        } else {
            transport.noKeyDropped += 1
        }
    }

    // MARK: out

    /// Sends what the audio thread encoded since the last time.
    func sendEncoded(at now: Instant) {
        guard let port else { return }
        while port.popEncoded({ header, payload, _ in send(header, payload, at: now) }) {}
    }

    private func send(_ frame: EncodedAudioHeader, _ payload: UnsafeRawBufferPointer, at now: Instant) {
        guard let transport = transports[1], let route = transport.route, transport.isReady else { return }
        if isAnswered, let event = digits.next(timestamp: frame.timestamp) {
            let header = rtp.willSend(
                payloadType: event.payloadType, payloadLength: TelephoneEvent.length, timestamp: event.timestamp, marker: event.packet.marker, at: now
            )
            event.packet.event.payload.withUnsafeBytes { sendRTP(header, $0, transport, route) }
            if let completed = event.packet.completed { outputs.append(.digit(completed.digit, durationMs: completed.durationMs, .outgoing)) }
            return
        }
        let header = rtp.willSend(
            payloadType: frame.payloadType, payloadLength: payload.count, timestamp: frame.timestamp, marker: frame.marker, at: now)
        sendRTP(header, payload, transport, route)
    }

    private func sendRTP(_ header: RTPHeader, _ payload: UnsafeRawBufferPointer, _ transport: MediaTransport, _ route: MediaTransport.Route) {
        guard RTPHeader.fixedLength + payload.count + 64 <= scratch.count else { return }
        header.write(into: scratch)
        UnsafeMutableRawBufferPointer(rebasing: scratch[RTPHeader.fixedLength...]).copyMemory(from: payload)
        var length = RTPHeader.fixedLength + payload.count
        if let keys = transport.keys {
            guard let protected = try? keys.outbound.protectRTP(scratch, length: length) else { return }
            length = protected
        }
        outputs.append(.transmit(Transmit(payload: Array(scratch[..<length]), source: route.base, destination: route.remote)))
        if !hasSent {
            hasSent = true
            outputs.append(.firstSent)
        }
    }

    /// RTCP goes by its own transport, or by RTP's when muxed.
    func pumpControl(at now: Instant) {
        while let output = rtp.poll() {
            guard case .transmit(let compound) = output else { continue }
            guard let transport = transports[2] ?? transports[1], let route = transport.route, transport.isReady else { continue }
            var bytes = compound
            if let keys = transport.keys {
                guard (try? keys.outbound.protectRTCP(&bytes)) != nil else { continue }
            }
            outputs.append(.transmit(Transmit(payload: bytes, source: route.base, destination: route.remote)))
        }
    }
}
