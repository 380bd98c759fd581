/// How loss is spread over time: bursts and gaps (RFC 3611 §4.7.2).
///
/// A burst begins and ends with a lost or discarded packet and has no `minimumGap` received ones in a row. Everything else, an
/// isolated loss included, lies in a gap. A packet is judged when `patience` later ones could have come: reordering is no loss.
struct LossBursts: Sendable {
    /// Gmin, the value that RFC 3611 §4.7.2 recommends.
    static let minimumGap = 16
    static let patience: Int64 = 32

    struct Counts: Sendable, Equatable {
        var expected = 0
        var lost = 0
        var discarded = 0
        var bursts = 0
        var burstPackets = 0
        /// Lost or discarded inside bursts.
        var burstLosses = 0
        var gaps = 0
        var gapPackets = 0
        var gapLosses = 0
    }

    /// Losses that may become a burst: from the first to the last one, and what was received since.
    private struct Group {
        var packets = 1
        var losses = 1
        var receivedSince = 0
    }

    private var settled = Counts()
    private var group: Group?
    private var isInGap = false
    private var unwrapper = SequenceUnwrapper()
    /// The next number to judge.
    private var next: Int64?
    /// Bit n: `next + n` was received.
    private var seen: UInt64 = 0
    /// Discarded ones among those not judged yet.
    private var pendingDiscards = 0

    /// Everything judged so far; losses that may still become a longer burst count as what they are now.
    var counts: Counts {
        var copy = self
        copy.closeGroup()
        return copy.settled
    }

    mutating func receive(_ number: UInt16) {
        let sequence = unwrapper.unwrap(number)
        if next == nil { next = sequence }
        while let next, sequence - next > Self.patience { judge() }
        guard let next, sequence >= next else { return }
        seen |= 1 << UInt64(sequence - next)
    }

    /// The source starts its numbers anew: what was received last is judged, nothing between is lost.
    mutating func restart() {
        while seen != 0 { judge() }
        next = nil
        unwrapper = SequenceUnwrapper()
    }

    /// This many of the packets received lately came too late to be played.
    mutating func discard(_ count: Int) { pendingDiscards += max(0, count) }

    private mutating func judge() {
        let isReceived = seen & 1 != 0
        seen >>= 1
        next = next.map { $0 + 1 }
        settled.expected += 1
        if !isReceived {
            settled.lost += 1
            noteLoss()
        } else if pendingDiscards > 0 {
            pendingDiscards -= 1
            settled.discarded += 1
            noteLoss()
        } else if group != nil {
            group?.receivedSince += 1
            if let group, group.receivedSince >= Self.minimumGap { closeGroup() }
        } else {
            noteGap(packets: 1, losses: 0)
        }
    }

    private mutating func noteLoss() {
        guard var open = group else {
            group = Group()
            return
        }
        open.packets += open.receivedSince + 1
        open.losses += 1
        open.receivedSince = 0
        group = open
    }

    private mutating func closeGroup() {
        guard let closed = group else { return }
        group = nil
        if closed.losses == 1 {
            noteGap(packets: 1, losses: 1)
        } else {
            settled.bursts += 1
            settled.burstPackets += closed.packets
            settled.burstLosses += closed.losses
            isInGap = false
        }
        noteGap(packets: closed.receivedSince, losses: 0)
    }

    private mutating func noteGap(packets: Int, losses: Int) {
        guard packets > 0 else { return }
        if !isInGap { settled.gaps += 1 }
        isInGap = true
        settled.gapPackets += packets
        settled.gapLosses += losses
    }
}
