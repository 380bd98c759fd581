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
            let pairs = ice.pairs.filter { $0.component == transport.component }
            out.pairs = pairs.map(CandidatePairStatistics.init)
            let route = transport.route
            let selected =
                pairs.first { $0.nominated && $0.local.base == route?.base && $0.remote.address == route?.remote }
                ?? pairs.first { $0.local.base == route?.base && $0.remote.address == route?.remote }
            out.selectedCandidatePair = selected.map(CandidatePairStatistics.init)
        }
        if negotiated?.security == .dtls {
            out.dtlsState = (transport.dtlsState ?? .new).rawValue
            out.dtlsRole = transport.association?.role.rawValue ?? (negotiated?.dtls?.role == .active ? "client" : "server")
            let own = environment.identity.fingerprint(.sha256)
            out.localFingerprint = FingerprintStatistics(algorithm: own.algorithm.rawValue, value: own.value, verified: true)
            if let negotiated = transport.keys?.negotiated {
                out.tlsVersion = negotiated.tlsVersion
                out.dtlsCipher = negotiated.dtlsCipher
                out.remoteFingerprint = FingerprintStatistics(
                    algorithm: negotiated.remoteFingerprint.algorithm.rawValue, value: negotiated.remoteFingerprint.value, verified: true)
            } else if let signalled = negotiated?.dtls?.fingerprints.first {
                let value = signalled.description.split(separator: " ").last.map(String.init) ?? ""
                out.remoteFingerprint = FingerprintStatistics(algorithm: signalled.algorithm, value: value, verified: false)
            }
        }
        out.srtpCipher = transport.keys?.profile.rawValue
        out.unknownSourceDropped = transport.unknownSourceDropped
        return out
    }

    var streamStatistics: [StreamStatistics] {
        guard let media = negotiated, let codec = media.codecs.first else { return [] }
        let rtp = rtp.statistics
        let audio = port?.statistics
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
        outbound.audioLevelDbov = hasSent ? audio?.sentLevelDbov : nil
        return [
            StreamStatistics(
                kind: media.kind.rawValue, codec: codec.name, clockRate: codec.clockRate, direction: media.localDirection.rawValue,
                inbound: inbound, outbound: outbound)
        ]
    }
}

extension CandidatePairStatistics {
    init(_ pair: IcePairSnapshot) {
        self.init(
            local: CandidateDescription(pair.local), remote: CandidateDescription(pair.remote), state: pair.state.rawValue, nominated: pair.nominated,
            currentRoundTripTimeMs: pair.currentRoundTripTime?.milliseconds)
    }
}

extension CandidateDescription {
    init(_ candidate: IceCandidate) {
        self.init(
            candidateType: candidate.kind.rawValue, address: candidate.address.ip.description, port: candidate.address.port,
            protocol: candidate.protocol.rawValue)
    }
}
