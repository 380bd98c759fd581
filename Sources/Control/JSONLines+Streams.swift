import Interface

/// The figures of one stream as JSON, under W3C's names.
extension JSONLines {
    static func stream(_ stream: StreamStatistics) -> JSONValue {
        .object([
            ("kind", .string(stream.kind)), ("codec", .string(stream.codec)), ("clockRate", JSONValue(stream.clockRate)),
            ("direction", .string(stream.direction)), ("inbound", .object(inbound(stream.inbound))),
            ("outbound", .object(outbound(stream.outbound))), ("mos", JSONValue(stream.mos)),
        ])
    }

    private static func inbound(_ inbound: InboundStatistics) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [
            ("ssrc", JSONValue(inbound.ssrc.map { Int($0) })), ("packetsReceived", JSONValue(inbound.packetsReceived)),
            ("packetsLost", JSONValue(inbound.packetsLost)), ("bytesReceived", JSONValue(inbound.bytesReceived)),
            ("jitterMs", JSONValue(inbound.jitterMs)), ("jitterBufferDelayMs", JSONValue(inbound.jitterBufferDelayMs)),
            ("concealedSamples", JSONValue(inbound.concealedSamples)), ("totalSamplesReceived", JSONValue(inbound.totalSamplesReceived)),
            ("audioLevelDbov", JSONValue(inbound.audioLevelDbov)), ("unprotectErrors", JSONValue(inbound.unprotectErrors)),
            ("nackCount", JSONValue(inbound.nackCount)), ("pliCount", JSONValue(inbound.pliCount)),
        ]
        guard let video = inbound.video else { return members }
        members += [
            ("firCount", JSONValue(video.firCount)), ("framesReceived", JSONValue(video.framesReceived)),
            ("keyFramesReceived", JSONValue(video.keyFramesReceived)), ("framesDropped", JSONValue(video.framesDropped)),
            ("frameWidth", JSONValue(video.frameWidth)), ("frameHeight", JSONValue(video.frameHeight)),
            ("retransmittedPacketsReceived", JSONValue(video.retransmittedPacketsReceived)),
            ("packetsDiscarded", JSONValue(video.packetsDiscarded)),
        ]
        return members
    }

    private static func outbound(_ outbound: OutboundStatistics) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [
            ("ssrc", JSONValue(Int(outbound.ssrc))), ("packetsSent", JSONValue(outbound.packetsSent)), ("bytesSent", JSONValue(outbound.bytesSent)),
            ("roundTripTimeMs", JSONValue(outbound.roundTripTimeMs)), ("remotePacketsLost", JSONValue(outbound.remotePacketsLost)),
            ("remoteJitterMs", JSONValue(outbound.remoteJitterMs)), ("audioLevelDbov", JSONValue(outbound.audioLevelDbov)),
        ]
        guard let video = outbound.video else { return members }
        members += [
            ("nackCount", JSONValue(video.nackCount)), ("pliCount", JSONValue(video.pliCount)), ("firCount", JSONValue(video.firCount)),
            ("framesSent", JSONValue(video.framesSent)), ("keyFramesSent", JSONValue(video.keyFramesSent)),
            ("retransmittedPacketsSent", JSONValue(video.retransmittedPacketsSent)), ("maximumBitrateBps", JSONValue(video.maximumBitrateBps)),
        ]
        return members
    }
}
