import Audio
import Codecs
import Core
import ICE
import Interface
import RTP
import SDP
import Secure

/// What offer and answer came to, taken into force: transports, security and codecs.
extension MediaSession {
    func adopt(_ media: NegotiatedMedia, replacing old: NegotiatedMedia?, at now: Instant) {
        let changes = old.map { media.changes(since: $0) } ?? [.ice, .dtls, .sdes, .security, .address, .codecs, .rtcpMux, .direction]
        let components = media.rtcpMux || base(component: 2) == nil ? 1 : 2
        for component in 1...components where transports[component] == nil { transports[component] = MediaTransport(component: component) }
        if components == 1, let second = transports.removeValue(forKey: 2) { second.close(at: now) }

        // At the first description there is nothing to forget, and a ClientHello that came before it is kept.
        if old != nil, changes.contains(.security) || changes.contains(.dtls) {
            for transport in transports.sorted(by: { $0.key < $1.key }).map(\.value) {
                transport.close(at: now)
                flush(transport, at: now)
                transport.reset()
            }
        }
        if let remote = media.ice {
            // Other credentials and another identity: another peer, e.g. the fork that answered. Nothing of the former one's is taken any more.
            if old?.ice != nil, changes.contains(.ice), !changes.isDisjoint(with: [.dtls, .sdes, .security]) {
                ice?.handle(.changePeer(ufrag: remote.ufrag), at: now)
                for transport in transports.values { transport.setRoute(nil) }
            }
            remoteNamesIgnored = remote.candidates.count(where: \.isMDNS)
            ice?.handle(.setComponents(components), at: now)
            ice?.handle(
                .setRemote(
                    IceCredentials(ufrag: remote.ufrag, pwd: remote.pwd), candidates: remote.candidates.compactMap(IceCandidate.init),
                    isLite: remote.isLite),
                at: now)
            if remote.endOfCandidates { ice?.handle(.endOfRemoteCandidates, at: now) }
        } else {
            dropIce(at: now)
            if environment.configuration.icePolicy == .relay {
                outputs.append(.warning("relay-unavailable", "the peer does not take part in ICE: no media, since only a relay may be used"))
            } else if changes.contains(.address) || old == nil {
                let remotes = [1: media.remoteAddress, 2: media.remoteRTCPAddress]
                for (component, transport) in transports {
                    guard let base = base(component: component), let remote = remotes[component] ?? nil else { continue }
                    transport.setRoute(MediaTransport.Route(base: base, remote: remote))
                }
            }
        }
        applyEarlyFragments(at: now)
        adoptSecurity(media, at: now)
        adoptCodecs(media, isFirst: old == nil)
        applyControls()
        pump(at: now)
    }

    private func adoptSecurity(_ media: NegotiatedMedia, at now: Instant) {
        switch media.security {
        case .none: for transport in transports.values { transport.setPlain() }
        case .sdes:
            guard let pair = media.sdes.flatMap(SRTPKeyPair.init) else {
                outputs.append(.dtlsFailed(.library(reason: "the SDES keys cannot be used")))
                return
            }
            do throws(SRTPError) {
                let keys = try sdes.keys(for: pair)
                for transport in transports.values { transport.setKeys(keys) }
            } catch {
                outputs.append(.dtlsFailed(.library(reason: "SRTP keys: \(error)")))
            }
        case .dtls: for transport in transports.sorted(by: { $0.key < $1.key }).map(\.value) { startDTLS(transport, at: now) }
        }
    }

    /// Starts as soon as there is a route and an answer; a no-op otherwise.
    func startDTLS(_ transport: MediaTransport, at now: Instant) {
        guard transport.dtlsState == nil, !transport.isReady, transport.route != nil, let association = makeAssociation(at: now) else { return }
        transport.start(association, at: now) { isKnown($0, transport) }
    }

    func makeAssociation(at now: Instant) -> DTLSAssociation? {
        guard let parameters = negotiated?.dtls else { return nil }
        var configuration = environment.configuration.dtls
        configuration.limit = environment.configuration.dtlsTimeout + (isAnswered ? .zero : patience)
        let association = DTLSAssociation(
            role: parameters.role == .active ? .client : .server, identity: environment.identity, configuration: configuration,
            clock: environment.dtlsClock)
        let fingerprints = parameters.fingerprints.compactMap { signalled in
            FingerprintAlgorithm(token: signalled.algorithm).flatMap { CertificateFingerprint(algorithm: $0, bytes: signalled.bytes) }
        }
        association.expect(
            fingerprints: fingerprints, policy: FingerprintPolicy(allowsSHA1: describer.quirks.acceptsSHA1Fingerprint), at: now)
        return association
    }

    private func adoptCodecs(_ media: NegotiatedMedia, isFirst: Bool) {
        var rates: [UInt8: UInt32] = [:]
        var receive: [UInt8: AudioCodecKind] = [:]
        for codec in media.codecs {
            rates[codec.receivePayloadType] = UInt32(clamping: codec.clockRate)
            rates[codec.sendPayloadType] = UInt32(clamping: codec.clockRate)
            if let kind = AudioCodecKind(encodingName: codec.name) { receive[codec.receivePayloadType] = kind }
        }
        var events: Set<UInt8> = []
        for event in media.dtmf { events.formUnion([event.sendPayloadType, event.receivePayloadType]) }
        if isFirst {
            // Nothing was sent or received before the first description; the profile decides how often reports go.
            rtp = RTPSession(
                configuration: RTPSession.Configuration(
                    cname: describer.cname, ssrc: describer.ssrc, isAVPF: media.isAVPF, reducedSize: media.rtcpRsize, clockRates: rates,
                    // Feedback about video goes with audio's reports.
                    eventPayloadTypes: events, bandwidth: describer.negotiatedVideo == nil ? 64_000 : 1_500_000,
                    senderBandwidth: media.remoteBandwidth.rtcpSenders.map { Int(clamping: $0) },
                    receiverBandwidth: media.remoteBandwidth.rtcpReceivers.map { Int(clamping: $0) }, extensions: RTPExtensionMap(media),
                    mid: media.mid, transportFeedback: media.transportCCFeedback, xrReceiverReferenceTime: media.xr.rcvrRTT,
                    xrVoIPMetrics: media.xr.voipMetrics), random: environment.random, clock: environment.ntp)
        } else {
            rtp.setPayloadTypes(clockRates: rates, events: events)
            rtp.setExtensions(RTPExtensionMap(media))
            rtp.setMID(media.mid)
        }

        writesLevel = media.extensions.audioLevel != nil
        let send = media.codecs.first.flatMap { codec in
            AudioCodecKind(encodingName: codec.name).map { AudioStreamFormat.Send(codec: $0, payloadType: codec.sendPayloadType) }
        }
        let format = AudioStreamFormat(send: send, receive: receive)
        if let port {
            try? port.setFormat(format)
        } else if let port = try? AudioStreamPort(format: format) {
            self.port = port
            outputs.append(.attach(port))
        }
        digits.adopt(media)
    }

    func applyControls() {
        guard let port, let media = negotiated else { return }
        port.sendEnabled = media.localDirection.sends && audioBridge != .passing
        port.receiveEnabled = media.localDirection.receives && audioBridge != .passing
        port.isMuted = isMuted || !isAnswered
        port.isHeld = !describer.direction.receives
        port.sendAllowed = transports[1]?.isReady == true && transports[1]?.route != nil
    }
}

extension RTPExtensionMap {
    /// The numbers are the same in both directions (RFC 8285 §6); one that only the peer writes is read as well.
    init(_ media: NegotiatedMedia) {
        let (ours, theirs) = (media.extensions, media.receivedExtensions)
        self.init(
            mid: ours.mid?.id ?? theirs.mid?.id, transportSequence: ours.transportCC ?? theirs.transportCC,
            audioLevel: ours.audioLevel ?? theirs.audioLevel)
    }
}
