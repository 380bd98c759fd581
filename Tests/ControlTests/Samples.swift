import Interface

/// The call of the outside contract's result example.
enum Samples {
    static let time = WallTime(milliseconds: 1_795_420_931_123)
    static let id = CallID(1)

    static let pair = CandidatePairStatistics(
        local: CandidateDescription(candidateType: "host", address: "192.0.2.1", port: 40_000),
        remote: CandidateDescription(candidateType: "prflx", address: "192.0.2.7", port: 40_002), state: "succeeded", nominated: true,
        currentRoundTripTimeMs: 0.4)

    static var transport: TransportStatistics {
        var out = TransportStatistics(component: "rtp", rtcpMux: true)
        out.iceState = "completed"
        out.iceRole = "controlling"
        out.selectedCandidatePair = pair
        out.pairs = [pair]
        out.dtlsState = "connected"
        out.dtlsRole = "client"
        out.tlsVersion = "FEFD"
        out.dtlsCipher = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        out.srtpCipher = "AEAD_AES_128_GCM"
        out.remoteFingerprint = FingerprintStatistics(algorithm: "sha-256", value: "AB:CD", verified: true)
        return out
    }

    static var stream: StreamStatistics {
        var inbound = InboundStatistics()
        inbound.ssrc = .max
        inbound.packetsReceived = 500
        inbound.packetsLost = -2
        inbound.bytesReceived = 40_000
        inbound.jitterMs = 0.2
        inbound.jitterBufferDelayMs = 40
        inbound.concealedSamples = 0
        inbound.totalSamplesReceived = 480_000
        inbound.audioLevelDbov = -20.1
        var outbound = OutboundStatistics(ssrc: 2)
        outbound.packetsSent = 501
        outbound.bytesSent = 40_001
        outbound.roundTripTimeMs = 0.5
        outbound.remotePacketsLost = 0
        outbound.remoteJitterMs = 0.1
        return StreamStatistics(kind: "audio", codec: "opus", clockRate: 48_000, direction: "sendrecv", inbound: inbound, outbound: outbound)
    }

    static var result: CallResult {
        var out = CallResult(call: id, outcome: .answered, remoteUri: "sip:bob@192.0.2.7:5080", endedBy: "local")
        out.security = .dtls
        out.securityOffered = .dtls
        out.status = 200
        out.reason = "OK"
        out.setup.ringingMs = 3
        out.setup.answeredMs = 12
        out.setup.iceConnectedMs = 15
        out.setup.dtlsConnectedMs = 22
        out.setup.firstMediaReceivedMs = 25
        out.setup.firstMediaSentMs = 23
        out.transports = [transport]
        out.streams = [stream]
        return out
    }
}
