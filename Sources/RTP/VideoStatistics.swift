/// The figures of one video, under W3C's names.
public struct VideoStatistics: Sendable, Equatable {
    /// Nil before the first packet came.
    public var inbound: InboundRTPStatistics?
    public var outbound: OutboundRTPStatistics
    public var firSent = 0
    public var framesReceived = 0
    public var keyFramesReceived = 0
    public var framesDropped = 0
    public var frameWidth: Int?
    public var frameHeight: Int?
    public var retransmittedPacketsReceived = 0
    public var packetsDiscarded = 0
    public var framesSent = 0
    public var keyFramesSent = 0
    public var retransmittedPacketsSent = 0
    /// REMB of the peer, bit/s.
    public var maximumBitrate: UInt64?
}

extension VideoSession {
    public var statistics: VideoStatistics {
        let rtp = rtp.statistics
        var out = VideoStatistics(inbound: rtp.inbound, outbound: rtp.outbound)
        out.firSent = self.rtp.sentFeedback.fir
        out.framesReceived = receiver.framesReceived
        out.keyFramesReceived = receiver.keyFramesReceived
        out.framesDropped = receiver.framesDropped
        out.frameWidth = receiver.frameSize?.width
        out.frameHeight = receiver.frameSize?.height
        out.retransmittedPacketsReceived = receiver.retransmittedPacketsReceived
        out.packetsDiscarded = receiver.packetsDiscarded + packetsDiscarded
        out.framesSent = framesSent
        out.keyFramesSent = keyFramesSent
        out.retransmittedPacketsSent = retransmittedPacketsSent
        out.maximumBitrate = peerMaximumBitrate
        return out
    }
}
