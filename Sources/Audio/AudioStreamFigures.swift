import Codecs
import Synchronization

/// Counters that the audio thread writes and the loop reads.
final class AudioStreamFigures: Sendable {
    let concealedSamples = Atomic<UInt64>(0)
    let totalSamples = Atomic<UInt64>(0)
    let late = Atomic<UInt64>(0)
    let discarded = Atomic<UInt64>(0)
    let redundancy = Atomic<UInt64>(0)
    /// Microseconds; −1 before the first packet.
    let delay = Atomic<Int>(-1)
    let target = Atomic<Int>(0)
    /// Hundredths of a dB.
    let receivedLevel = Atomic<Int>(-12700)
    let sentLevel = Atomic<Int>(-12700)
    let codec = Atomic<UInt8>(0)

    func snapshot(refused: Int) -> AudioStreamStatistics {
        var s = AudioStreamStatistics()
        s.concealedSamples = concealedSamples.load(ordering: .relaxed)
        s.totalSamplesReceived = totalSamples.load(ordering: .relaxed)
        s.latePackets = late.load(ordering: .relaxed)
        s.discardedPackets = discarded.load(ordering: .relaxed) &+ UInt64(clamping: refused)
        s.redundancyFrames = redundancy.load(ordering: .relaxed)
        let microseconds = delay.load(ordering: .relaxed)
        s.jitterBufferDelayMs = microseconds < 0 ? nil : Double(microseconds) / 1000
        s.jitterBufferTargetDelayMs = Double(target.load(ordering: .relaxed)) / 1000
        s.receivedLevelDbov = Double(receivedLevel.load(ordering: .relaxed)) / 100
        s.sentLevelDbov = Double(sentLevel.load(ordering: .relaxed)) / 100
        s.receiveCodec = AudioCodecKind(rawValue: codec.load(ordering: .relaxed))
        return s
    }
}
