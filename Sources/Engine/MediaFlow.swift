import SDP

/// Whether packets of one kind came (authenticated) and went.
struct MediaFlow: Equatable {
    var hasReceived = false
    var hasSent = false
}

extension MediaSession {
    /// A direction that was negotiated had not one packet. Audio and video are judged each by its own.
    var isOneWay: Bool {
        guard let media = negotiated else { return false }
        if media.localDirection.receives && !audioFlow.hasReceived || media.localDirection.sends && !audioFlow.hasSent { return true }
        return missesVideo || hasVideoToSend && describer.negotiatedVideo?.localDirection.sends == true && !videoFlow.hasSent
    }

    /// There was something to come, and nothing whatever came.
    var isDeaf: Bool {
        guard let media = negotiated, !audioFlow.hasReceived, !videoFlow.hasReceived else { return false }
        return media.localDirection.receives || missesVideo
    }

    /// A bridge and an echo have no picture of their own: they negotiate both directions before anybody has shown one, and that nobody begins is no
    /// fault. Whoever else lets the peer send wants to see.
    private var missesVideo: Bool {
        guard !isBridge, !environment.configuration.isEcho, let video = describer.negotiatedVideo else { return false }
        return video.localDirection.receives && !videoFlow.hasReceived
    }

    /// Mute does not count.
    private var hasVideoToSend: Bool {
        if isBridge { return false }
        return environment.configuration.isEcho ? videoFlow.hasReceived : environment.configuration.videoSource != .none && !isMuted
    }

    private var isBridge: Bool { passesVideo || environment.configuration.passesVideo }
}
