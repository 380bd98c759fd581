import Interface

extension Model {
    /// Whether the phone has a picture of this call to show.
    static func canShow(_ call: CallSnapshot) -> Bool { call.hasVideo && call.isUp }

    /// A picture counts for the call that is looked at.
    mutating func take(_ new: CallPicture) {
        guard new.call == watched else { return }
        picture = new.picture
    }

    /// Closes the view when its call has no picture any more, and follows the figures.
    mutating func takeVideo() {
        guard panel == .video else { return }
        guard let call = selectedCall, Self.canShow(call) else {
            panel = .call(scroll: 0)
            if selectedCall?.id == watched, watched != nil { prompt = .hint("The picture is over: the call has no video now") }
            return
        }
        if call.id == watched, let stream = call.videoStream { rates.take(stream.inbound, at: snapshot.time) }
    }

    mutating func performVideo() -> [Effect] {
        if panel == .video {
            panel = .call(scroll: 0)
            return []
        }
        guard let call = selectedCall, Self.canShow(call) else { return [.bell] }
        panel = .video
        return []
    }

    /// Tells the phone whose picture is looked at, when that has changed. A terminal that is too small shows none.
    mutating func followVideo() -> [Effect] {
        let wanted = panel == .video && !isReduced && !isQuitting ? selectedCall?.id : nil
        guard wanted != watched else { return [] }
        var effects: [Effect] = []
        if let old = watched, snapshot.calls.contains(where: { $0.id == old && $0.state != .ended }) {
            effects.append(.command(.viewVideo(old, false)))
        }
        if let wanted { effects.append(.command(.viewVideo(wanted, true))) }
        watched = wanted
        picture = nil
        rates = VideoRates()
        return effects
    }
}

extension CallSnapshot {
    var videoStream: StreamStatistics? { streams.first { $0.kind == "video" } }
}
