import Interface

/// ICE, DTLS and what was dropped, as JSON.
extension JSONLines {
    static func transport(_ transport: TransportStatistics) -> JSONValue {
        .object([
            ("component", .string(transport.component)), ("media", .array(transport.media.map { .string($0) })),
            ("iceState", .string(transport.iceState)), ("iceRole", JSONValue(transport.iceRole)),
            ("selectedCandidatePair", transport.selectedCandidatePair.map(pair) ?? .null),
            ("localCandidates", .array(transport.localCandidates.map(listed))), ("remoteCandidates", .array(transport.remoteCandidates.map(listed))),
            ("pairs", .array(transport.pairs.map(pair))), ("remoteNamesIgnored", JSONValue(transport.remoteNamesIgnored)),
            ("dtlsState", .string(transport.dtlsState)), ("dtlsRole", JSONValue(transport.dtlsRole)), ("tlsVersion", JSONValue(transport.tlsVersion)),
            ("dtlsCipher", JSONValue(transport.dtlsCipher)), ("dtlsFlights", .array(transport.dtlsFlights.map(flight))),
            ("srtpCipher", JSONValue(transport.srtpCipher)),
            ("srtpProfilesOffered", transport.srtpProfilesOffered.map { .array($0.map { .string($0) }) } ?? .null),
            ("rtcpMux", .bool(transport.rtcpMux)),
            ("localFingerprint", fingerprint(transport.localFingerprint)), ("remoteFingerprint", fingerprint(transport.remoteFingerprint)),
            ("packetsSent", JSONValue(transport.packetsSent)), ("packetsReceived", JSONValue(transport.packetsReceived)),
            ("bytesSent", JSONValue(transport.bytesSent)), ("bytesReceived", JSONValue(transport.bytesReceived)),
            ("dropped", dropped(transport.dropped)),
        ])
    }

    static func fingerprint(_ fingerprint: FingerprintStatistics?) -> JSONValue {
        guard let fingerprint else { return .null }
        var members: [(String, JSONValue)] = [
            ("algorithm", .string(fingerprint.algorithm)), ("value", .string(fingerprint.value)), ("verified", .bool(fingerprint.verified)),
        ]
        if fingerprint.isWeak { members.append(("weak", .bool(true))) }
        return .object(members)
    }

    static func pair(_ pair: CandidatePairStatistics) -> JSONValue {
        .object([
            ("local", .object(candidate(pair.local))), ("remote", .object(candidate(pair.remote))), ("state", .string(pair.state)),
            ("nominated", .bool(pair.nominated)), ("currentRoundTripTimeMs", JSONValue(pair.currentRoundTripTimeMs)),
            ("requestsSent", JSONValue(pair.requestsSent)), ("responsesReceived", JSONValue(pair.responsesReceived)),
            ("requestsReceived", JSONValue(pair.requestsReceived)), ("responsesSent", JSONValue(pair.responsesSent)),
            ("consentRequestsSent", JSONValue(pair.consentRequestsSent)),
        ])
    }

    private static func candidate(_ candidate: CandidateDescription) -> [(String, JSONValue)] {
        [
            ("candidateType", .string(candidate.candidateType)), ("address", .string(candidate.address)), ("port", JSONValue(Int(candidate.port))),
            ("protocol", .string(candidate.protocol)),
        ]
    }

    /// In the lists of candidates with its priority and base; pairs repeat neither.
    private static func listed(_ candidate: CandidateDescription) -> JSONValue {
        .object(
            self.candidate(candidate) + [
                ("priority", JSONValue(candidate.priority.map { Int($0) })), ("relatedAddress", JSONValue(candidate.relatedAddress)),
                ("relatedPort", JSONValue(candidate.relatedPort.map { Int($0) })),
            ])
    }

    private static func flight(_ flight: DTLSFlightStatistics) -> JSONValue {
        .object([
            ("timeMs", JSONValue(flight.timeMs)), ("direction", .string(flight.isSent ? "sent" : "received")),
            ("messages", .array(flight.messages.map { .string($0) })), ("bytes", JSONValue(flight.bytes)), ("repeated", .bool(flight.isRepeated)),
        ])
    }

    private static func dropped(_ dropped: DroppedPackets) -> JSONValue {
        .object([
            ("authentication", JSONValue(dropped.authentication)), ("replay", JSONValue(dropped.replay)), ("noKey", JSONValue(dropped.noKey)),
            ("unknownSource", JSONValue(dropped.unknownSource)), ("other", JSONValue(dropped.other)),
        ])
    }
}
