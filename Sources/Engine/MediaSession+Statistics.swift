import Audio
import Core
import ICE
import Interface
import RTP
import SDP
import Secure

/// The figures of one call, under W3C's names. What is not known stays nil.
extension MediaSession {
    var transportStatistics: [TransportStatistics] {
        transports.keys.sorted().compactMap { component in transports[component].map { statistics(of: $0) } }
    }

    private func statistics(of transport: MediaTransport) -> TransportStatistics {
        var out = TransportStatistics(
            component: transport.component == 1 ? "rtp" : "rtcp", rtcpMux: transports.count == 1 && negotiated?.rtcpMux == true)
        if let ice {
            out.iceState = ice.state.rawValue
            out.iceRole = ice.role.rawValue
            out.remoteNamesIgnored = remoteNamesIgnored
            let pairs = ice.pairs.filter { $0.component == transport.component }
            out.pairs = pairs.map(CandidatePairStatistics.init)
            out.localCandidates = ice.localCandidates.filter { $0.component == transport.component }.map(CandidateDescription.init)
            out.remoteCandidates = ice.remoteCandidates.filter { $0.component == transport.component }.map(CandidateDescription.init)
            let route = transport.route
            let selected =
                pairs.first { $0.nominated && $0.local.base == route?.base && $0.remote.address == route?.remote }
                ?? pairs.first { $0.local.base == route?.base && $0.remote.address == route?.remote }
            out.selectedCandidatePair = selected.map(CandidatePairStatistics.init)
        }
        if negotiated?.security == .dtls {
            out.dtlsState = (transport.dtlsState ?? .new).rawValue
            out.dtlsRole = transport.association?.role.rawValue ?? (negotiated?.dtls?.role == .active ? "client" : "server")
            out.srtpProfilesOffered = transport.association?.profilesOffered
            let own = environment.identity.fingerprint(.sha256)
            out.localFingerprint = FingerprintStatistics(algorithm: own.algorithm.rawValue, value: own.value, verified: true)
            if let negotiated = transport.keys?.negotiated {
                out.tlsVersion = negotiated.tlsVersion
                out.dtlsCipher = negotiated.dtlsCipher
                out.remoteFingerprint = FingerprintStatistics(
                    algorithm: negotiated.remoteFingerprint.algorithm.rawValue, value: negotiated.remoteFingerprint.value, verified: true)
                out.remoteFingerprint?.isWeak = negotiated.remoteFingerprint.algorithm.isWeak
            } else if let signalled = negotiated?.dtls?.fingerprints.first {
                let value = signalled.description.split(separator: " ").last.map(String.init) ?? ""
                out.remoteFingerprint = FingerprintStatistics(algorithm: signalled.algorithm, value: value, verified: false)
            }
        }
        if video != nil, transport.component == 1 || transports.count == 1 { out.media.append("video") }
        out.srtpCipher = transport.keys?.profile.rawValue
        out.dtlsFlights = transport.flights.entries.map { entry in
            DTLSFlightStatistics(
                timeMs: zero.map { (entry.at.milliseconds(since: $0) * 10).rounded() / 10 }, isSent: entry.isSent, messages: entry.summary.messages,
                bytes: entry.bytes, isRepeated: entry.isRepeated)
        }
        out.packetsSent = transport.sent.packets
        out.bytesSent = transport.sent.bytes
        out.packetsReceived = transport.received.packets
        out.bytesReceived = transport.received.bytes
        out.dropped = transport.dropped
        return out
    }

    var streamStatistics: [StreamStatistics] {
        guard let media = negotiated, let codec = media.codecs.first else { return [] }
        let rtp = rtp.statistics
        // What passes through to another call is neither decoded nor encoded here: there is no play-out to have figures of.
        let audio = audioBridge == .passing ? nil : port?.statistics
        var inbound = InboundStatistics()
        inbound.unprotectErrors = transports.values.reduce(0) { $0 + $1.unprotectErrors }
        if let received = rtp.inbound {
            inbound.ssrc = received.ssrc
            inbound.packetsReceived = received.packetsReceived
            inbound.packetsLost = received.packetsLost
            inbound.bytesReceived = received.bytesReceived
            inbound.jitterMs = received.jitterMs
            inbound.nackCount = received.nackCount
            inbound.pliCount = received.pliCount
            inbound.jitterBufferDelayMs = audio?.jitterBufferDelayMs
            inbound.concealedSamples = audio.map { Int(clamping: $0.concealedSamples) }
            inbound.totalSamplesReceived = audio.map { Int(clamping: $0.totalSamplesReceived) }
            inbound.audioLevelDbov = audio?.receivedLevelDbov
        }
        var outbound = OutboundStatistics(ssrc: rtp.outbound.ssrc)
        outbound.packetsSent = rtp.outbound.packetsSent
        outbound.bytesSent = rtp.outbound.bytesSent
        outbound.roundTripTimeMs = rtp.outbound.roundTripTimeMs
        outbound.remotePacketsLost = rtp.outbound.remotePacketsLost
        outbound.remoteJitterMs = rtp.outbound.remoteJitterMs
        outbound.audioLevelDbov = audioFlow.hasSent ? audio?.sentLevelDbov : nil
        let stream = StreamStatistics(
            kind: media.kind.rawValue, codec: codec.name, clockRate: codec.clockRate, direction: media.localDirection.rawValue,
            inbound: inbound, outbound: outbound)
        return [stream] + (videoStatistics.map { [$0] } ?? [])
    }

    private var videoStatistics: StreamStatistics? {
        guard let media = describer.negotiatedVideo, let codec = media.codecs.first, let figures = video?.statistics else { return nil }
        var inbound = InboundStatistics()
        var pictures = InboundVideoStatistics()
        if let received = figures.inbound {
            inbound.ssrc = received.ssrc
            inbound.packetsReceived = received.packetsReceived
            inbound.packetsLost = received.packetsLost
            inbound.bytesReceived = received.bytesReceived
            inbound.jitterMs = received.jitterMs
            inbound.nackCount = received.nackCount
            inbound.pliCount = received.pliCount
        }
        pictures.firCount = figures.firSent
        pictures.framesReceived = figures.framesReceived
        pictures.keyFramesReceived = figures.keyFramesReceived
        pictures.framesDropped = figures.framesDropped
        pictures.frameWidth = figures.frameWidth
        pictures.frameHeight = figures.frameHeight
        pictures.retransmittedPacketsReceived = figures.retransmittedPacketsReceived
        pictures.packetsDiscarded = figures.packetsDiscarded
        inbound.video = pictures
        var outbound = OutboundStatistics(ssrc: figures.outbound.ssrc)
        outbound.packetsSent = figures.outbound.packetsSent
        outbound.bytesSent = figures.outbound.bytesSent
        outbound.roundTripTimeMs = figures.outbound.roundTripTimeMs
        outbound.remotePacketsLost = figures.outbound.remotePacketsLost
        outbound.remoteJitterMs = figures.outbound.remoteJitterMs
        var sent = OutboundVideoStatistics()
        sent.nackCount = figures.outbound.nackCount
        sent.pliCount = figures.outbound.pliCount
        sent.firCount = figures.outbound.firCount
        sent.framesSent = figures.framesSent
        sent.keyFramesSent = figures.keyFramesSent
        sent.retransmittedPacketsSent = figures.retransmittedPacketsSent
        sent.maximumBitrateBps = figures.maximumBitrate.map { Int(clamping: $0) }
        outbound.video = sent
        return StreamStatistics(
            kind: media.kind.rawValue, codec: codec.name, clockRate: codec.clockRate, direction: media.localDirection.rawValue, inbound: inbound,
            outbound: outbound)
    }
}

extension CandidatePairStatistics {
    init(_ pair: IcePairSnapshot) {
        self.init(
            local: CandidateDescription(pair.local), remote: CandidateDescription(pair.remote), state: pair.state.rawValue, nominated: pair.nominated,
            currentRoundTripTimeMs: pair.currentRoundTripTime?.milliseconds)
        requestsSent = pair.requestsSent
        responsesReceived = pair.responsesReceived
        requestsReceived = pair.requestsReceived
        responsesSent = pair.responsesSent
        consentRequestsSent = pair.consentRequestsSent
    }
}

extension CandidateDescription {
    init(_ candidate: IceCandidate) {
        self.init(
            candidateType: candidate.kind.rawValue, address: candidate.address.ip.description, port: candidate.address.port,
            protocol: candidate.protocol.rawValue, priority: candidate.priority, relatedAddress: candidate.relatedAddress?.ip.description,
            relatedPort: candidate.relatedAddress?.port)
    }
}

extension MediaSession {
    /// Tells the RTP session how play-out goes, for VoIP metrics (RFC 3611 §4.7).
    func tellConditions() {
        guard audioBridge != .passing, let codec = negotiated?.codecs.first, let audio = port?.statistics, audioFlow.hasReceived else { return }
        // The buffer's own limit.
        let longest = Duration.nanoseconds(JitterBuffer.greatestDelay).milliseconds
        let isG711 = codec.name.uppercased() == "PCMU" || codec.name.uppercased() == "PCMA"
        rtp.setConditions(
            VoIPConditions(
                // There are no published constants for Opus and G.722: their rating stays unknown.
                codec: isG711 ? .g711Concealed : nil, concealment: .standard, isAdaptive: true,
                packetsDiscarded: Int(clamping: audio.discardedPackets &+ audio.latePackets),
                jitterBufferNominalMs: audio.jitterBufferTargetDelayMs, jitterBufferMaximumMs: audio.jitterBufferDelayMs ?? 0,
                jitterBufferAbsoluteMaximumMs: longest, signalLevel: Self.level(audio.receivedLevelDbov)))
    }

    /// dBm0 of a level in dBov: full scale of G.711 is 3.17 dBm0 above the reference (ITU-T G.711), a sine of full scale is −3.01 dBov.
    private static func level(_ dbov: Double) -> Int8? { dbov <= -127 ? nil : Int8(exactly: (dbov + 6.18).rounded()) }
}
