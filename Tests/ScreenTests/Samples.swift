import Interface

@testable import Screen

/// Phones in known states, for pictures.
enum Samples {
    static let start = WallTime(milliseconds: 1_795_420_931_000)

    static func after(seconds: Int64) -> WallTime { WallTime(milliseconds: start.milliseconds + seconds * 1000) }

    static func idle() -> Snapshot {
        var snapshot = Snapshot(time: start)
        snapshot.listening = ["udp:0.0.0.0:5060"]
        snapshot.accounts = [
            AccountSnapshot(id: AccountID("home"), uri: "sip:alice@example.com", state: .registered, status: 200, expiresSeconds: 300)
        ]
        snapshot.audio.input = "alsa:default"
        snapshot.audio.output = "alsa:default"
        snapshot.audio.inputs = ["alsa:default", "alsa:hw:0", "null"]
        snapshot.audio.outputs = ["alsa:default", "null"]
        return snapshot
    }

    static func incoming() -> Snapshot {
        var snapshot = idle()
        snapshot.time = after(seconds: 3)
        var call = CallSnapshot(id: CallID(1), direction: .incoming, state: .ringing, remoteUri: "sip:bob@192.0.2.7:5080", startedAt: start)
        call.displayName = "Bob Smith"
        call.security = .dtls
        snapshot.calls = [call]
        return snapshot
    }

    static func transport(_ component: String, mux: Bool, port: UInt16) -> TransportStatistics {
        var transport = TransportStatistics(component: component, rtcpMux: mux)
        transport.iceState = "completed"
        transport.iceRole = "controlling"
        transport.selectedCandidatePair = CandidatePairStatistics(
            local: CandidateDescription(candidateType: "host", address: "192.0.2.1", port: port),
            remote: CandidateDescription(candidateType: "prflx", address: "192.0.2.7", port: port + 2), state: "succeeded", nominated: true,
            currentRoundTripTimeMs: 0.42)
        transport.dtlsState = "connected"
        transport.dtlsRole = "client"
        transport.tlsVersion = "FEFD"
        transport.dtlsCipher = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        transport.srtpCipher = "AEAD_AES_128_GCM"
        transport.remoteFingerprint = FingerprintStatistics(
            algorithm: "sha-256", value: (0..<32).map { "A\($0 % 10)" }.joined(separator: ":"), verified: true)
        return transport
    }

    static func audio(codec: String = "opus", clockRate: Int = 48000) -> StreamStatistics {
        var inbound = InboundStatistics()
        inbound.packetsReceived = 500
        inbound.packetsLost = 3
        inbound.jitterMs = 0.21
        inbound.jitterBufferDelayMs = 40
        inbound.concealedSamples = 960
        inbound.totalSamplesReceived = 480_000
        inbound.audioLevelDbov = -20.1
        var outbound = OutboundStatistics(ssrc: 2)
        outbound.packetsSent = 501
        outbound.roundTripTimeMs = 0.5
        outbound.remotePacketsLost = 0
        outbound.remoteJitterMs = 0.1
        outbound.audioLevelDbov = -12
        return StreamStatistics(kind: "audio", codec: codec, clockRate: clockRate, direction: "sendrecv", inbound: inbound, outbound: outbound)
    }

    static func dtlsCall() -> CallSnapshot {
        var call = CallSnapshot(id: CallID(1), direction: .outgoing, state: .media, remoteUri: "sip:bob@192.0.2.7:5080", startedAt: start)
        call.answeredAt = after(seconds: 2)
        call.displayName = "Bob Smith"
        call.security = .dtls
        call.setup.ringingMs = 3
        call.setup.answeredMs = 12.4
        call.setup.iceConnectedMs = 15
        call.setup.dtlsConnectedMs = 22
        call.setup.firstMediaReceivedMs = 25
        call.setup.firstMediaSentMs = 23
        call.transports = [transport("rtp", mux: true, port: 40000)]
        call.streams = [audio()]
        call.digitsSent = "12#"
        return call
    }

    /// The whole of a transport: two candidates a side, three pairs, a handshake with a repeated flight, some packets dropped.
    static func transportCall() -> Snapshot {
        var snapshot = connected()
        var transport = transport("rtp", mux: true, port: 40000)
        var host = CandidateDescription(candidateType: "host", address: "192.0.2.1", port: 40000)
        host.priority = 2_130_706_431
        let relay = CandidateDescription(
            candidateType: "relay", address: "203.0.113.5", port: 51000, priority: 16_777_215, relatedAddress: "198.51.100.8", relatedPort: 40000)
        let theirs = CandidateDescription(candidateType: "prflx", address: "192.0.2.7", port: 40002, priority: 1_862_270_975)
        let six = CandidateDescription(candidateType: "host", address: "2001:db8::7", port: 40002, priority: 2_130_706_430)
        transport.localCandidates = [host, relay]
        transport.remoteCandidates = [six, theirs]
        for (index, state) in ["succeeded", "failed", "in-progress"].enumerated() {
            var pair = CandidatePairStatistics(
                local: index == 0 ? host : relay, remote: index == 1 ? six : theirs, state: state, nominated: index == 0,
                currentRoundTripTimeMs: index == 0 ? 0.42 : nil)
            pair.requestsSent = 5 + index
            pair.responsesReceived = index == 0 ? 5 : 0
            pair.requestsReceived = 2
            pair.responsesSent = 2
            pair.consentRequestsSent = index == 0 ? 14 : 0
            transport.pairs.append(pair)
        }
        transport.dtlsFlights = [
            DTLSFlightStatistics(timeMs: 15.1, isSent: true, messages: ["ClientHello"], bytes: 187, isRepeated: false),
            DTLSFlightStatistics(timeMs: 65.3, isSent: true, messages: ["ClientHello"], bytes: 187, isRepeated: true),
            DTLSFlightStatistics(
                timeMs: 66, isSent: false, messages: ["ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone"],
                bytes: 663, isRepeated: false),
            DTLSFlightStatistics(
                timeMs: 67.2, isSent: true, messages: ["Certificate", "ClientKeyExchange", "CertificateVerify", "ChangeCipherSpec", "Finished"],
                bytes: 545, isRepeated: false),
            DTLSFlightStatistics(timeMs: 68, isSent: false, messages: ["ChangeCipherSpec", "Finished"], bytes: 75, isRepeated: false),
        ]
        transport.srtpProfilesOffered = ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"]
        transport.localFingerprint = FingerprintStatistics(
            algorithm: "sha-256", value: (0..<32).map { "B\($0 % 10)" }.joined(separator: ":"), verified: true)
        transport.packetsSent = 530
        transport.bytesSent = 62_100
        transport.packetsReceived = 521
        transport.bytesReceived = 61_000
        transport.dropped.replay = 2
        transport.dropped.unknownSource = 1
        snapshot.calls[0].transports = [transport]
        return snapshot
    }

    static func connected() -> Snapshot {
        var snapshot = idle()
        snapshot.time = after(seconds: 74)
        snapshot.calls = [dtlsCall()]
        snapshot.focused = CallID(1)
        snapshot.notice = Notice(severity: .warning, code: "no-card", message: "no sound card: using null", time: start)
        return snapshot
    }

    /// A call with a picture that comes.
    static func video() -> Snapshot {
        var snapshot = connected()
        snapshot.calls[0].hasVideo = true
        var inbound = InboundStatistics()
        inbound.packetsReceived = 900
        inbound.packetsLost = 0
        inbound.bytesReceived = 1_000_000
        inbound.video = InboundVideoStatistics()
        inbound.video?.framesReceived = 300
        inbound.video?.keyFramesReceived = 2
        inbound.video?.frameWidth = 640
        inbound.video?.frameHeight = 480
        snapshot.calls[0].streams.append(
            StreamStatistics(
                kind: "video", codec: "VP8", clockRate: 90000, direction: "sendrecv", inbound: inbound, outbound: OutboundStatistics(ssrc: 3)))
        return snapshot
    }

    /// Without rtcp-mux and without fingerprints: two transports.
    static func noMux() -> Snapshot {
        var snapshot = connected()
        snapshot.calls[0].transports = [transport("rtp", mux: false, port: 40000), transport("rtcp", mux: false, port: 40001)]
        return snapshot
    }

    static func sdes() -> Snapshot {
        var snapshot = idle()
        snapshot.time = after(seconds: 3700)
        var call = CallSnapshot(id: CallID(4), direction: .outgoing, state: .media, remoteUri: "sip:carol@198.51.100.9", startedAt: start)
        call.answeredAt = start
        call.security = .sdes
        call.keysInClear = true
        call.securityDowngraded = true
        call.isMuted = true
        var plain = TransportStatistics(component: "rtp", rtcpMux: false)
        plain.srtpCipher = "AES_CM_128_HMAC_SHA1_80"
        call.transports = [plain]
        var stream = audio(codec: "PCMU", clockRate: 8000)
        stream.inbound.packetsLost = nil
        stream.inbound.audioLevelDbov = nil
        stream.outbound.roundTripTimeMs = nil
        call.streams = [stream]
        snapshot.calls = [call]
        snapshot.focused = CallID(4)
        return snapshot
    }

    /// One up, one on hold, one that rings.
    static func several() -> Snapshot {
        var snapshot = connected()
        var held = CallSnapshot(id: CallID(2), direction: .outgoing, state: .held, remoteUri: "sip:dave@example.net", startedAt: start)
        held.answeredAt = start
        held.heldBy = .local
        held.security = SecurityMode.none
        var ringing = CallSnapshot(
            id: CallID(3), direction: .incoming, state: .ringing, remoteUri: "sip:erin@example.org", startedAt: after(seconds: 70))
        ringing.security = .sdes
        snapshot.calls += [held, ringing]
        return snapshot
    }

    static func withHistory() -> Snapshot {
        var snapshot = idle()
        let outcomes: [Outcome] = [.answered, .busy, .noAnswer, .dtlsFailed, .interruptedBySIGTERM]
        snapshot.history = (0..<50).map { index in
            HistoryEntry(
                direction: index % 2 == 0 ? .outgoing : .incoming, remoteUri: "sip:user\(index)@example.com",
                displayName: index % 3 == 0 ? "User \(index)" : nil,
                startedAt: after(seconds: Int64(-3600 * index)), durationSeconds: index % 5 == 0 ? 61 * index : nil, outcome: outcomes[index % 5])
        }
        return snapshot
    }

    /// Names that are long, wide, combining, and hostile.
    static func names() -> Snapshot {
        var snapshot = connected()
        snapshot.calls[0].displayName = "山田太郎さん東京都千代田区丸の内一丁目九番一号株式会社長い名前"
        snapshot.calls[0].remoteUri = "sip:" + String(repeating: "very.long.user.", count: 12) + "@example.com"
        var second = CallSnapshot(id: CallID(9), direction: .incoming, state: .ringing, remoteUri: "sip:x@example.com", startedAt: start)
        second.displayName = "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{1B}[31m한국어 👩‍👩‍👧 \u{202E}evil\u{7}"
        second.security = .dtls
        snapshot.calls.append(second)
        snapshot.accounts[0].uri = "sip:日本語ユーザー名がとても長い場合@example.com"
        return snapshot
    }
}
