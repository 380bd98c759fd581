import Core
import Interface

/// When the steps of one call's set-up happened. The zero is the first INVITE sent or received.
struct CallTiming {
    var start: Instant
    var startedAt: WallTime
    var ringing: Instant?
    var answered: Instant?
    var answeredAt: WallTime?
    var iceConnected: Instant?
    var dtlsConnected: Instant?
    var firstMediaReceived: Instant?
    var firstMediaSent: Instant?

    var setup: SetupTimes {
        var times = SetupTimes()
        let since = { (instant: Instant?) in instant.map { ($0.milliseconds(since: start) * 10).rounded() / 10 } }
        times.ringingMs = since(ringing)
        times.answeredMs = since(answered)
        times.iceConnectedMs = since(iceConnected)
        times.dtlsConnectedMs = since(dtlsConnected)
        times.firstMediaReceivedMs = since(firstMediaReceived)
        times.firstMediaSentMs = since(firstMediaSent)
        return times
    }
}
